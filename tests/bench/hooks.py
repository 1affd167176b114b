"""How fast a provider gets its answer: signed receipts at an even rate against `kallelse web`, a process of its own.

`python -m tests.bench.hooks` prints one line for each database.
"""

import asyncio
import secrets
import statistics
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from sqlmodel import func, select

from store.database import migrate, open_database
from store.deliveries import Receipt
from store.vault import make_key_file
from tests.bench.databases import postgresql
from tests.faults.programs import KALLELSE, free_port, is_listening, running
from tests.faults.waiting import wait_until
from worker.demo.twilio_wire import signature

PUBLIC = "https://kallelse.example.se"
ACCOUNT = "AC" + "0" * 31 + "1"
TOKEN = "hemlig-nyckel"
CONNECTIONS = 40


@dataclass(frozen=True)
class Answers:
    """Milliseconds from when a receipt was to be sent until it was answered, queueing included."""

    database: str
    per_second: int
    milliseconds: tuple[float, ...]
    statuses: Counter[int]
    stored: int

    def quantile(self, percent: int) -> float:
        return statistics.quantiles(self.milliseconds, n=100)[percent - 1]

    def line(self) -> str:
        shown = ", ".join(f"p{percent} {self.quantile(percent):.1f} ms" for percent in (50, 95, 99))
        return (
            f"{self.database}: {len(self.milliseconds)} receipts at {self.per_second}/s: {shown}, "
            f"most {max(self.milliseconds):.1f} ms; answers {dict(self.statuses)}, {self.stored} stored"
        )


def receipts(database_url: str, folder: Path, *, per_second: int = 200, seconds: int = 10) -> Answers:
    """Sends receipts to the web process on an empty database, at this rate whatever the answers."""
    sessions, keys, port = open_database(database_url), folder / "keys.json", free_port()
    migrate(sessions)
    make_key_file(keys)
    environment = {
        "KALLELSE_DATABASE_URL": database_url,
        "KALLELSE_KEYS": str(keys),
        "KALLELSE_PORT": str(port),
        "KALLELSE_PUBLIC_URL": PUBLIC,
        "KALLELSE_TWILIO_ACCOUNT_SID": ACCOUNT,
        "KALLELSE_TWILIO_AUTH_TOKEN": TOKEN,
        "KALLELSE_TWILIO_SENDER": "Kallelse",
    }
    with running([KALLELSE, "web"], environment, folder / "web.log"):
        wait_until(lambda: is_listening(port), "the web process to listen")
        asyncio.run(_send(port, per_second, 1))  # warm
        measured = asyncio.run(_send(port, per_second, seconds))
    with sessions.reading() as session:
        stored = session.exec(select(func.count()).select_from(Receipt)).one()
    sessions.close()
    statuses = Counter(status for _, status in measured)
    name = database_url.partition(":")[0]
    return Answers(name, per_second, tuple(taken * 1000 for taken, _ in measured), statuses, stored)


async def _send(port: int, per_second: int, seconds: int) -> list[tuple[float, int]]:
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(await asyncio.open_connection("127.0.0.1", port))
    requests = [_request() for _ in range(per_second * seconds)]
    began = time.perf_counter()

    async def one(number: int, request: bytes) -> tuple[float, int]:
        due = began + number / per_second
        await asyncio.sleep(due - time.perf_counter())
        connection = await free.get()
        connection[1].write(request)
        head = await connection[0].readuntil(b"\r\n\r\n")
        taken = time.perf_counter() - due
        free.put_nowait(connection)
        return taken, int(head.split(b" ", 2)[1])

    measured = await asyncio.gather(*(one(number, request) for number, request in enumerate(requests)))
    while not free.empty():
        free.get_nowait()[1].close()
    return list(measured)


def _request() -> bytes:
    path = f"/hooks/twilio/receipts/{secrets.token_urlsafe(16)}"
    sid = f"SM{secrets.token_hex(16)}"
    form = {
        "AccountSid": ACCOUNT, "ApiVersion": "2010-04-01", "From": "Kallelse", "MessageSid": sid,
        "MessageStatus": "delivered", "SmsSid": sid, "SmsStatus": "delivered", "To": "+46701740605",
    }  # fmt: skip
    body = urlencode(form).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"X-Twilio-Signature: {signature(TOKEN, PUBLIC + path, form)}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        for name in ("sqlite", "postgresql"):
            (here / name).mkdir()
        sys.stdout.write(receipts(f"sqlite:///{here}/sqlite/kallelse.db", here / "sqlite").line() + "\n")
        with postgresql(here) as url:
            sys.stdout.write(receipts(url, here / "postgresql").line() + "\n")


if __name__ == "__main__":
    main()
