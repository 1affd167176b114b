"""Links by which people answer a message: `/a/` and a token of 22 letters and digits. Only its keyed digest is kept.

Tokens are derived, not drawn: a message that is made again (after a crash, or a restore) holds the same link, else its
words could not be told from another message's when the provider is asked whether it has them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from store import action_links
from store.action_links import ActionLink
from store.bookings import Booking
from store.database import Session
from store.link_actions import LinkAction
from store.vault import Vault

PATH = "/a/"
UNSUBSCRIBING_LIVES = timedelta(days=365)
_TOKEN = re.compile(r"[0-9A-Za-z]{22}")
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"  # no sign that ends a link on a phone
_TOKEN_LENGTH = 22  # of 62 letters: 128 bits and a little
CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # none that is taken for another one
_CODE_LENGTH = 4
_SHORTEST_LIFE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class LinkedTo:
    """Whom a link is for, and the address it goes to."""

    recipient_id: UUID
    contact_digest: str
    channel: str


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link that stands in a message and is to be kept with it."""

    token: str = field(repr=False)
    action: LinkAction
    to: LinkedTo
    lives: timedelta
    visits: tuple[tuple[UUID, int], ...] = ()  # booking and its time version

    def address(self, site: str) -> str:
        return f"{site}{PATH}{self.token}"


def example_address(site: str) -> str:
    """As long as every link, and leads nowhere; empty where there is no address of ours."""
    return f"{site}{PATH}{_LETTERS[-_TOKEN_LENGTH:]}" if site else ""


def about_visits(vault: Vault, action: LinkAction, to: LinkedTo, visits: Sequence[Booking], now: datetime) -> NewLink:
    """The link about these visits as they stand: the same for the same address, in whatever message. It lives until the
    last of them begins. `now` is business time."""
    names = sorted(_name(visit) for visit in visits)
    token = _drawn(vault, action.value, to.contact_digest, to.channel, *names)
    lives = max(max(visit.start_at for visit in visits) - now, _SHORTEST_LIFE)
    return NewLink(token, action, to, lives, tuple((visit.id, visit.time_version) for visit in visits))


def about_address(vault: Vault, action: LinkAction, to: LinkedTo, made_for: UUID) -> NewLink:
    """The link about the address itself, in what was `made_for` it: a delivery, or another link."""
    return NewLink(_drawn(vault, action.value, to.contact_digest, str(made_for)), action, to, UNSUBSCRIBING_LIVES)


def keep(session: Session, vault: Vault, link: NewLink, real_now: datetime) -> None:
    """Makes the link work. Once for each, however often."""
    row = ActionLink(
        digest=_digest(vault, link.token),
        action=link.action,
        recipient_id=link.to.recipient_id,
        contact_digest=link.to.contact_digest,
        channel=link.to.channel,
        made_at=real_now,
        expires_at=real_now + link.lives,
    )
    action_links.add(session, row, link.visits)


def found(session: Session, vault: Vault, token: str, *, locked: bool = False) -> ActionLink | None:
    if not _TOKEN.fullmatch(token):
        return None
    return action_links.find(session, _digest(vault, token), locked=locked)


def code(vault: Vault, contact_digest: str, visit: Booking) -> str:
    """Four letters and digits that name a visit to who was told of it: `AVBOKA K7MP`."""
    rest = int(_mac(vault, "reply_code", f"{contact_digest}|{_name(visit)}"), 16)
    return written(rest, CODE_LETTERS, _CODE_LENGTH)


def written(rest: int, letters: str, length: int) -> str:
    """A number in these signs, so many of them."""
    signs = []
    for _ in range(length):
        rest, place = divmod(rest, len(letters))
        signs.append(letters[place])
    return "".join(signs)


def _name(visit: Booking) -> str:
    """What the source calls it and which of its times, not our row's id: that is another after a restore."""
    return f"{visit.source}|{visit.logical_address}|{visit.booking_id}|{visit.time_version}"


def _drawn(vault: Vault, *of: str) -> str:
    return written(int(_mac(vault, "action_token", "|".join(of)), 16), _LETTERS, _TOKEN_LENGTH)


def _digest(vault: Vault, token: str) -> str:
    return vault.digest("action_link", token)


def _mac(vault: Vault, purpose: str, value: str) -> str:
    return vault.digest(purpose, value).rpartition(":")[2]
