"""From a request of somebody who has logged in to its answer: which method, which file's."""

from feeds.caldav import access_control, answers, calendar_access, sync_collection, versioning, webdav
from feeds.caldav.access_control import WRITES
from feeds.caldav.answers import ALLOWED_ON_CALENDARS, Answer
from feeds.caldav.asked import Asked
from feeds.caldav.properties import Properties
from feeds.caldav.xml import Malformed

_PROPERTIES = Properties(
    (
        *webdav.PROPERTIES,
        *versioning.PROPERTIES,
        *access_control.PROPERTIES,
        *calendar_access.PROPERTIES,
        *sync_collection.PROPERTIES,
    )
)
_NOT_ALLOWED = answers.plain(405, "Method Not Allowed", (b"allow", ALLOWED_ON_CALENDARS))


def answer(asked: Asked) -> Answer:
    """Raises NotNow."""
    try:
        return _answer(asked)
    except Malformed as error:
        return answers.plain(400, str(error))


def _answer(asked: Asked) -> Answer:
    if asked.method == "PROPFIND":
        return webdav.propfind(asked, _PROPERTIES)
    if asked.method == "REPORT":
        return versioning.report(asked, _PROPERTIES)
    if asked.method in ("GET", "HEAD"):
        return webdav.get(asked)
    if asked.method == "PROPPATCH":
        return webdav.proppatch(asked)
    if asked.method in WRITES:
        return access_control.refuse_write(asked)
    return _NOT_ALLOWED
