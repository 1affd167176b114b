"""Check 38: people marked by canaries go through everything, faults and wrong requests included. No canary comes out
where it does not belong: not in logs, broker messages, error answers, refusals, nor in plain text in the database."""

import asyncio
import json
import logging
import re
import threading
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlencode

import httpx
import pytest
import structlog
from dramatiq import Message as BrokerMessage
from sqlmodel import SQLModel, select

from store.deliveries import Wording
from store.vault import make_key_file
from tests.stories.test_bookings import at
from tests.stories.town import CENTRE, LABORATORY, SECOND_LOOK, Town
from tests.worker.shell import Shell
from worker import actors
from worker.actors import Kind
from worker.broker import open_broker
from worker.demo.people import Person
from worker.demo.region_state import Fault
from worker.demo.twilio_wire import signature
from worker.importing import withdraw_consents
from worker.logs import configure_logs, only_allowed
from worker.web.app import build_app

PREPARATIONS = "Kanariefågel: ät inget efter midnatt"
PERFORMER = "Kanaria Fågelholm"
TIME_TYPE = "Kanariebesök"
_OUR_OWN_CLIENT = "http://kallelse.test"  # this test's, which says whom it asks for
_SIMULATED_MAIL_HOST = "mail.log"
FAULTS = ("ok", "429", "500_before", "500_after", "reset", "junk")


@dataclass
class Overheard:
    """Everything that was said where others listen."""

    events: list[str] = field(default_factory=list)  # ours, before the allow-list
    lines: list[str] = field(default_factory=list)  # everybody's, as written
    libraries: list[str] = field(default_factory=list)  # libraries' own texts and traces, before they are left out
    elsewhere: list[str] = field(default_factory=list)  # error answers, broker messages, refusals, reprs

    def raw(self, _logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        trace = event.get("exc_info") and traceback.format_exc()
        self.events.append(f"{event!r} {trace or ''}")
        return event

    def written(self, _logger: object, _method: str, event: structlog.typing.EventDict) -> str:
        self.lines.append(json.dumps(event, default=str, ensure_ascii=False))
        raise structlog.DropEvent

    def everything(self) -> str:
        return "\n".join([*self.events, *self.lines, *self.libraries, *self.elsewhere])


class _Overhear(logging.Handler):
    def __init__(self, overheard: Overheard) -> None:
        super().__init__()
        self._overheard = overheard

    def emit(self, record: logging.LogRecord) -> None:
        trace = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
        if _OUR_OWN_CLIENT in record.getMessage() or record.name == _SIMULATED_MAIL_HOST:
            return
        self._overheard.libraries.append(f"{record.name} {record.getMessage()} {trace}")


@pytest.fixture
def overheard() -> Iterator[Overheard]:
    """Logs as a process has them, at DEBUG, with an ear before and after the allow-list."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    heard = Overheard()
    configure_logs("json")
    structlog.configure(
        processors=[heard.raw, only_allowed, heard.written],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
    )
    root.setLevel(logging.DEBUG)
    root.addHandler(_Overhear(heard))
    yield heard
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def canaries(person: Person) -> list[str]:
    """What marks a person, in every spelling that might come out."""
    number, phone = person.identity, person.phone
    spellings = [number, f"{number[:8]}-{number[8:]}", number[2:], f"{number[2:8]}-{number[8:]}"]
    phones = [phone, phone.removeprefix("+"), f"0{phone[3:]}", phone.replace("+", "%2B")] if phone else []
    mails = [person.email, person.email.replace("@", "%40")] if person.email else []
    return [*spellings, *phones, *mails]


def came_out(text: str, marks: list[str]) -> list[str]:
    return [re.sub(r"\w", "x", mark) for mark in marks if mark in text]


def ask(here: Town, method: str, path: str, **options: object) -> httpx.Response:
    app = build_app(here.wiring)

    async def fetch() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url=_OUR_OWN_CLIENT) as client:
            return await client.request(method, path, **options)  # type: ignore[arg-type]

    try:
        return asyncio.run(fetch())
    finally:
        app.close()


@dataclass
class Marked:
    """A lived-through story: the people, one's calendar address, and what was overheard."""

    here: Town
    people: list[Person]
    token: str
    overheard: Overheard

    @property
    def marks(self) -> list[str]:
        """All that must not come out: people, care, tokens, and the words of every message."""
        bodies = [message.body for message in self.here.providers.messages()]
        marks = [mark for person in self.people for mark in canaries(person)]
        return [*marks, PREPARATIONS, PERFORMER, TIME_TYPE, self.token, *bodies]


@pytest.fixture
def marked(here: Town, overheard: Overheard) -> Marked:
    people = here.enrol(5)
    token = here.address(people[0]).removeprefix("/f/").removesuffix(".ics")
    _live_through_bookings(here, people)
    _live_through_provider_faults(here, people[0])
    _live_through_source_faults(here, people[0])
    return Marked(here, people, token, overheard)


def _live_through_bookings(here: Town, people: list[Person]) -> None:
    care = {"time_type_name": TIME_TYPE, "performer": PERFORMER, "purpose": PREPARATIONS}
    for number, person in enumerate(people):
        here.book(person, at(9 + number, 10), f"OLD{number}", LABORATORY, **care)
        here.book(person, at(3 + number, 14), f"NEAR{number}", CENTRE, **care)
    here.poll()
    for number, person in enumerate(people):
        here.move(f"OLD{number}", at(10 + number, 11))
        here.book(person, at(16, 8 + number), f"NEW{number}", CENTRE, **care)
    here.poll()
    here.wait(timedelta(minutes=5))
    here.cancel("NEAR0")
    here.poll()
    here.wait(SECOND_LOOK)
    here.wait(timedelta(hours=2))


def _live_through_provider_faults(here: Town, person: Person) -> None:
    for number, fault in enumerate(FAULTS):
        httpx.put(f"{here.providers.url}/faults", json={fault: 1}).raise_for_status()
        here.move("OLD0", at(17 + number, 9))
        here.poll()
        here.wait(timedelta(minutes=5))
    httpx.put(f"{here.providers.url}/faults", json={"ok": 1}).raise_for_status()
    here.wait(timedelta(minutes=30))
    assert len(here.told(person)) > len(FAULTS) // 2


def _live_through_source_faults(here: Town, person: Person) -> None:
    for facility, fault in (
        (CENTRE, Fault.TRUNCATED),
        (LABORATORY, Fault.FAULT),
        ("*", Fault.TRUNCATED),
        ("*", Fault.DENIED),
    ):
        here.fail(facility, fault)
        here.poll()
        here.wait(SECOND_LOOK)
    for facility in (CENTRE, LABORATORY, "*"):
        here.fail(facility, Fault.OK)
    here.poll()
    assert here.bookings(person)


def test_check_38_no_canary_comes_out_anywhere(marked: Marked) -> None:
    _look_through_the_database(marked)
    _listen_to_error_answers(marked)
    _listen_to_broker_messages(marked)
    _listen_to_commands(marked)  # last: they set up logs of their own

    overheard = marked.overheard
    assert {"source_failed", "receipt_refused"} <= {json.loads(line)["event"] for line in overheard.lines}
    for said in (overheard.lines, overheard.events, overheard.libraries, overheard.elsewhere):
        assert came_out("\n".join(said), marked.marks) == []
    _wait_for_retention(marked)


def _listen_to_error_answers(marked: Marked) -> None:
    here, token = marked.here, marked.token
    wrong = token[:-1] + ("A" if token[-1] != "A" else "B")
    assert ask(here, "GET", f"/f/{token}.ics").status_code == 200
    revoked = here.address(marked.people[1])
    with here.wiring.sessions.writing() as session:
        withdraw_consents(session, here.subject_id(marked.people[1]), here.now)
    answers = [
        ask(here, "GET", f"/f/{wrong}.ics"),
        ask(here, "GET", f"/f/{token}.ics?x=1"),
        ask(here, "GET", f"/f/{token}.ics/"),
        ask(here, "POST", f"/f/{token}.ics"),
        ask(here, "GET", f"/f/{token}.ics", headers={"x-long": "x" * 100_000}),
        ask(here, "GET", revoked),
        ask(here, "GET", revoked, headers={"accept": "text/html"}),
        ask(here, "GET", f"/nowhere/{marked.people[0].identity}"),
        *_receipts(marked),
    ]
    assert {answer.status_code for answer in answers} >= {404, 405, 410, 431, 403, 204}
    marked.overheard.elsewhere += [f"{answer.status_code} {answer.headers} {answer.text}" for answer in answers]


def _receipts(marked: Marked) -> list[httpx.Response]:
    here, account = marked.here, marked.here.providers.account
    message = next(one for one in here.providers.messages() if one.channel == "sms")
    path = message.details["status_callback"].removeprefix(here.wiring.settings.public_url)
    fields = {"AccountSid": account.sid, "MessageSid": message.id, "MessageStatus": "delivered", "To": message.to}
    right = signature(account.token, here.wiring.settings.public_url + path, fields)
    form = {"content": urlencode(fields)}
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return [
        ask(here, "POST", path, **form, headers={**kind, "X-Twilio-Signature": right}),
        ask(here, "POST", path, **form, headers={**kind, "X-Twilio-Signature": right}),
        ask(here, "POST", path, **form, headers={**kind, "X-Twilio-Signature": "wrong"}),
        ask(here, "POST", path, **form, headers=kind),
        ask(here, "POST", path, content=b"\xff=\xff", headers={**kind, "X-Twilio-Signature": right}),
        ask(here, "POST", path + marked.people[0].identity, **form, headers={**kind, "X-Twilio-Signature": right}),
    ]


def _listen_to_broker_messages(marked: Marked) -> None:
    broker, marks = open_broker("", 60)
    bells = actors.declare(broker, marks, marked.here.wiring, threading.Event().is_set)
    for kind in Kind:
        bells.ring(kind)
    messages = []
    for kind in Kind:
        queue = broker.queues[kind.value]  # type: ignore[attr-defined]
        while not queue.empty():
            messages.append(queue.get())
    broker.close()
    decoded = [BrokerMessage.decode(one) for one in messages]

    assert len(decoded) == len(Kind)
    assert {(one.args, tuple(one.kwargs)) for one in decoded} == {((), ())}, "doorbells carry nothing"
    marked.overheard.elsewhere += [one.decode() for one in messages]


def _look_through_the_database(marked: Marked) -> None:
    with marked.here.wiring.sessions.engine.connect() as connection:
        rows = [row for table in SQLModel.metadata.sorted_tables for row in connection.execute(table.select())]
    dump = "\n".join(map(repr, rows))
    assert "Björkängens vårdcentral" in dump, "what is meant to be clear is"
    assert came_out(dump, marked.marks) == []
    content = b"".join(path.read_bytes() for path in marked.here.folder.glob("kallelse.db*"))  # of SQLite
    assert [mark for mark in marked.marks if mark.encode() in content] == []


def _listen_to_commands(marked: Marked) -> None:
    settings, folder = marked.here.wiring.settings, marked.here.folder
    shell = Shell(
        folder,
        {
            "KALLELSE_DATABASE_URL": settings.database_url,
            "KALLELSE_KEYS": str(settings.keys),
            "KALLELSE_SOURCES": str(settings.sources),
            "KALLELSE_POPULATION": str(settings.population),
            "KALLELSE_SMTP_HOST": settings.smtp_host,
            "KALLELSE_SMTP_PORT": "1",
            "KALLELSE_SMTP_STARTTLS": "no",
            "KALLELSE_SMTP_SENDER": "a@example.se",
        },
    )
    faulty = folder / "faulty.csv"
    lines = (folder / "subjects.csv").read_text().splitlines()
    faulty.write_text(
        "\n".join([lines[0], lines[1].replace(",sv,", ",xx,"), lines[2].replace("+46", "x46"), lines[3] + "x"])
    )
    person = marked.people[0]
    said = [
        shell("subjects", "list"),
        shell("subjects", "find", typed=person.identity),
        shell("subjects", "find", typed=person.identity + "1"),
        shell("subjects", "import", str(faulty)),
        shell("subjects", "import", str(folder / "population.csv")),
        shell("subjects", "link", person.identity, "--level", "visit"),
        shell("poll", "--subject", person.identity),
        shell("poll"),
        shell("ledger"),
        shell("check"),
        shell("facilities", "silent"),
        shell("send-test", "--to", marked.people[2].email),
    ]
    (folder / "population.csv").write_text("\n".join(["# as_of: 2026-11-24T09:00:00+01:00", *lines[1:]]))
    said.append(shell("check"))
    other = folder / "other.keys"
    make_key_file(other)
    shell.environment["KALLELSE_KEYS"] = str(other)
    said.append(shell("poll"))

    assert {one.code for one in said} == {0, 1, 2}
    marked.overheard.elsewhere += [one.all for one in said]


def _wait_for_retention(marked: Marked) -> None:
    """The words are gone, the outcomes remain."""
    here = marked.here
    before = sorted(str(one.state) for one in here.deliveries())
    with here.wiring.sessions.reading() as session:
        assert session.exec(select(Wording)).first() is not None
    here.clock.forward(here.now + timedelta(days=8))
    while actors.drain(here.wiring, Kind.RETENTION):
        pass

    with here.wiring.sessions.reading() as session:
        assert session.exec(select(Wording)).all() == []
    assert sorted(str(one.state) for one in here.deliveries()) == before
