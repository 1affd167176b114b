"""E-mail through an SMTP host (RFC 5321). Must not know deliveries; what a message says is made in `email_message`."""

import contextlib
import re
import smtplib
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum, auto

from notifier.channels import Accepted, ChannelError, Message, Refused, Remedy, Unknown, Unreachable
from notifier.channels.email_message import InvalidAddress, Mail, build, sender_address

Reply = tuple[int, bytes]
_ENHANCED = re.compile(rb"([245]\.[0-9]{1,3}\.[0-9]{1,3})\b")  # RFC 3463
_SENDERS_FAULT = ("5.1.7", "5.1.8")  # of the 5.1.x, these two speak of the sender's address
_PARTING = 1.0  # seconds to wait for the answer to QUIT: the message is settled by then


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """One SMTP host. With `starttls` nothing is sent unless the host proves its name; a password demands it."""

    host: str
    port: int
    sender: str
    sender_name: str
    starttls: bool = True
    username: str = ""
    password: str = field(default="", repr=False)
    timeout: timedelta = timedelta(seconds=10)  # for connecting, and for each answer

    def __post_init__(self) -> None:
        if not self.host or not self.host.encode("idna"):
            raise ValueError("SMTP needs a host")
        if self.username and not self.starttls:
            raise ValueError("SMTP with a user name needs STARTTLS: the password would go in plain text")
        if not (self.username + self.password).isascii():
            raise ValueError("the SMTP user name and password must be ASCII")
        sender_address(self.sender_name, self.sender)


class SmtpEmail:
    """Sends e-mail, one connection for each. Safe to call from several threads."""

    name = "email"
    provider = "smtp"

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._sender = sender_address(settings.sender_name, settings.sender)
        self._tls = ssl.create_default_context() if settings.starttls else None

    def send(self, message: Message) -> Accepted:
        """The id is the Message-ID, which is the delivery's: a copy after an unknown outcome carries the same."""
        outcome = self._outcome(message)
        # Raised here, where no other error is being handled: theirs carry addresses, and would come along as context.
        if isinstance(outcome, ChannelError):
            raise outcome
        return outcome

    def _outcome(self, message: Message) -> Accepted | ChannelError:
        try:
            mail = build(message, self._sender)
        except InvalidAddress:
            return Refused("bad_address", "the address is not one that can be delivered to", Remedy.BAD_CONTACT)
        except ValueError:
            return Refused("bad_text", "the text cannot stand in an e-mail", Remedy.NEXT_CHANNEL)
        return self._hand_over(mail)

    def _hand_over(self, mail: Mail) -> Accepted | ChannelError:
        # The default name would ask DNS for this machine's own.
        session = _Session(local_hostname=self._sender.domain, timeout=self._settings.timeout.total_seconds())
        with contextlib.closing(session):
            return self._converse(session, mail)

    def _converse(self, session: "_Session", mail: Mail) -> Accepted | ChannelError:
        for stage, step in self._steps(session, mail):
            problem = _take(session, stage, step)
            if problem:
                return problem
        _part(session)
        return Accepted(mail.message_id)

    def _steps(self, session: "_Session", mail: Mail) -> Iterator[tuple["_Stage", Callable[[], Reply]]]:
        settings = self._settings
        yield _Stage.ENTRY, lambda: session.connect(settings.host, settings.port)
        yield _Stage.ENTRY, session.ehlo
        if self._tls:
            yield _Stage.ENTRY, lambda: session.starttls(context=self._tls)
            yield _Stage.ENTRY, session.ehlo
        if settings.username:
            yield _Stage.ENTRY, lambda: session.login(settings.username, settings.password)
        yield _Stage.ENTRY, lambda: session.mail(settings.sender)
        yield _Stage.RECIPIENT, lambda: session.rcpt(mail.to)
        yield _Stage.CONTENT, lambda: session.data(mail.content)


class _Stage(Enum):
    ENTRY = auto()  # up to the sender: who we are and what we may do
    RECIPIENT = auto()
    CONTENT = auto()


class _Session(smtplib.SMTP):
    """Remembers whether the message has begun to leave: 354 is the answer to DATA and to nothing else."""

    is_handing_over = False

    def connect(self, host: str, port: int) -> Reply:  # type: ignore[override]
        self._host = host  # the name its certificate must prove; smtplib sets it only when its constructor connects
        return super().connect(host, port)

    def getreply(self) -> Reply:
        code, text = super().getreply()
        self.is_handing_over = self.is_handing_over or code == 354
        return code, text


def _take(session: _Session, stage: _Stage, step: Callable[[], Reply]) -> ChannelError | None:
    """One step of the conversation: what went wrong with it, if anything."""
    try:
        code, text = step()
    except smtplib.SMTPResponseException as error:  # never a success, whatever its code
        if session.is_handing_over:
            return _lost(session)
        text = error.smtp_error if isinstance(error.smtp_error, bytes) else b""
        return _refusal(session, stage, (error.smtp_code, text))
    except smtplib.SMTPServerDisconnected:
        return _lost(session)
    except smtplib.SMTPException:  # STARTTLS or a way to log in that the host does not offer
        return Refused("not_offered", "the SMTP host lacks STARTTLS or a usable login", Remedy.OPERATOR)
    except OSError:
        return _lost(session)
    return None if 200 <= code < 300 else _refusal(session, stage, (code, text))


def _refusal(session: _Session, stage: _Stage, reply: Reply) -> ChannelError:
    """What an answer that is no success means. Its text quotes addresses: only the enhanced status code is used."""
    code, text = reply
    match = _ENHANCED.match(text)
    enhanced = match[1].decode() if match else ""
    shown = f"{code} {enhanced}".strip()
    if 400 <= code < 500:
        return Unreachable(shown, "the SMTP host asks to come back later")
    if not 500 <= code < 600:
        return _lost(session)
    if stage is _Stage.RECIPIENT and enhanced.startswith("5.1.") and enhanced not in _SENDERS_FAULT:
        return Refused(shown, "no such address", Remedy.BAD_CONTACT)
    if stage in (_Stage.RECIPIENT, _Stage.CONTENT):
        return Refused(shown, "the SMTP host refuses this message", Remedy.NEXT_CHANNEL)
    return Refused(shown, "the SMTP host refuses us", Remedy.OPERATOR)


def _lost(session: _Session) -> ChannelError:
    """No answer, or none that can be read. Between the final dot and its answer (RFC 1047) nobody knows."""
    if session.is_handing_over:
        return Unknown("no_answer", "the SMTP host gave no readable answer to the message")
    return Unreachable("no_answer", "the SMTP host was lost before the message")


def _part(session: _Session) -> None:
    if session.sock:
        session.sock.settimeout(_PARTING)
    with contextlib.suppress(OSError):
        session.quit()
