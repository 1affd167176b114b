"""An e-mail's bytes: whatever a clinic or a source wrote, it stays in its place."""

import email
from email import policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.channels.email_message import build, sender_address, subject_line
from tests.contracts.test_channel import message

SENDER = sender_address("Kallelse", "no-reply@kallelse.example.se")
HEADERS = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "Content-Language",
    "MIME-Version",
    "Content-Type",
]


def read(content: bytes) -> EmailMessage:
    found = email.message_from_bytes(content, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def built(**values: object) -> EmailMessage:
    filled: dict[str, object] = {"to": "anna@example.se", "subject_line": "Påminnelse", "html": "<p>x</p>", **values}
    return read(build(message(**filled), SENDER).content)


@pytest.mark.parametrize(
    ("given_text", "line"),
    [
        ("Påminnelse om besök", "Påminnelse om besök"),
        ("Hej\r\nBcc: x@example.se", "Hej Bcc: x@example.se"),
        ("Hej\npå\tdig", "Hej på dig"),
        ("a\x00b\x07c", "a b c"),
        ("a\u2028b\u2029c\u0085d\x0be\x0cf", "a b c d e f"),
        ("a\u202eb\u2066c", "abc"),
        ("half \ud83d", "half"),
        ("  \t ", ""),
        ("å" * 10_000, "å" * 150),
        ("=?utf-8?q?=0d=0aBcc:x@example.se?= hej", "= ?utf-8?q?=0d=0aBcc:x@example.se?= hej"),
        ("a =?utf-8?b?DQpCY2M6eEB5?= b", "a = ?utf-8?b?DQpCY2M6eEB5?= b"),
        ("=\u202e?utf-8?q?=0d=0aBcc:x?=", "= ?utf-8?q?=0d=0aBcc:x?="),
        ("=\x00?utf-8?q?=0d=0aBcc:x?=", "= ?utf-8?q?=0d=0aBcc:x?="),
        ("Vad kostar ==?==? x", "Vad kostar == ?== ? x"),
    ],
)
def test_b16_a_subject_is_one_line_whatever_a_clinic_is_called(given_text: str, line: str) -> None:
    assert subject_line(given_text) == line
    assert built(subject_line=given_text)["Subject"] == line


TEXTS = st.text() | st.lists(
    st.sampled_from(["=?utf-8?q?", "=0d=0aBcc:x", "?=", "=", "?", " ", "\r", "\n", "å", "x" * 40, "\u2028", "Bcc: y"])
).map("".join)


@given(subject=TEXTS)
def test_no_subject_makes_a_header_of_its_own_or_arrives_as_another(subject: str) -> None:
    found = built(subject_line=subject)
    assert sorted(found.keys()) == sorted(HEADERS)
    assert "".join(str(found["Subject"]).split()) == "".join(subject_line(subject).split())


@given(text=TEXTS.filter(lambda text: text.isprintable()), html=TEXTS.filter(lambda text: text.isprintable()))
def test_texts_arrive_as_they_were_written(text: str, html: str) -> None:
    found = built(text=text, html=html)
    plain, marked_up = found.get_body(("plain",)), found.get_body(("html",))
    assert plain is not None
    assert plain.get_content().strip("\r\n") == text
    if html:
        assert marked_up is not None
        assert marked_up.get_content().strip("\r\n") == html


def test_a_message_without_html_is_plain_text_and_not_an_empty_page() -> None:
    assert built(html="").get_content_type() == "text/plain"


def test_a_long_host_name_does_not_break_the_message_id() -> None:
    domain = "paminnelser.langtnamn.region-vasternorrland.kallelse.example.se"
    sender = sender_address("", f"no-reply@{domain}")
    mail = build(message(to="anna@example.se"), sender)
    assert read(mail.content)["Message-ID"] == f"<{mail.message_id}>"
    assert mail.message_id.endswith(f"@{domain}")


@pytest.mark.parametrize("delivery_id", ["", "a b", "x\r\nBcc: y", "å", "<x>", "x" * 65])
def test_an_id_that_cannot_stand_in_a_header_is_refused(delivery_id: str) -> None:
    with pytest.raises(ValueError, match="Message-ID"):
        built(delivery_id=delivery_id)


@pytest.mark.parametrize("language", ["sv\r\nBcc: x@example.se", "=?utf-8?q?=0d=0aBcc:x?="])
def test_a_header_from_elsewhere_stops_the_mail_rather_than_splitting_it(language: str) -> None:
    with pytest.raises(ValueError, match="header|linefeed"):
        built(language=language)


@pytest.mark.parametrize("name", ['Vårdcentralen, "Ängen"', "Åsa <x@example.se>", "a;b:c", ""])
def test_b15_a_senders_name_is_one_name_and_the_address_stays_ours(name: str) -> None:
    mail = build(message(to="anna@example.se"), sender_address(name, "no-reply@example.se"))
    (address,) = read(mail.content)["From"].addresses
    assert (address.display_name, address.addr_spec) == (name, "no-reply@example.se")


@pytest.mark.parametrize("host", ["kallelse.example.se", "paminnelser." * 12 + "example.se"])
def test_check_34_the_address_to_unsubscribe_stands_whole_in_its_header(host: str) -> None:
    """Folded by the standard library it would become encoded words, which no mail program follows."""
    url = f"https://{host}/a/{'x' * 22}"
    lines = build(message(to="anna@example.se", subject_line="x", unsubscribe_url=url), SENDER).content.split(b"\r\n")
    assert lines[:2] == [f"List-Unsubscribe: <{url}>".encode(), b"List-Unsubscribe-Post: List-Unsubscribe=One-Click"]


@pytest.mark.parametrize(
    "url", ["", "http://127.0.0.1:8000/a/x", "https://x.example/a b", "https://x/>\r\nBcc: <x@y.se"]
)
def test_without_a_whole_https_address_there_is_no_header_to_unsubscribe(url: str) -> None:
    assert built(unsubscribe_url=url)["List-Unsubscribe"] is None
