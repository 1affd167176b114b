"""The addresses that feeds answers, put in front of an application by whoever assembles the web."""

from feeds.caldav.reading import Reading
from feeds.serving import Serving
from feeds.web.dav import Dav
from feeds.web.ics import App, Feeds, Receive, Scope, Send
from store.database import Sessions
from store.vault import Vault


class Front:
    """Calendars in front of an application. Close it after the server has stopped."""

    def __init__(self, inner: App, serving: Serving, reading: Reading) -> None:
        self._dav = Dav(inner, reading)
        self._feeds = Feeds(self._dav, serving)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.answer(scope, receive, send)

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> int | None:
        """Tells the status too, if `inner` tells that of its answers; a web server takes no word back."""
        return await self._feeds(scope, receive, send)

    def close(self) -> None:
        self._feeds.close()
        self._dav.close()


def in_front_of(inner: App, sessions: Sessions, vault: Vault) -> Front:
    """Answers `/f/...` and `/dav/...` itself, without the framework's router and middleware, and passes the rest on
    (lifespan too)."""
    return Front(inner, Serving(sessions, vault), Reading(sessions, vault))
