"""What of a component a report gives: calendar-data, RFC 4791 9.6."""

from dataclasses import dataclass

from lxml import etree

from feeds.caldav import xml
from feeds.caldav.xml import CALDAV

NAME = f"{CALDAV}calendar-data"
_OPENING, _CLOSING = "<C:calendar-data>", "</C:calendar-data>"


class Unsupported(Exception):
    """Another media type or version than ours is asked for (RFC 4791 5.2.4, supported-calendar-data)."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What is wanted of each component: all of it."""

    def element(self, content: bytes) -> str:
        return f"{_OPENING}{xml.escape(content.decode())}{_CLOSING}"


def selection_in(element: etree._Element) -> Selection:
    """Raises Unsupported and Malformed."""
    if (
        element.get("content-type", "text/calendar").lower() != "text/calendar"
        or element.get("version", "2.0") != "2.0"
    ):
        raise Unsupported
    return Selection()
