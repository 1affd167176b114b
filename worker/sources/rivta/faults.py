"""What a refusal by the platform means to us: the table of VP001-VP014, other SOAP faults, and bare HTTP statuses.

Fault texts can hold identity numbers: they are read for their code and never repeated.
"""

import re

from lxml import etree

from worker.sources import SourceError, SourceGarbled, SourceRefused, SourceUnavailable

_MOST_EVIDENCE = 256_000  # bytes of an unreadable answer that are worth keeping
_WORTH_ASKING_AGAIN = {408, 425, 429}
_VP_CODE = re.compile(r"VP0(?:0[1-9]|1[0-4])(?![0-9])")

VP_MEANINGS: dict[str, tuple[type[SourceUnavailable | SourceRefused], str]] = {
    "VP001": (SourceRefused, "the platform finds no RIV version for the question; a setting of the connection"),
    "VP002": (SourceRefused, "our client certificate is not accepted"),
    "VP003": (SourceRefused, "the question lacks a logical address; a fault in Kallelse"),
    "VP004": (SourceRefused, "no route to that address: the facility is not connected; what is known is kept"),
    "VP005": (SourceRefused, "the facility's system does not support our RIV version"),
    "VP006": (SourceUnavailable, "the platform's own fault (address catalogue)"),
    "VP007": (SourceRefused, "we are not permitted to ask that address: the facility is not visible to us"),
    "VP008": (SourceUnavailable, "the platform's own fault (service catalogue out of reach)"),
    "VP009": (SourceUnavailable, "the platform cannot reach the facility's system"),
    "VP010": (SourceUnavailable, "the platform's own fault (service catalogue empty)"),
    "VP011": (SourceRefused, "we are not on the platform's list of callers, or did not call with TLS"),
    "VP012": (SourceUnavailable, "the platform's own fault (configuration or unexpected)"),
    "VP013": (SourceRefused, "we may not name an original consumer; a setting of the connection"),
    "VP014": (SourceRefused, "the platform's routes form a loop; alarm its operators"),
}
"""What each platform error means, and whether asking again can help (domain facts 3.3)."""


def error_of_fault(fault: etree._Element) -> SourceError:
    """The error that a SOAP 1.1 fault amounts to. The platform's fault texts begin with their code."""
    written = _VP_CODE.match((fault.findtext("faultstring") or "").strip())
    if written is None:
        return SourceUnavailable("fault", "the platform or the facility's system answered with a fault")
    kind, meaning = VP_MEANINGS[written[0]]
    return kind(written[0], meaning)


def error_of_status(status: int) -> SourceError:
    """The error that an HTTP status other than 200 amounts to, where no fault explains it."""
    code = f"http_{status}"
    if status >= 500 or status in _WORTH_ASKING_AGAIN:
        return SourceUnavailable(code, "the platform could not answer")
    if status >= 300:
        return SourceRefused(code, "the platform does not take the question: address, certificate or route is wrong")
    return SourceGarbled(code, "the platform took the question without answering it", b"")


def garbled(code: str, meaning: str, content: bytes | bytearray) -> SourceGarbled:
    """An unreadable answer, with as much of it as is worth keeping."""
    return SourceGarbled(code, meaning, bytes(content[:_MOST_EVIDENCE]))
