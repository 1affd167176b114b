"""A phone that texts: to the number of the provider whose message it answers, or which one it is told."""

from collections.abc import Callable, Mapping

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

_LONGEST_BODY = 1600

Bring = Callable[[str, str, str], tuple[str, int]]
"""Sender, text and a known id or nothing, to the text's id and the status of the hook's answer."""


class Phone:
    """Where texts are begun, by hand or by a test."""

    def __init__(self, providers: Mapping[str, Bring]) -> None:
        """The first is taken where none is named."""
        self._providers = providers

    @property
    def routes(self) -> list[Route]:
        return [Route("/inbound", self.receive, methods=["POST"])]

    async def receive(self, request: Request) -> Response:
        """A text, as JSON or from the phone's own page: `from`, `body`, `provider`, and `sid` to bring one a second
        time."""
        is_page = not request.headers.get("content-type", "").startswith("application/json")
        try:
            given = dict((await request.form()) if is_page else await request.json())
        except (ValueError, TypeError):
            return JSONResponse({"error": "a text is an object"}, status_code=422)
        sender, body = given.get("from"), given.get("body", "")
        if not isinstance(sender, str) or isinstance(body, UploadFile) or len(str(body)) > _LONGEST_BODY:
            return JSONResponse({"error": "a text has from and body"}, status_code=422)
        bring = self._providers.get(str(given.get("provider") or next(iter(self._providers))))
        if bring is None:
            return JSONResponse({"error": f"a provider is one of {', '.join(self._providers)}"}, status_code=422)
        sid, status = await run_in_threadpool(bring, sender, str(body), str(given.get("sid") or ""))
        if is_page:
            return RedirectResponse(f"/inbox?to={sender.replace('+', '%2B')}", status_code=303)
        return JSONResponse({"sid": sid, "hook_status": status})
