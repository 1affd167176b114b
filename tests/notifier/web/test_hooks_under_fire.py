"""The receipts' address as strangers and bad networks use it: nothing they do may be recorded, hold others up, fill the
log with what they sent, or look like a fault of ours."""

import gzip
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from prometheus_client import REGISTRY
from sqlmodel import select
from starlette.applications import Starlette
from structlog.testing import capture_logs

from notifier import receipts
from notifier.channels.twilio_receipts import ReceivedReceipt
from notifier.web.hooks import HookSettings, routes
from store.database import Sessions, open_database
from store.deliveries import Receipt
from tests.faults.waiting import wait_until
from tests.notifier.web.test_hooks import (
    ACCOUNT,
    ATTEMPT,
    FORM,
    FORM_TYPE,
    PATH,
    PUBLIC,
    REFUSED,
    SID,
    TAKEN,
    TOKEN,
    Web,
    served,
    sign,
)
from tests.notifier.web.test_hooks import server as server
from tests.notifier.web.test_hooks import web as web
from tests.store.query_plans import asked as statements_of

AT = datetime(2026, 11, 24, 8, 55, tzinfo=UTC)
BODY = urlencode(FORM).encode()
HEAD = f"Host: kallelse.example.se\r\nContent-Type: {FORM_TYPE}\r\nX-Twilio-Signature: {sign(FORM)}\r\n"


@contextmanager
def connected(web: Web) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", web.port), timeout=10) as connection:
        yield connection


def asked(headers: str, body: bytes = b"", line: str = f"POST {PATH} HTTP/1.1") -> bytes:
    return f"{line}\r\n{HEAD}{headers}\r\n".encode() + body


def answered(connection: socket.socket) -> int:
    """The answer's status; 0 where the connection was closed without one."""
    line = connection.makefile("rb").readline()
    return int(line.split(b" ")[1]) if line else 0


def refusals(reason: str) -> float:
    labels = {"provider": "twilio", "reason": reason}
    return REGISTRY.get_sample_value("kallelse_receipts_refused_total", labels) or 0


WIRE = {
    "two lengths that differ": asked("Content-Length: 10\r\nContent-Length: 400\r\n", BODY),
    "a length and chunks": asked(f"Content-Length: {len(BODY)}\r\nTransfer-Encoding: chunked\r\n", BODY),
    "a negative length": asked("Content-Length: -1\r\n", BODY),
    "chunks that are none": asked("Transfer-Encoding: chunked\r\n", b"zz\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "a line break in the signature": asked(f"X-Twilio-Signature: x\r\n y\r\nContent-Length: {len(BODY)}\r\n", BODY),
    "no length at all": asked("Connection: close\r\n", BODY),
    "an address that goes up": asked(
        f"Content-Length: {len(BODY)}\r\n", BODY, f"POST /hooks/twilio/receipts/x/../{ATTEMPT} HTTP/1.1"
    ),
    "a slash in the attempt's id": asked(
        f"Content-Length: {len(BODY)}\r\n",
        BODY,
        f"POST /hooks/twilio/receipts/{ATTEMPT[:11]}%2F{ATTEMPT[11:]} HTTP/1.1",
    ),
    "a whole address in the request line": asked(
        f"Content-Length: {len(BODY)}\r\n", BODY, "POST https://evil.example.com/hooks HTTP/1.1"
    ),
    "not HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + BODY + b"\r\n\r\n",
}


@pytest.mark.parametrize("octets", WIRE.values(), ids=WIRE.keys())
def test_b62_requests_bent_on_the_wire_are_refused_and_never_a_fault_of_ours(web: Web, octets: bytes) -> None:
    with connected(web) as connection:
        connection.sendall(octets)
        connection.shutdown(socket.SHUT_WR)
        assert answered(connection) in (0, 307, 400, 403, 404)
    assert web.recorded == []


def test_a_squeezed_body_is_no_form(web: Web) -> None:
    headers = [("Content-Type", FORM_TYPE), ("X-Twilio-Signature", sign(FORM)), ("Content-Encoding", "gzip")]
    assert web.post(gzip.compress(BODY), headers) == 403
    assert web.recorded == []


def test_a_body_that_never_ends_is_cut_short(web: Web) -> None:
    """In chunks, so that no length warns of it: memory must not fill before the signature is looked at."""
    with connected(web) as connection:
        connection.sendall(asked("Transfer-Encoding: chunked\r\n"))
        for _ in range(17):
            connection.sendall(b"1000\r\n" + b"x" * 4096 + b"\r\n")
        assert answered(connection) == 403
    assert web.recorded == []


def test_a_body_that_is_cut_off_is_noticed_counted_and_not_recorded(web: Web) -> None:
    before = refusals("cut_off")
    with capture_logs() as lines, connected(web) as connection:
        connection.sendall(asked(f"Content-Length: {len(BODY)}\r\n", BODY[:-1]))
        connection.close()
        wait_until(lambda: refusals("cut_off") > before, "the cut body to be counted")
    assert {tuple(sorted(line.items())) for line in lines} == {
        (("event", "receipt_refused"), ("log_level", "warning"), ("provider", "twilio"), ("reason", "cut_off"))
    }
    assert web.recorded == []


def test_bodies_that_come_slowly_hold_nobody_up(web: Web) -> None:
    before = refusals("cut_off")
    with connected(web) as slow, connected(web) as slower:
        slow.sendall(asked(f"Content-Length: {len(BODY)}\r\n", BODY[:100]))
        slower.sendall(asked(f"Content-Length: {len(BODY)}\r\n"))
        assert web.deliver(FORM) == 204
        slow.sendall(BODY[100:])
        assert answered(slow) == 204
    assert web.recorded == [TAKEN, TAKEN]
    wait_until(lambda: refusals("cut_off") > before, "the one that never came to be noticed as gone")


def test_every_refusal_is_one_line_that_quotes_nothing_and_one_more_of_its_count(web: Web) -> None:
    for body, headers, path in REFUSED.values():
        with capture_logs() as lines:
            web.post(body, headers, path)
        (line,) = lines
        assert set(line) == {"event", "log_level", "provider", "reason"}
        before = refusals(line["reason"])
        web.post(body, headers, path)
        assert refusals(line["reason"]) == before + 1


def test_a_receipt_that_cannot_be_stored_is_not_acknowledged(caplog: pytest.LogCaptureFixture) -> None:
    """An answer of success would be the end of it at the provider. The fault's own text quotes the report."""
    sessions = open_database("sqlite:////nowhere/at/all.db")
    with capture_logs() as lines, keeping(sessions, lambda: AT) as web:
        assert web.deliver(FORM) == 503
    assert [line["event"] for line in lines] == ["receipt_not_stored"]
    assert SID not in caplog.text + str(lines)


def test_check_18_b63_one_receipt_replayed_by_the_second_and_by_the_day_is_one_row(sessions: Sessions) -> None:
    later = iter([AT, AT + timedelta(seconds=1), AT + timedelta(days=1)])
    with statements_of(sessions.engine) as statements, keeping(sessions, lambda: next(later)) as web:
        assert [web.deliver(FORM) for _ in range(3)] == [204] * 3
    said = [one.split()[:3] for one, _ in statements if not one.startswith("BEGIN")]
    assert said == [["INSERT", "INTO", "receipts"]] * 3  # and no question
    with sessions.reading() as session:
        (row,) = session.exec(select(Receipt)).all()
    assert (row.provider_id, row.status, row.attempt_public_id, row.received_at) == (SID, "delivered", ATTEMPT, AT)


@contextmanager
def keeping(sessions: Sessions, clock: Callable[[], datetime]) -> Iterator[Web]:
    """A web server that stores what it is told, as the product's own does."""

    def record(one: ReceivedReceipt) -> None:
        receipts.record(sessions, one, clock())

    app = Starlette(routes=routes(HookSettings(PUBLIC, ACCOUNT, TOKEN), record))
    with served(app) as port:
        yield Web(port, [])


def test_the_same_octets_unbent_are_taken(web: Web) -> None:
    """Else the refusals above would be refusals of something else."""
    with connected(web) as connection:
        connection.sendall(asked(f"Content-Length: {len(BODY)}\r\n", BODY))
        assert answered(connection) == 204
    assert web.recorded == [TAKEN]
