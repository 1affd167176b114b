"""The addresses that feeds answers, put in front of an application by whoever assembles the web."""

from feeds.serving import Serving
from feeds.web.ics import App, Feeds
from store.database import Sessions
from store.vault import Vault


def in_front_of(inner: App, sessions: Sessions, vault: Vault) -> Feeds:
    """Answers `/f/...` itself, without the framework's router and middleware, and passes the rest on (lifespan too).

    Close it after the server has stopped.
    """
    return Feeds(inner, Serving(sessions, vault))
