"""The service contracts we speak, by their names and namespaces (RIV-TA BP 2.1). Knows no message."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Contract:
    """One service contract."""

    name: str
    responder: str  # the namespace of its messages
    action: str  # SOAPAction
    response: str  # the tag of an answer's payload


def _contract(domain: str, name: str) -> Contract:
    responder = f"{domain}:{name}Responder:1"
    return Contract(name, responder, f"{responder}:{name}", f"{{{responder}}}{name}Response")


SCHEDULE = _contract("urn:riv:crm:scheduling", "GetSubjectOfCareSchedule")
DETAILS = _contract("urn:riv:crm:scheduling", "GetBookingDetails")
INDEX = _contract("urn:riv:itintegration:engagementindex", "FindContent")

CONTRACTS = (SCHEDULE, DETAILS, INDEX)
