"""What calendar programs ask a CalDAV collection, and what its answers hold, whoever serves it."""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import httpx
from lxml import etree

from tests.bench.load import Request, WrongAnswer
from tests.bench.servers import Served

_NAMES = {"D": "DAV:", "C": "urn:ietf:params:xml:ns:caldav"}
_SPACES = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'
_PROPFIND = f"<D:propfind {_SPACES}><D:prop><D:resourcetype/><D:getcontenttype/><D:getetag/></D:prop></D:propfind>"
_SYNC = (
    f"<D:sync-collection {_SPACES}><D:sync-token>%s</D:sync-token><D:sync-level>1</D:sync-level>"
    "<D:prop><D:getetag/></D:prop></D:sync-collection>"
)
_MULTIGET = f"<C:calendar-multiget {_SPACES}><D:prop><D:getetag/><C:calendar-data/></D:prop>%s</C:calendar-multiget>"
_XML = {"content-type": "application/xml; charset=utf-8", "accept-encoding": "identity"}


@dataclass(frozen=True)
class Answer:
    """One multistatus: the visits in it, with those asked for but missing left out."""

    hrefs: list[str]
    token: str
    size: int


@dataclass(frozen=True)
class Collection:
    """A calendar on a running server."""

    served: Served
    path: str
    login: Mapping[str, str] = field(default_factory=dict, repr=False)

    def listing(self) -> Request:
        return self._request("PROPFIND", "1", _PROPFIND)

    def sync(self, token: str = "") -> Request:
        """What has changed since the token, or everything."""
        return self._request("REPORT", "0", _SYNC % token)

    def multiget(self, hrefs: Iterable[str]) -> Request:
        return self._request("REPORT", "0", _MULTIGET % "".join(f"<D:href>{href}</D:href>" for href in hrefs))

    def answer(self, request: Request) -> Answer:
        """Asked once, and read. Raises WrongAnswer."""
        address = f"http://127.0.0.1:{self.served.port}{request.path}"
        answer = httpx.request(
            request.method, address, headers=dict(request.headers), content=request.body, trust_env=False, timeout=60
        )
        if answer.status_code != request.status:
            raise WrongAnswer(f"{answer.status_code} to {request.method} {self.path}: {answer.text[:500]}")
        return _read(answer.content)

    def _request(self, method: str, depth: str, body: str) -> Request:
        return Request(self.path, {**_XML, **self.login, "depth": depth}, 207, method, body.encode())


def basic(name: str, password: str) -> dict[str, str]:
    return {"authorization": "Basic " + b64encode(f"{name}:{password}".encode()).decode()}


def _read(content: bytes) -> Answer:
    tree = etree.fromstring(content)
    found = "D:response[D:propstat[contains(D:status, ' 200 ')]/D:prop/D:getetag]/D:href/text()"
    hrefs = [str(href) for href in tree.xpath(found, namespaces=_NAMES) if not str(href).endswith("/")]
    return Answer(hrefs, tree.findtext("D:sync-token", "", _NAMES), len(content))
