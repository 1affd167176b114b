"""The bytes of one e-mail: pure, knows no server. Outside text never reaches a header line as it came."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from notifier.channels import Message

_LONGEST_SUBJECT = 150
_LONGEST_ADDRESS = 254  # RFC 5321, 4.5.3.1.3, less the angle brackets
# What a host can be asked to deliver to: a dot-atom at a registered name. No quoted local parts, no literals, no
# localhost; names with å ä ö come in their ASCII form.
_ADDRESS = re.compile(
    r"(?P<local>[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*)"
    r"@(?P<domain>([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9])"
)
_LONGEST_LOCAL = 64
_OWN_HTTPS = re.compile(r"https://[!-;=?-~]{1,900}")  # no space, no angle bracket
_OWN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_DIRECTION_MARKS = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class InvalidAddress(ValueError):
    """An e-mail address that cannot be used. The message never repeats it."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One e-mail as it goes over the wire: CRLF lines, seven bits."""

    message_id: str  # without angle brackets
    to: str = field(repr=False)
    content: bytes = field(repr=False)


def build(message: Message, sender: Address) -> Mail:
    """The e-mail for a message: its text, and its HTML where it has one. Raises InvalidAddress, or ValueError where a
    text cannot stand in an e-mail."""
    to = checked_address(message.to)
    if not _OWN_ID.fullmatch(message.delivery_id):
        raise ValueError("the delivery's id cannot stand in a Message-ID")
    message_id = f"{message.delivery_id}@{sender.domain}"
    mail = EmailMessage(policy=policy.SMTP)
    mail.set_content(message.text, cte="quoted-printable")
    if message.html:
        mail.add_alternative(message.html, subtype="html", cte="quoted-printable")
    # After the content: adding HTML moves any Content-... header down to the text's own part.
    headers = {
        "From": sender,
        "To": Address(addr_spec=to),
        "Subject": subject_line(message.subject_line),
        "Date": format_datetime(message.now.astimezone(UTC)),
        "Message-ID": f"<{message_id}>",  # the same over attempts, so that mail stores can fold copies
        "Auto-Submitted": "auto-generated",  # RFC 3834: nobody's absence notice answers it
        "Content-Language": message.language,
    }
    for name, value in headers.items():
        mail[name] = value
    return Mail(message_id, to, _checked(mail, _one_click(message.unsubscribe_url)))


def checked_address(text: str) -> str:
    """The address, when it is one that can be delivered to and holds nothing else. Raises InvalidAddress."""
    match = _ADDRESS.fullmatch(text) if len(text) <= _LONGEST_ADDRESS else None
    if match is None or len(match["local"]) > _LONGEST_LOCAL:
        raise InvalidAddress("the e-mail address is not one that can be delivered to")
    if "=?" in text:
        raise InvalidAddress("the e-mail address holds an encoded word")
    return text


def sender_address(name: str, address: str) -> Address:
    """The From of all e-mail. Raises ValueError where a setting cannot stand in a header."""
    local, _, domain = checked_address(address).rpartition("@")
    if name != subject_line(name):
        raise ValueError("the sender's name must be one line of plain text")
    return Address(display_name=name, username=local, domain=domain)


def subject_line(text: str) -> str:
    """One line of at most 150 characters. Encoded words are broken up: the standard library would decode them, and
    a line break inside one would begin a header of its own."""
    visible = "".join(_visible(char) for char in text)
    return " ".join(visible.split())[:_LONGEST_SUBJECT].replace("=?", "= ?").strip()


def _visible(char: str) -> str:
    category = unicodedata.category(char)
    if category in ("Cc", "Zl", "Zp"):
        return " "
    return "" if category == "Cs" or char in _DIRECTION_MARKS else char


def _one_click(url: str) -> dict[str, str]:
    """The button of mail programs (RFC 8058): only over HTTPS, as the RFC demands. The relay must sign both headers."""
    if not _OWN_HTTPS.fullmatch(url):
        return {}
    return {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def _checked(mail: EmailMessage, in_front: Mapping[str, str]) -> bytes:
    """The bytes, when they hold just the headers that were set and only whole line ends. Those `in_front` go as they
    are: the standard library would make encoded words of a long address, which no mail program follows."""
    content = "".join(f"{name}: {value}\r\n" for name, value in in_front.items()).encode() + mail.as_bytes()
    if message_from_bytes(content).keys() != [*in_front, *mail.keys()]:
        raise ValueError("a text would have become a header")
    if not content.isascii() or set(b"\r\n") & set(content.replace(b"\r\n", b"")):
        raise ValueError("the e-mail is not in its seven-bit form with CRLF")
    return content
