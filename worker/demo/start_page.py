"""The demo's start page: one citizen's calendar and phone beside the simulated care side, with buttons to try it by.

Shows names and never identity numbers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from feeds import adding, apple_profiles
from store.database import Sessions
from worker.clock import BusinessClock
from worker.demo import feed_reading, forwarding, start_page_view
from worker.demo.care_side import Answers, CareSide
from worker.demo.forwarding import Target
from worker.demo.people import Person
from worker.demo.progress import KeptAccount
from worker.demo.providers import RunningProviders
from worker.demo.region import RunningRegion
from worker.demo.region_state import Unknown
from worker.demo.start_page_texts import TEXTS
from worker.web.pages import LANGUAGES, Pages, language_of
from worker.web.security import is_from_here

_TEMPLATES = Path(__file__).parent / "templates"
_MOST_FIELDS = 10


@dataclass(frozen=True, slots=True)
class Desk:
    """What the page shows and moves. `feed_url`: the full address of the first citizen's calendar, `calendar_id`;
    `account`: its CalDAV account, at `account_url`."""

    sessions: Sessions
    clock: BusinessClock
    region: RunningRegion
    providers: RunningProviders
    subject_id: UUID
    calendar_id: UUID
    feed_url: str
    account_url: str
    account: KeptAccount
    poll_every: timedelta
    second_look_after: timedelta
    settles_in: timedelta

    @property
    def citizen(self) -> Person:
        return self.region.cast.first


class _NotUnderstood(ValueError):
    """A form that none of the page's buttons sends."""


def routes(desk: Desk) -> list[Route]:
    """The page at `/` and what its buttons post. The style sheet and script are `worker.web.pages.static()`'s."""
    page = _StartPage(desk)
    return [
        Route("/", page.show, methods=["GET"]),
        Route("/demo/profile", page.give_profile, methods=["GET"]),
        Route("/demo/account-profile", page.give_account_profile, methods=["GET"]),
        Route("/demo/time", _posted(page.forward), methods=["POST"]),
        Route("/demo/bookings", _posted(page.act_on_booking), methods=["POST"]),
        Route("/demo/systems", _posted(page.set_answers), methods=["POST"]),
    ]


class _StartPage:
    """Handlers. Those that act take a form and return what has been done and the section it shows in."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._care = CareSide(desk.region.state, desk.region.cast)
        self._pages = Pages(_TEMPLATES)

    def show(self, request: Request) -> Response:
        language = language_of(request)
        values = start_page_view.values(self._found(), TEXTS[language], language)
        return self._pages.answer("start.html", language, {**values, "done": request.query_params.get("done", "")})

    def give_profile(self, request: Request) -> Response:
        """The Apple profile, made for this request: it holds the secret address and is kept nowhere."""
        return _download(adding.apple_profile(self._desk.calendar_id, self._desk.feed_url, language_of(request)))

    def give_account_profile(self, request: Request) -> Response:
        desk = self._desk
        language = language_of(request)
        return _download(adding.apple_account_profile(desk.calendar_id, desk.account_url, desk.account.name, language))

    def forward(self, form: FormData) -> tuple[str, str]:
        target = Target(_field(form, "to"))
        now = self._desk.clock.now()
        with self._desk.sessions.reading() as session:
            at = forwarding.instants(session, self._desk.subject_id, now).get(target)
        if at is not None:
            self._desk.clock.forward(at)
        return "forwarded", "time"

    def act_on_booking(self, form: FormData) -> tuple[str, str]:
        act = _field(form, "act")
        if act == "book":
            self._care.book()
            return act, "care"
        acts = {
            "move": self._care.move,
            "new_id": self._care.move_by_new_id,
            "cancel": self._care.cancel,
            "restore": self._care.restore,
            "choose": self._care.book_invitation,
            "withdraw": self._care.withdraw,
        }
        if act not in acts:
            raise _NotUnderstood
        try:
            acts[act](_field(form, "booking"))
        except Unknown:
            return "missing", "care"
        return act, "care"

    def set_answers(self, form: FormData) -> tuple[str, str]:
        try:
            self._care.set_answers(_field(form, "address"), Answers(_field(form, "answers")))
        except Unknown:
            raise _NotUnderstood from None
        return "answers", "answering"

    def _found(self) -> start_page_view.Found:
        desk, now = self._desk, self._desk.clock.now()
        with desk.sessions.reading() as session:
            stored = start_page_view.read_stored(session, desk.subject_id, now)
        return start_page_view.Found(
            now=now,
            citizen=desk.citizen,
            feed_url=desk.feed_url,
            account_url=desk.account_url,
            account=desk.account,
            feed=feed_reading.fetch(desk.feed_url),
            messages=desk.providers.messages(),
            inbox_url=desk.providers.inbox_url,
            care=self._care,
            stored=stored,
            waits=(desk.poll_every, desk.second_look_after, desk.settles_in),
        )


def _download(profile: bytes) -> Response:
    headers = {
        "Content-Disposition": f'attachment; filename="{apple_profiles.FILE_NAME}"',
        "Cache-Control": "no-store",
    }
    return Response(profile, headers=headers, media_type=apple_profiles.CONTENT_TYPE)


def _posted(act: Callable[[FormData], tuple[str, str]]) -> Callable[[Request], object]:
    """A handler for a form from our own page: does it in a thread, then leads back to the page."""

    async def handle(request: Request) -> Response:
        if not is_from_here(request):
            return PlainTextResponse("This form was not sent from this page.", 403)
        async with request.form(max_fields=_MOST_FIELDS, max_files=0) as form:
            language = str(form.get("lang"))
            language = language if language in LANGUAGES else "sv"
            try:
                done, section = await run_in_threadpool(act, form)
            except ValueError:  # no such target, answer or button
                return PlainTextResponse(TEXTS[language].missing, 400)
        return RedirectResponse(f"/?lang={language}&done={done}#{section}", 303)

    return handle


def _field(form: FormData, name: str) -> str:
    value = form.get(name)
    if not isinstance(value, str):
        raise _NotUnderstood
    return value
