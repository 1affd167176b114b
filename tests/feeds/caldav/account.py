"""A CalDAV account in a real database, asked as a server asks us: through the ASGI callable, without a network."""

import asyncio
import base64
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from feeds.caldav.reading import Reading
from feeds.subscribing import NewDevice, make_device
from feeds.web.dav import Dav
from tests.feeds.world import DAY, World

NAMES = {
    "D": "DAV:",
    "C": "urn:ietf:params:xml:ns:caldav",
    "CS": "http://calendarserver.org/ns/",
    "A": "http://apple.com/ns/ical/",
}
_DECLARED = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMES.items())


def body(tag: str, content: str) -> bytes:
    """A request body, with the usual prefixes declared: body("D:propfind", "<D:allprop/>")."""
    return f'<?xml version="1.0" encoding="utf-8"?><{tag} {_DECLARED}>{content}</{tag}>'.encode()


def props(*names: str) -> str:
    return f"<D:prop>{''.join(f'<{name}/>' for name in names)}</D:prop>"


@dataclass
class Said:
    """An answer."""

    status: int
    headers: dict[str, str]
    content: bytes = field(repr=False)

    @property
    def xml(self) -> etree._Element:
        return etree.fromstring(self.content)

    def all(self, path: str) -> list[Any]:
        """What an XPath with the usual prefixes finds."""
        return self.xml.xpath(path, namespaces=NAMES)

    def texts(self, path: str) -> list[str]:
        return [one if isinstance(one, str) else "".join(one.itertext()) for one in self.all(path)]

    def condition(self) -> list[str]:
        """The names in a DAV:error."""
        assert self.xml.tag == "{DAV:}error"
        return [etree.QName(one).localname for one in self.xml]

    def statuses(self) -> dict[str, str]:
        """What each response says of its resource as a whole, by href."""
        return {
            one.findtext("D:href", namespaces=NAMES): one.findtext("D:status", namespaces=NAMES) or ""
            for one in self.all("/D:multistatus/D:response")
        }

    def found(self, href: str) -> dict[str, etree._Element]:
        """The properties told with status 200 for one resource, by local name."""
        return self._propstat(href, "200")

    def missing(self, href: str) -> set[str]:
        return set(self._propstat(href, "404"))

    def _propstat(self, href: str, status: str) -> dict[str, etree._Element]:
        found = self.all(
            f"/D:multistatus/D:response[D:href='{href}']/D:propstat[contains(D:status, ' {status} ')]/D:prop/*"
        )
        return {etree.QName(one).localname: one for one in found}

    @property
    def token(self) -> str:
        (found,) = self.texts("/D:multistatus/D:sync-token")
        return found


class Account:
    """One device of Anna's."""

    def __init__(self, world: World) -> None:
        self.world = world
        with world.sessions.writing() as session:
            self.device: NewDevice = make_device(session, world.vault, world.calendar_id, "Telefon", world.now)
        self.dav = Dav(_inner, Reading(world.sessions, world.vault))
        self.visits = f"/dav/calendars/{self.device.account}/visits/"
        self.invitations = f"/dav/calendars/{self.device.account}/invitations/"
        self.home = f"/dav/calendars/{self.device.account}/"
        self.principal = f"/dav/principals/{self.device.account}/"

    def ask(self, method: str, path: str, content: bytes = b"", **headers: str) -> Said:
        """Logged in, unless an `authorization` says otherwise."""
        given = {"authorization": self.authorization, **headers}
        lines = [(name.replace("_", "-").encode(), text.encode("latin-1")) for name, text in given.items() if text]
        return self.ask_raw(method, path.encode("latin-1"), lines, content)

    @property
    def authorization(self) -> str:
        credentials = f"{self.device.account}:{self.device.password}".encode()
        return f"Basic {base64.b64encode(credentials).decode()}"

    def ask_raw(self, method: str, path: bytes, headers: list[tuple[bytes, bytes]], content: bytes = b"") -> Said:
        scope = {
            "type": "http",
            "method": method,
            "path": path.decode("latin-1"),
            "raw_path": path,
            "query_string": b"",
            "headers": headers,
            "client": ("127.0.0.1", 1),
        }
        return asyncio.run(self._asked(scope, content))

    def propfind(self, path: str, content: str = "<D:allprop/>", **headers: str) -> Said:
        return self.ask("PROPFIND", path, body("D:propfind", content), **{"depth": "0", **headers})

    def report(self, path: str, tag: str, content: str, **headers: str) -> Said:
        return self.ask("REPORT", path, body(tag, content), **headers)

    def sync(self, token: str = "", *, limit: int | None = None, prop: str = "<D:getetag/>", path: str = "") -> Said:
        limited = f"<D:limit><D:nresults>{limit}</D:nresults></D:limit>" if limit else ""
        content = f"<D:sync-token>{token}</D:sync-token><D:sync-level>1</D:sync-level>{limited}<D:prop>{prop}</D:prop>"
        return self.report(path or self.visits, "D:sync-collection", content)

    def hrefs(self) -> list[str]:
        """The visits' addresses, by start."""
        said = self.propfind(self.visits, props("D:getetag"), depth="1")
        return [one for one in said.texts("/D:multistatus/D:response/D:href") if one != self.visits]

    def close(self) -> None:
        self.dav.close()

    async def _asked(self, scope: dict[str, Any], content: bytes) -> Said:
        sent: list[MutableMapping[str, Any]] = []
        received = [{"type": "http.request", "body": content, "more_body": False}]

        async def receive() -> MutableMapping[str, Any]:
            return received.pop(0)

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        await self.dav(scope, receive, send)
        headers = {name.decode(): text.decode() for name, text in sent[0]["headers"]}
        return Said(sent[0]["status"], headers, b"".join(one.get("body", b"") for one in sent[1:]))


def with_three_visits(world: World) -> Account:
    """A day apart, from tomorrow on."""
    for day in (1, 2, 3):
        world.add(world.now + day * DAY)
    world.open()
    return Account(world)


async def _inner(_scope: Any, _receive: Any, send: Any) -> None:
    """Stands where the framework stands."""
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": b"inner"})
