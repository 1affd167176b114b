"""From a request of somebody who has logged in to its answer: which method, which file's."""

from feeds.caldav import (
    access_control,
    answers,
    calendar_access,
    methods,
    principals,
    sync_collection,
    versioning,
    webdav,
)
from feeds.caldav.access_control import WRITES
from feeds.caldav.answers import Answer
from feeds.caldav.asked import Asked
from feeds.caldav.properties import Properties
from feeds.caldav.xml import Malformed

_PROPERTIES = Properties(
    (
        *webdav.PROPERTIES,
        *versioning.PROPERTIES,
        *access_control.PROPERTIES,
        *principals.PROPERTIES,
        *calendar_access.PROPERTIES,
        *sync_collection.PROPERTIES,
    )
)


def answer(asked: Asked) -> Answer:
    """Raises NotNow."""
    try:
        return _answer(asked)
    except Malformed as error:
        return answers.plain(400, str(error))


def _answer(asked: Asked) -> Answer:
    if asked.is_unmapped and asked.method not in WRITES:
        return answers.NOT_FOUND
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
    if asked.method == "OPTIONS":
        return methods.options(asked.resource.kind)
    return methods.not_allowed(asked.resource.kind)
