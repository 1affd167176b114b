"""The words of Twilio's messaging API: message resources, lists, errors and signed status callbacks, as data.

Written from the provider's documentation. Must know nothing of our channel, nor use the provider's SDK.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from worker.demo.accepted import Message

VERSION = "2010-04-01"
_ERRORS = {
    20003: (401, "Authenticate"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "An internal server error has occurred"),
    21211: (400, "The 'To' number is not a valid phone number."),
    21408: (400, "Permission to send an SMS has not been enabled for the region indicated by the 'To' number."),
    21602: (400, "A 'Body', 'MediaUrl' or 'ContentSid' is required."),
    21603: (400, "A 'From' phone number is required."),
    21604: (400, "A 'To' phone number is required."),
    21609: (400, "The 'StatusCallback' URL is not a valid URL."),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21612: (400, "Message cannot be sent with the current combination of 'To' and/or 'From' parameters."),
    21614: (400, "'To' number is not a valid mobile number"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
    21624: (400, "The ValidityPeriod is out of range."),
}


def error(code: int) -> tuple[int, dict[str, Any]]:
    """HTTP status and body of an error."""
    status, text = _ERRORS[code]
    more_info = f"https://www.twilio.com/docs/errors/{code}"
    return status, {"code": code, "message": text, "more_info": more_info, "status": status}


def resource(message: Message) -> dict[str, Any]:
    """A message as JSON. Where a messaging service chooses the sender, that and the parts are known once it is sent."""
    account = message.details["account_sid"]
    uri = f"/{VERSION}/Accounts/{account}/Messages/{message.id}"
    service = message.details.get("messaging_service_sid")
    is_open = bool(service) and message.sent_at is None
    return {
        "account_sid": account,
        "api_version": VERSION,
        "body": message.body,
        "date_created": _date(message.taken_at),
        "date_sent": _date(message.sent_at) if message.sent_at else None,
        "date_updated": _date(message.sent_at or message.taken_at),
        "direction": message.details.get("direction", "outbound-api"),
        "error_code": message.error_code,
        "error_message": None,
        "from": None if is_open else message.details["from"],
        "messaging_service_sid": service,
        "num_media": "0",
        "num_segments": "0" if is_open else str(message.segments),
        "price": None,
        "price_unit": "USD",
        "sid": message.id,
        "status": message.status,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": message.to,
        "uri": f"{uri}.json",
    }


def callback_fields(message: Message) -> dict[str, str]:
    """The form of a status callback."""
    fields = {
        "AccountSid": message.details["account_sid"],
        "ApiVersion": VERSION,
        "From": message.details["from"],
        "MessageSid": message.id,
        "MessageStatus": message.status,
        "SmsSid": message.id,
        "SmsStatus": message.status,
        "To": message.to,
    }
    if "messaging_service_sid" in message.details:
        fields["MessagingServiceSid"] = message.details["messaging_service_sid"]
    return fields if message.error_code is None else {**fields, "ErrorCode": str(message.error_code)}


def signature(token: str, url: str, fields: Mapping[str, str]) -> str:
    """X-Twilio-Signature: HMAC-SHA1 over the URL followed by each field's name and value, sorted by name."""
    signed = url + "".join(name + fields[name] for name in sorted(fields))
    return base64.b64encode(hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()).decode()


def _date(at: datetime) -> str:
    return format_datetime(at.replace(microsecond=0))
