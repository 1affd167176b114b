"""SOAP answers written as text, by the published contracts and not by our own code."""

from html import escape

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
HEADERS = "urn:riv:interoperability:headers:1"
RESPONDER = "urn:riv:crm:scheduling:GetSubjectOfCareScheduleResponder:1"
DETAILS = "urn:riv:crm:scheduling:GetBookingDetailsResponder:1"
INDEX = "urn:riv:itintegration:engagementindex:FindContentResponder:1"

_ORDER = (
    "startTimeInclusive endTimeExclusive healthcare_facility performer bookingId subject_of_care purpose reason "
    "resourceName healthcare_facility_name performerName resourceID timeTypeName timeTypeID careTypeName careTypeID "
    "cancel_booking_allowed rebooking_allowed message_allowed"
)

_FROM_SOURCE = "<h:isResponseFromCache>false</h:isResponseFromCache><h:isResponseInSynch>true</h:isResponseInSynch>"
_FAILED = "<h:isResponseFromCache>false</h:isResponseFromCache><h:isResponseInSynch>false</h:isResponseInSynch>"


def slot(subject: str | None, **said: str | None) -> str:
    """One timeslotDetail. A field said to be None is left out; `isInvitation` is in a namespace of its own."""
    fields: dict[str, str | None] = {
        "startTimeInclusive": "20261201133000",
        "endTimeExclusive": "20261201140000",
        "healthcare_facility": "SE2321000016-1A2B",
        "bookingId": "1001",
        "subject_of_care": subject,
    } | said
    inner = "".join(
        f"<{name}>{escape(text)}</{name}>" for name in _ORDER.split() if (text := fields.get(name)) is not None
    )
    invitation = fields.get("isInvitation")
    if invitation is not None:
        inner += f"<e:isInvitation>{invitation}</e:isInvitation>"
    return f"<r:timeslotDetail>{inner}</r:timeslotDetail>"


def status(address: str | None, code: str = "DataFromSource") -> str:
    """One record of the ProcessingStatus header."""
    named = "" if address is None else f"<h:logicalAddress>{address}</h:logicalAddress>"
    facts = _FROM_SOURCE if code == "DataFromSource" else _FAILED
    stamp = "<h:lastSuccessfulSynch>20261123010000</h:lastSuccessfulSynch>"
    return f"<h:ProcessingStatusList>{named}<h:statusCode>{code}</h:statusCode>{facts}{stamp}</h:ProcessingStatusList>"


def response(*slots: str) -> str:
    return (
        f'<r:GetSubjectOfCareScheduleResponse xmlns:r="{RESPONDER}" xmlns="urn:riv:crm:scheduling:1"'
        f' xmlns:e="urn:riv:crm:scheduling:1.1">{"".join(slots)}</r:GetSubjectOfCareScheduleResponse>'
    )


def processing_status(*records: str) -> str:
    return f'<h:ProcessingStatus xmlns:h="{HEADERS}">{"".join(records)}</h:ProcessingStatus>'


def envelope(body: str, header: str = "") -> bytes:
    head = f"<s:Header>{header}</s:Header>" if header else ""
    return f'<s:Envelope xmlns:s="{SOAP}">{head}<s:Body>{body}</s:Body></s:Envelope>'.encode()


def aggregated(slots: list[str], records: list[str]) -> bytes:
    """What the aggregating service answers."""
    return envelope(response(*slots), processing_status(*records))


def direct(*slots: str) -> bytes:
    """What a facility's own system answers."""
    return envelope(response(*slots))


def details(*slots: str) -> bytes:
    """What a facility answers about one booking or invitation. Its slots are a schedule's, in their own namespace."""
    inner = "".join(slots)
    return envelope(
        f'<r:GetBookingDetailsResponse xmlns:r="{DETAILS}" xmlns="urn:riv:crm:scheduling:1"'
        f' xmlns:e="urn:riv:crm:scheduling:1.1">{inner}</r:GetBookingDetailsResponse>'
    )


def record(subject: str, **said: str | None) -> str:
    """One record of the engagement index. A field said to be None is left out."""
    fields: dict[str, str | None] = {
        "registeredResidentIdentification": subject,
        "serviceDomain": "riv:crm:scheduling",
        "categorization": "Invitation",
        "logicalAddress": "SE2321000016-1A2B",
        "businessObjectInstanceIdentifier": "K1",
        "clinicalProcessInterestId": "NA",
        "mostRecentContent": "20270115000000",
        "sourceSystem": "SE2321000016-SYS",
        "dataController": "SE2321000016-SYS",
        "owner": "5565594230",
    } | said
    inner = "".join(f"<c:{name}>{escape(text)}</c:{name}>" for name, text in fields.items() if text is not None)
    return f"<r:engagement>{inner}</r:engagement>"


def index(*records: str) -> bytes:
    return envelope(
        f'<r:FindContentResponse xmlns:r="{INDEX}" xmlns:c="urn:riv:itintegration:engagementindex:1">'
        f"{''.join(records)}</r:FindContentResponse>"
    )


def fault(text: str) -> bytes:
    return envelope(f"<s:Fault><faultcode>s:Server</faultcode><faultstring>{escape(text)}</faultstring></s:Fault>")
