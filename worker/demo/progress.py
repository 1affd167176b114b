"""How far a demo has come, and what its folder keeps so that it can be taken up again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from store import overview
from store.database import Sessions
from worker.clock import BusinessClock

_FILE = "demo.json"


@dataclass(frozen=True, slots=True)
class KeptAccount:
    """A CalDAV account's user name and an app password of it."""

    name: str
    password: str = field(repr=False)


class KeptClock(BusinessClock):
    """A business clock that writes down where it is forwarded to."""

    def __init__(self, folder: Path, start_at: datetime) -> None:
        super().__init__(start_at)
        self._folder = folder

    def forward(self, to: datetime) -> None:
        super().forward(to)
        _keep(self._folder, offset=(self.now() - datetime.now(UTC)).total_seconds())


def resumed_clock(folder: Path, start_at: datetime) -> tuple[KeptClock, datetime]:
    """The folder's clock, going on from where it was, and the business time at which its demo first began."""
    kept = _kept(folder)
    if "began_at" not in kept:
        offset = (start_at - datetime.now(UTC)).total_seconds()
        _keep(folder, began_at=start_at.isoformat(), offset=offset)
        return KeptClock(folder, start_at), start_at
    now = datetime.fromtimestamp(datetime.now(UTC).timestamp() + float(str(kept["offset"])), UTC)
    return KeptClock(folder, now), datetime.fromisoformat(str(kept["began_at"]))


def kept_token(folder: Path) -> str | None:
    token = _kept(folder).get("feed_token")
    return None if token is None else str(token)


def keep_token(folder: Path, token: str) -> None:
    _keep(folder, feed_token=token)


def kept_account(folder: Path) -> KeptAccount | None:
    kept = _kept(folder)
    if "account" not in kept:
        return None
    return KeptAccount(str(kept["account"]), str(kept["app_password"]))


def keep_account(folder: Path, account: KeptAccount) -> None:
    _keep(folder, account=account.name, app_password=account.password)


def all_answered(sessions: Sessions, since: datetime | None = None) -> bool:
    """Whether every engagement has been answered, `since` then if given."""
    with sessions.reading() as session:
        return overview.unanswered(session, since) == 0


def is_booked(sessions: Sessions, booking_id: str) -> bool:
    with sessions.reading() as session:
        return overview.is_booked(session, booking_id)


def is_at_rest(sessions: Sessions, now: datetime) -> bool:
    """Whether nothing is left to decide or to send at `now`."""
    with sessions.reading() as session:
        return not overview.anything_to_do(session, now)


def all_arrived(sessions: Sessions) -> bool:
    """Whether every message that a provider with receipts took has been reported on."""
    with sessions.reading() as session:
        return overview.awaiting_receipts(session) == 0


def _kept(folder: Path) -> Mapping[str, object]:
    path = folder / _FILE
    content: Mapping[str, object] = json.loads(path.read_text()) if path.exists() else {}
    return content


def _keep(folder: Path, **values: object) -> None:
    partly = folder / f"{_FILE}.part"
    partly.touch(mode=0o600)
    partly.write_text(json.dumps({**_kept(folder), **values}))
    partly.replace(folder / _FILE)
