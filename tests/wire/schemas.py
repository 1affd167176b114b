"""The published schemas, with the one pattern mended that no real message satisfies (^ and $ are literal in XSD)."""

from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree

_BROKEN = b'value="^[0-9]{8}[0-9pPtTfF][0-9]{3}$"'
_MENDED = b'value="[0-9]{8}[0-9pPtTfF][0-9]{3}"'

SCHEDULING = "riv-crm-scheduling-1.1"
INTERACTION = f"{SCHEDULING}/interactions/GetSubjectOfCareScheduleInteraction"
BODY = f"{INTERACTION}/GetSubjectOfCareScheduleResponder_1.1.xsd"
WSDL = f"{INTERACTION}/GetSubjectOfCareScheduleInteraction_1.1_RIVTABP21.wsdl"
DETAILS = f"{SCHEDULING}/interactions/GetBookingDetailsInteraction"
DETAILS_BODY = f"{DETAILS}/GetBookingDetailsResponder_1.1.xsd"
DETAILS_WSDL = f"{DETAILS}/GetBookingDetailsInteraction_1.1_RIVTABP21.wsdl"
INDEX = "riv-itintegration-engagementindex-1.0/interactions/FindContentInteraction"
INDEX_BODY = f"{INDEX}/FindContentResponder_1.0.xsd"
INDEX_WSDL = f"{INDEX}/FindContentInteraction_1.0_RIVTABP21.wsdl"
HEADERS = f"{SCHEDULING}/core_components/interoperability_headers_1.0.xsd"
REGISTRY = f"{SCHEDULING}/core_components/itintegration_registry_1.0.xsd"


class _Mending(etree.Resolver):
    def resolve(self, system_url: str, public_id: str, context: Any) -> Any:
        content = Path(system_url.removeprefix("file://")).read_bytes().replace(_BROKEN, _MENDED)
        return self.resolve_string(content, context, base_url=system_url)


@cache
def schema(path: Path) -> etree.XMLSchema:
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(_Mending())
    return etree.XMLSchema(etree.parse(str(path), parser))


def faults_of(element: etree._Element, path: Path) -> list[str]:
    """What the schema finds wrong with the element; empty where it is valid."""
    checked = schema(path)
    checked.validate(element)
    return [entry.message for entry in checked.error_log]
