"""A scene whose texts hold a link to cancel and a code, the pages behind links on a real server, and what was kept."""

import http.client
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

from sqlmodel import col, select, update
from starlette.applications import Starlette
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from notifier import actions, replies
from notifier.actions import Acted, Looked, Press
from notifier.channels.inbound import ReceivedText
from notifier.web import actions as action_pages
from notifier.web.actions import ActionSite, Pressed
from store.audit import AuditEntry
from store.bookings import Booking
from store.deliveries import suppressions
from store.purposes import Purpose
from store.subjects import ContactKind
from store.templates import TemplateVersion
from store.visit_answers import VisitAnswer
from tests.notifier.conftest import Provider, Scene, facility_values, settings_with
from tests.notifier.web.test_hooks import served
from tests.people import ANNA
from worker.web.pages import Pages, language_of
from worker.web.security import SecurityHeaders, is_from_here

SITE = "https://kallelse.example.se"
WORDS = "Tid ((tider)). Avboka: ((avbokningslänk))((svarskod?? eller svara AVBOKA ((svarskod))))"
REAL_NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
FROM_HERE = {"Sec-Fetch-Site": "same-origin"}


@dataclass
class Page:
    status: int
    text: str = field(repr=False)
    headers: http.client.HTTPMessage

    @property
    def title(self) -> str:
        return re.findall(r"<h1>(.*?)</h1>", self.text)[0]


@dataclass
class Citizen:
    """Anna, her phone and her browser. `now` is business time, `real_now` the other."""

    scene: Scene
    provider: Provider
    now: datetime
    real_now: datetime = REAL_NOW
    port: int = 0
    texts_sent: int = 0

    def told(self, when: datetime) -> str:
        """The text that she has got by then."""
        self.now = when
        self.scene.plan(when)
        self.scene.send(self.provider.channels, when)
        return self.provider.texts[-1]

    def text(self, words: str, sender: str = str(ANNA.phone)) -> str:
        self.texts_sent += 1
        sid = f"SM{self.texts_sent:032}"
        came = ReceivedText("twilio", sid, sender, words, None, is_answered_by_provider=False)
        at = self.real_now + timedelta(minutes=self.texts_sent)
        return replies.take(self.scene.sessions, self.scene.vault, came, at, self.now, SITE)

    def asks(self, method: str, path: str, body: str = "", **headers: str) -> Page:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body or None, {"Content-Type": "application/x-www-form-urlencoded", **named})
        answer = connection.getresponse()
        page = Page(answer.status, answer.read().decode(), answer.headers)
        connection.close()
        return page

    def opens(self, path: str, **headers: str) -> Page:
        return self.asks("GET", path, **headers)

    def presses(self, path: str, **fields: str) -> Page:
        return self.asks("POST", path, urlencode(fields), **FROM_HERE)

    @property
    def answers(self) -> list[tuple[str, int, str]]:
        with self.scene.sessions.reading() as session:
            rows = session.exec(select(VisitAnswer).order_by(col(VisitAnswer.id)))
            return [(str(row.kind), row.time_version, row.way) for row in rows]

    @property
    def audit(self) -> list[tuple[str, str, str]]:
        with self.scene.sessions.reading() as session:
            rows = session.exec(select(AuditEntry).order_by(col(AuditEntry.id)))
            return [(row.actor, str(row.act), row.way) for row in rows]

    @property
    def bookings(self) -> list[dict[str, object]]:
        with self.scene.sessions.reading() as session:
            rows = session.exec(select(Booking).order_by(col(Booking.id))).all()
            return [{name: getattr(one, name) for name in Booking.model_fields} for one in rows]

    def spared(self, channel: str) -> set[Purpose]:
        kind, address = (ContactKind.PHONE, ANNA.phone) if channel == "sms" else (ContactKind.EMAIL, ANNA.email)
        digest = self.scene.vault.digest(kind, str(address))
        with self.scene.sessions.reading() as session:
            return {one for one in Purpose if (digest, channel) in suppressions(session, [digest], one)}

    @property
    def everything(self) -> object:
        """All that a look must not change."""
        return self.answers, self.audit, self.bookings, self.spared("sms"), self.spared("email")


def link_in(text: str) -> str:
    """The path of the only link."""
    (found,) = re.findall(SITE + r"(/a/[0-9A-Za-z]{22})(?![0-9A-Za-z])", text)
    return str(found)


@contextmanager
def citizen_at(scene: Scene, provider: Provider, now: datetime, words: str | None = WORDS) -> Iterator[Citizen]:
    """`words`: of every SMS; None: the shipped ones."""
    facility_values(scene, cancel_deadline="")
    settings_with(scene, site=SITE)
    if words is not None:
        with scene.sessions.writing() as session:
            session.exec(update(TemplateVersion).where(col(TemplateVersion.subject_line) == "").values(text=words))
    citizen = Citizen(scene, provider, now)

    def look(token: str) -> Looked:
        return actions.look(scene.sessions, scene.vault, token, citizen.real_now)

    def act(token: str, pressed: Pressed) -> Acted:
        press = Press(
            citizen.real_now, citizen.now, pressed.choice, pressed.is_one_click, pressed.seal, pressed.language
        )
        return actions.act(scene.sessions, scene.vault, token, press)

    pages = Pages(Path(action_pages.__file__).parent / "templates")
    site = ActionSite(look, act, pages.answer, language_of, is_from_here)
    secured = SecurityHeaders(Starlette(routes=action_pages.routes(site)))

    async def app(scope: AsgiScope, receive: Receive, send: Send) -> None:
        await secured(scope, receive, send)

    with served(app) as port:  # type: ignore[arg-type]
        citizen.port = port
        yield citizen
