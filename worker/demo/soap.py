"""SOAP 1.1 as the national platform speaks it (RIV-TA BP 2.1): what its contracts share. Written from the contracts
alone; must know nothing of how Kallelse reads the same messages."""

from collections.abc import Mapping

from lxml import etree

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
REGISTRY = "urn:riv:itintegration:registry:1"
HEADERS = "urn:riv:interoperability:headers:1"

_ACTOR_TYPES = ("subject_of_care", "subject_of_care_agent")


class SoapFault(Exception):
    """A question that gets a SOAP fault: `code` as in SOAP 1.1; `text` begins with the platform's own code, if any."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


def fault_answer(fault: SoapFault) -> bytes:
    """To be sent with HTTP status 500 (SOAP 1.1, 6.2)."""
    envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soapenv": SOAP})
    body = etree.SubElement(envelope, f"{{{SOAP}}}Body")
    element = etree.SubElement(body, f"{{{SOAP}}}Fault")
    etree.SubElement(element, "faultcode").text = f"soapenv:{fault.code}"
    etree.SubElement(element, "faultstring").text = fault.text
    return serialised(envelope)


def read_envelope(message: bytes) -> etree._Element:
    """Raises SoapFault."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.fromstring(message, parser)
    except etree.XMLSyntaxError:
        raise SoapFault("Client", "The message is not well-formed XML.") from None


def address_of(envelope: etree._Element) -> str:
    """The logical address. Raises SoapFault as the platform would: VP003."""
    address = text_of(envelope, f"{{{SOAP}}}Header/{{{REGISTRY}}}LogicalAddress")
    if not address:
        raise SoapFault("Server", "VP003 No LogicalAddress found in message header.")
    return address


def check_actor(envelope: etree._Element) -> None:
    """Raises SoapFault where the header is missing that scheduling 1.1 demands."""
    actor = f"{{{SOAP}}}Header/{{{HEADERS}}}Actor"
    if not text_of(envelope, f"{actor}/{{{HEADERS}}}actorId"):
        raise SoapFault("Client", "The header Actor with actorId is missing.")
    if text_of(envelope, f"{actor}/{{{HEADERS}}}actorType") not in _ACTOR_TYPES:
        raise SoapFault("Client", "The header Actor has no known actorType.")


def payload_text(envelope: etree._Element, contract: str, responder: str, name: str) -> str:
    """A field of the question. Raises SoapFault where it is missing."""
    text = text_of(envelope, f"{{{SOAP}}}Body/{{{responder}}}{contract}/{{{responder}}}{name}")
    if not text:
        raise SoapFault("Client", f"The message lacks {name}.")
    return text


def text_of(parent: etree._Element, path: str) -> str:
    return (parent.findtext(path) or "").strip()


def new_envelope(prefixes: Mapping[str, str]) -> etree._Element:
    return etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soapenv": SOAP, **prefixes})


def serialised(envelope: etree._Element) -> bytes:
    return etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")
