"""Pages behind the links in messages. Opening one shows and changes nothing, whoever opens it: mail programs and
scanners follow every link. The button on it acts, once.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol
from urllib.parse import parse_qsl

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from notifier.actions import Acted, LinkState, Looked, Outcome
from notifier.linked_visits import ShownVisit
from notifier.spoken_times import moment
from notifier.web import action_texts
from notifier.web.action_texts import Words
from notifier.web.reading_page import reading_page
from store.database import DatabaseError
from store.link_actions import LinkAction
from store.vault import Unsealable

_log = structlog.get_logger(__name__)
_LONGEST_BODY = 8 * 1024
_STATUS = {LinkState.OPEN: 200, LinkState.USED: 410, LinkState.EXPIRED: 410, LinkState.UNKNOWN: 404}
_HEADERS = {
    "X-Robots-Tag": "noindex, nofollow",
    # The token stays with us, and older browsers still say that the form is ours: no-referrer makes them say `null`.
    "Referrer-Policy": "same-origin",
}


class Renders(Protocol):
    """Makes a page of a template and its values."""

    def __call__(
        self, template: str, language: str, values: Mapping[str, object], *, status: int = 200
    ) -> Response: ...


@dataclass(frozen=True, slots=True)
class Pressed:
    """A form as it came."""

    choice: str
    is_one_click: bool
    seal: str = ""  # of the texts that were read
    language: str = ""  # asked for in the address


@dataclass(frozen=True, slots=True)
class ActionSite:
    """What the pages are given. `look` and `act` are called in a thread; `language_of` is the browser's wish,
    `is_from_here` whether a form was sent from a page of ours."""

    look: Callable[[str], Looked]
    act: Callable[[str, Pressed], Acted]
    render: Renders
    language_of: Callable[[Request], str]
    is_from_here: Callable[[Request], bool]


def routes(site: ActionSite) -> list[Route]:
    """`/a/{token}`: GET and HEAD show, POST acts."""
    pages = _ActionPages(site)
    return [
        Route("/a/{token}", _answering(site, pages.show), methods=["GET"]),
        Route("/a/{token}", _answering(site, pages.press), methods=["POST"]),
    ]


class _ActionPages:
    def __init__(self, site: ActionSite) -> None:
        self._site = site

    async def show(self, request: Request) -> Response:
        looked = await run_in_threadpool(self._site.look, request.path_params["token"])
        return self._before(request, looked)

    async def press(self, request: Request) -> Response:
        token, pressed = request.path_params["token"], await _form(request)
        looked = await run_in_threadpool(self._site.look, token)
        one_click = pressed.is_one_click and looked.action == LinkAction.UNSUBSCRIBE
        if looked.state == LinkState.UNKNOWN:
            return self._before(request, looked)
        if not one_click and not self._site.is_from_here(request):
            language = self._language(request, looked)
            return self._page(action_texts.NOT_FROM_HERE[language], language, 403)
        asked = self._site.language_of(request) if "lang" in request.query_params else ""
        pressed = replace(pressed, is_one_click=one_click, language=asked)
        acted = await run_in_threadpool(self._site.act, token, pressed)
        return self._after(request, acted)

    def _before(self, request: Request, looked: Looked) -> Response:
        language = self._language(request, looked)
        words = action_texts.before(looked, language)
        other = None
        if looked.state == LinkState.UNKNOWN:  # whose it is, and so in which language, nobody knows
            second = "sv" if language == "en" else "en"
            other = {"language": second, "t": action_texts.before(looked, second)}
        return self._page(words, language, _STATUS[looked.state], other=other, way_back=looked.start)

    def _after(self, request: Request, acted: Acted) -> Response:
        if acted.outcome == Outcome.CLOSED:
            return self._before(request, acted.looked)
        language = self._language(request, acted.looked)
        words = replace(action_texts.after(acted, language), call=action_texts.call(language))
        if acted.reading is not None:
            return self._page(words, language, 200, reading=reading_page(acted.reading, language), call=words.call)
        visits = [_shown(acted, one, language) for one in acted.visits]
        return self._page(words, language, 200, visits=visits, way_back=acted.looked.start)

    def _language(self, request: Request, looked: Looked) -> str:
        """The citizen's, unless the page's own link to the other language was followed."""
        if "lang" in request.query_params or not looked.language:
            return self._site.language_of(request)
        return "en" if looked.language == "en" else "sv"

    def _page(self, words: Words, language: str, status: int, **values: object) -> Response:
        given = {"t": words, "visits": (), "way_back": "", "other": None, **values}
        template = "reading.html" if "reading" in values else "action.html"
        response = self._site.render(template, language, given, status=status)
        response.headers.update(_HEADERS)
        return response


def _shown(acted: Acted, visit: ShownVisit, language: str) -> dict[str, str]:
    """A visit as the page shows it. What has changed is told without its time, which is not the one that was told."""
    is_choice = acted.outcome == Outcome.CHOOSE
    tells_time = acted.outcome != Outcome.CHANGED
    action = acted.looked.action
    is_asked = action == LinkAction.CANCEL and acted.outcome == Outcome.DONE
    by = moment(visit.deadline_at, language) if is_asked and visit.deadline_at is not None else ""
    return {
        "when": moment(visit.start_at, language) if tells_time else "",
        "clinic": visit.clinic,
        "phone": "" if is_choice else visit.phone,
        "deadline": action_texts.BY[language].format(by) if by else "",
        "choice": visit.choice,
        "button": action_texts.CHOOSE_BUTTON[action][language] if is_choice and action is not None else "",
    }


def _answering(
    site: ActionSite, answer: Callable[[Request], Awaitable[Response]]
) -> Callable[[Request], Awaitable[Response]]:
    async def answered(request: Request) -> Response:
        try:
            return await answer(request)
        except ClientDisconnect:
            return Response(status_code=400)
        except (DatabaseError, Unsealable) as error:
            _log.error("action_not_answered", error=type(error).__name__)
            language = site.language_of(request)
            values = {"t": action_texts.NOT_NOW[language], "visits": (), "way_back": "", "other": None}
            return site.render("action.html", language, values, status=503)

    return answered


async def _form(request: Request) -> Pressed:
    """What our own button sends, or a mail program for its reader (RFC 8058: either kind of form). Anything else is an
    empty form."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_BODY:
            return Pressed("", is_one_click=False)
    text = body.decode("latin-1")
    if request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        return Pressed("", 'name="List-Unsubscribe"' in text and "One-Click" in text)
    fields = dict(parse_qsl(text, max_num_fields=10) if text.count("&") < 10 else ())
    is_one_click = fields.get("List-Unsubscribe") == "One-Click"
    return Pressed(fields.get("visit", ""), is_one_click, fields.get("seal", ""))
