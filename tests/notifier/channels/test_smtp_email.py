"""E-mail over real sockets: what the host gets, and what each way of failing is taken for."""

import email
import ipaddress
import logging
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from notifier.channels import Accepted, Channel, ChannelError, Message, Refused, Remedy, Unknown, Unreachable
from notifier.channels.smtp_email import SmtpEmail, SmtpSettings
from tests.contracts.test_channel import NetworkChannelContract, assert_nothing_personal, everything, message
from tests.wire.peers import Mishap, full_port, refused_port
from tests.wire.smtp_peer import ScriptedHost, smtp_host

DELIVERY = "0190a7b2-1111-7abc-8def-0123456789ab"


def mail(**values: object) -> Message:
    filled: dict[str, object] = {
        "to": "anna@example.se",
        "subject_line": "Påminnelse: tisdag 1 december",
        "html": "<html lang='sv'><p>Tandregleringen Ängsgatan</p></html>",
        **values,
    }
    return message(**filled)


def through(port: int, **values: object) -> SmtpEmail:
    filled: dict[str, object] = {
        "host": "127.0.0.1",
        "port": port,
        "sender": "no-reply@kallelse.example.se",
        "sender_name": "Kallelse, påminnelser",
        "starttls": False,
        "timeout": timedelta(seconds=0.5),
        **values,
    }
    return SmtpEmail(SmtpSettings(**filled))  # type: ignore[arg-type]


def failure(replies: Mapping[str, bytes | Mishap], **values: object) -> ChannelError:
    with ScriptedHost(replies) as host, pytest.raises(ChannelError) as caught:
        through(host.port, **values).send(mail())
    assert_nothing_personal(everything(caught.value))
    return caught.value


class TestSmtpIsAChannel(NetworkChannelContract):
    kind = "email"

    def message(self) -> Message:
        return mail()

    @contextmanager
    def accepting(self) -> Iterator[Channel]:
        with smtp_host() as host:
            yield through(host.port)

    @contextmanager
    def unreachable(self) -> Iterator[Channel]:
        with refused_port() as port:
            yield through(port)

    @contextmanager
    def hanging(self) -> Iterator[Channel]:
        with ScriptedHost({"dot": Mishap.HANG}) as host:
            yield through(host.port)

    @contextmanager
    def resetting(self) -> Iterator[Channel]:
        with ScriptedHost({"dot": Mishap.RESET}) as host:
            yield through(host.port)


def test_the_host_gets_text_and_html_with_the_letters_intact() -> None:
    with smtp_host() as host:
        assert through(host.port).send(mail()) == Accepted(f"{DELIVERY}@kallelse.example.se")
    (envelope,) = host.envelopes
    assert envelope.rcpt_tos == ["anna@example.se"]
    assert envelope.mail_from == "no-reply@kallelse.example.se"
    assert isinstance(envelope.content, bytes)
    read = email.message_from_bytes(envelope.content, policy=policy.default)
    assert isinstance(read, EmailMessage)
    text, html = read.get_body(("plain",)), read.get_body(("html",))
    assert text is not None
    assert html is not None
    assert "Tandregleringen Ängsgatan" in text.get_content()
    assert "<p>Tandregleringen Ängsgatan</p>" in html.get_content()
    assert read["Subject"] == "Påminnelse: tisdag 1 december"
    assert read["From"].addresses[0].display_name == "Kallelse, påminnelser"
    assert read["Auto-Submitted"] == "auto-generated"
    assert read["Content-Language"] == "sv"
    assert read["Date"].datetime == mail().now


def test_a_copy_of_a_mail_carries_the_same_message_id_so_that_it_can_be_folded() -> None:
    with smtp_host() as host:
        channel = through(host.port)
        assert channel.send(mail(attempt_id="A" * 22)) == channel.send(mail(attempt_id="B" * 22))
    ids = [email.message_from_bytes(envelope.content)["Message-ID"] for envelope in host.envelopes]  # type: ignore[arg-type]
    assert ids == [f"<{DELIVERY}@kallelse.example.se>"] * 2


@pytest.mark.parametrize(
    "text",
    [
        "Hej\r\n.\r\nMAIL FROM:<x@example.se>\r\n",
        "Hej\n.\r\nMAIL FROM:<x@example.se>\r\n",
        "Hej\r\n.\nMAIL FROM:<x@example.se>\n",
        "Hej\r.\rMAIL FROM:<x@example.se>\r",
        ".",
        "..\r\n.",
        "\n\n.\n\n",
        "å" * 2000,
    ],
)
def test_b17_no_text_can_end_the_message_early_and_begin_another(text: str) -> None:
    with ScriptedHost() as host:
        through(host.port).send(mail(text=text, html=f"<p>{text}</p>"))
    (wire,) = host.taken
    assert wire.endswith(b"\r\n")
    assert not set(b"\r\n") & set(wire.replace(b"\r\n", b""))
    assert max(len(line) for line in wire.split(b"\r\n")) <= 78
    assert host.heard == ["EHLO", "MAIL", "RCPT", "DATA", "dot", "QUIT"]
    read = email.message_from_bytes(wire.replace(b"\r\n..", b"\r\n."), policy=policy.default)
    assert isinstance(read, EmailMessage)
    plain = read.get_body(("plain",))
    assert plain is not None
    assert plain.get_content().splitlines() == text.splitlines()


REFUSALS = [
    # what is answered at, the answer, what it is taken for, the remedy
    ("greeting", b"421 4.3.2 closing", Unreachable, None),
    ("greeting", b"554 5.7.1 no", Refused, Remedy.OPERATOR),
    ("greeting", b"SSH-2.0-OpenSSH_9.2", Unreachable, None),
    ("EHLO", b"421 4.3.2 later", Unreachable, None),
    ("EHLO", b"550 5.7.1 not you", Refused, Remedy.OPERATOR),
    ("MAIL", b"451 4.7.1 greylisted", Unreachable, None),
    ("MAIL", b"452 4.3.1 full", Unreachable, None),
    ("MAIL", b"550 5.7.1 sender refused", Refused, Remedy.OPERATOR),
    ("MAIL", b"530 5.7.0 authenticate first", Refused, Remedy.OPERATOR),
    ("RCPT", b"450 4.2.1 try again, anna@example.se", Unreachable, None),
    ("RCPT", b"451 4.7.1 greylisted", Unreachable, None),
    ("RCPT", b"452 4.2.2 mailbox full", Unreachable, None),
    ("RCPT", b"550 5.1.1 <anna@example.se>: no such user", Refused, Remedy.BAD_CONTACT),
    ("RCPT", b"550 5.1.2 no such domain", Refused, Remedy.BAD_CONTACT),
    ("RCPT", b"556 5.1.10 null MX", Refused, Remedy.BAD_CONTACT),
    ("RCPT", b"550-5.1.1 no such user\r\n550 5.1.1 ask anna@example.se", Refused, Remedy.BAD_CONTACT),
    ("RCPT", b"553 5.1.8 your sender domain does not exist", Refused, Remedy.NEXT_CHANNEL),
    ("RCPT", b"550 5.7.1 relaying denied", Refused, Remedy.NEXT_CHANNEL),
    ("RCPT", b"552 5.2.2 mailbox full", Refused, Remedy.NEXT_CHANNEL),
    ("RCPT", b"550 no enhanced code, 5.1.1 or so", Refused, Remedy.NEXT_CHANNEL),
    ("RCPT", b"999 what", Unreachable, None),
    ("DATA", b"451 4.3.0 later", Unreachable, None),
    ("DATA", b"554 5.5.1 no valid recipients", Refused, Remedy.NEXT_CHANNEL),
    ("DATA", b"250 2.0.0 what", Unreachable, None),
    ("dot", b"451 4.3.0 later", Unreachable, None),
    ("dot", b"554 5.7.1 looks like spam to anna@example.se", Refused, Remedy.NEXT_CHANNEL),
    ("dot", b"what", Unknown, None),
    ("dot", b"354 go on", Unknown, None),
    ("dot", b"2" * 10_000, Unknown, None),
]


@pytest.mark.parametrize(("at", "reply", "kind", "remedy"), REFUSALS)
def test_each_answer_of_a_host_is_taken_for_what_it_says(
    at: str, reply: bytes, kind: type[ChannelError], remedy: Remedy | None
) -> None:
    caught = failure({at: reply})
    assert type(caught) is kind
    assert getattr(caught, "remedy", None) is remedy


@pytest.mark.parametrize("mishap", Mishap)
@pytest.mark.parametrize("at", ["greeting", "EHLO", "MAIL", "RCPT", "DATA"])
def test_a_host_lost_before_the_message_was_sent_nothing(at: str, mishap: Mishap) -> None:
    assert isinstance(failure({at: mishap}, timeout=timedelta(seconds=0.2)), Unreachable)


@pytest.mark.parametrize("mishap", Mishap)
def test_a_host_lost_after_the_final_dot_leaves_it_unknown(mishap: Mishap) -> None:
    assert isinstance(failure({"dot": mishap}, timeout=timedelta(seconds=0.2)), Unknown)


@pytest.mark.parametrize("reply", [b"500 what", Mishap.CLOSE, Mishap.RESET])
def test_a_host_that_parts_badly_has_taken_the_message_all_the_same(reply: bytes | Mishap) -> None:
    with ScriptedHost({"QUIT": reply}) as host:
        assert through(host.port).send(mail())
        assert len(host.taken) == 1


def test_a_host_too_busy_to_connect_to_was_sent_nothing() -> None:
    with full_port() as port, pytest.raises(Unreachable):
        through(port).send(mail())


@pytest.mark.parametrize(
    "to",
    [
        "anna@example.se\r\nBcc: bo@example.se",
        "anna@example.se%0aBcc: x",
        '"anna\r" <anna@example.se>',
        "anna@example.se,bo@example.se",
        "<anna@example.se> x",
        "<anna@example.se>",
        "anna@example.se\n",
        " anna@example.se",
        "anna@example.se\x00",
        "anna@[127.0.0.1]",
        "anna@127.0.0.1",
        "root@localhost",
        "anna@example.se.",
        "anna@-example.se",
        "anna..b@example.se",
        ".anna@example.se",
        "anna",
        "@example.se",
        "",
        "åsa@example.se",
        "anna@räksmörgås.se",
        '"a b"@example.se',
        "=?utf-8?q?=0d=0aBcc=3Ax?=@example.se",
        "a" * 65 + "@example.se",
        "a" * 60 + "@" + "b." * 97 + "se",
    ],
)
def test_an_address_that_is_more_or_less_than_one_address_is_never_handed_over(to: str) -> None:
    with ScriptedHost() as host, pytest.raises(Refused) as caught:
        through(host.port).send(mail(to=to))
    assert caught.value.remedy is Remedy.BAD_CONTACT
    assert host.heard == []
    assert "anna" not in everything(caught.value)


@pytest.mark.parametrize(
    "to", ["anna+vard@example.se", "o'hara@example.com", "anna@xn--rksmrgs-5wao1o.se", "a@b.se", "1@2.example.se"]
)
def test_unusual_addresses_that_are_right_get_their_mail(to: str) -> None:
    with smtp_host() as host:
        through(host.port).send(mail(to=to))
    assert host.envelopes[0].rcpt_tos == [to]


def test_a_text_that_cannot_be_written_is_refused_and_does_not_stop_the_worker() -> None:
    with ScriptedHost() as host, pytest.raises(Refused) as caught:
        through(host.port).send(mail(text="half \ud83d"))
    assert caught.value.remedy is Remedy.NEXT_CHANNEL
    assert host.heard == []


def test_a_password_goes_only_to_a_host_that_has_proved_its_name(tls: "Tls") -> None:
    with smtp_host(tls.server, asks_for_login=True) as host:
        channel = through(host.port, starttls=True, username="kallelse", password="right", timeout=timedelta(seconds=5))
        assert channel.send(mail())
    assert host.logins == [(b"kallelse", b"right")]
    assert len(host.envelopes) == 1


def test_a_host_with_a_certificate_nobody_vouches_for_gets_neither_password_nor_mail(tls: "Tls") -> None:
    tls.trust_nobody()
    with smtp_host(tls.server, asks_for_login=True) as host:
        channel = through(host.port, starttls=True, username="kallelse", password="right")
        with pytest.raises(Unreachable):
            channel.send(mail())
    assert host.logins == []
    assert host.envelopes == []


def test_a_host_that_hides_starttls_gets_nothing() -> None:
    with ScriptedHost() as host, pytest.raises(Refused) as caught:
        through(host.port, starttls=True, username="kallelse", password="hemlig-nyckel").send(mail())
    assert caught.value.remedy is Remedy.OPERATOR
    assert host.heard == ["EHLO"]


def test_a_wrong_password_calls_a_person_and_marks_nobodys_address(tls: "Tls") -> None:
    with smtp_host(tls.server, asks_for_login=True) as host:
        channel = through(host.port, starttls=True, username="kallelse", password="hemlig-nyckel")
        with pytest.raises(Refused) as caught:
            channel.send(mail())
    assert caught.value.remedy is Remedy.OPERATOR
    assert_nothing_personal(everything(caught.value))


@pytest.mark.parametrize(
    "values",
    [
        {"host": ""},
        {"host": "a" * 64},
        {"username": "kallelse", "password": "hemlig-nyckel"},
        {"starttls": True, "username": "kallelse", "password": "hemlig-nyckel-å"},
        {"sender": "no-reply"},
        {"sender": "no-reply@localhost"},
        {"sender_name": "Kallelse\r\nBcc: x@example.se"},
        {"sender_name": "=?utf-8?q?=0d=0aBcc:x@example.se?="},
        {"sender_name": "Kallelse\u2028x"},
    ],
)
def test_settings_that_cannot_work_fail_at_the_start_and_show_no_secret(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        through(25, **values)
    assert_nothing_personal(str(caught.value))


def test_nothing_personal_is_logged_even_at_debug(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with ScriptedHost() as host:
        through(host.port).send(mail())
    failure({"RCPT": b"550 5.1.1 <anna@example.se> unknown"})
    assert_nothing_personal(caplog.text)
    settings = SmtpSettings("127.0.0.1", 25, "a@example.se", "", username="u", password="hemlig-nyckel")
    assert_nothing_personal(repr(settings))


class Tls:
    """A certificate for 127.0.0.1 made here, and who trusts it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = folder / "host.pem"
        certificate.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + _self_signed(key).public_bytes(serialization.Encoding.PEM)
        )
        self._patch = monkeypatch
        self._nobody = folder / "nobody.pem"
        self._nobody.write_bytes(_self_signed(key, "elsewhere").public_bytes(serialization.Encoding.PEM))
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server.load_cert_chain(certificate)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    def trust_nobody(self) -> None:
        self._patch.setenv("SSL_CERT_FILE", str(self._nobody))


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tls:
    return Tls(tmp_path, monkeypatch)


def _self_signed(key: ec.EllipticCurvePrivateKey, name: str = "mail.example.se") -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    today = datetime.now(UTC)  # the TLS library reads the real clock
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
