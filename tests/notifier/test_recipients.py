"""A line break in an address adds recipients; a message to a dead or suppressed one tells nobody."""

from uuid import uuid4

import pytest

from notifier.recipients import InvalidEmail, Reachable, choose, parse_email

MOBILE = "+46701740605"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("anna@example.se", "anna@example.se"),
        ("Anna.Berg+tid@Example.SE", "Anna.Berg+tid@example.se"),
        ("anna@exämple.se", "anna@xn--exmple-cua.se"),
        (" anna@example.se ", "anna@example.se"),
        ("a" * 64 + "@example.se", "a" * 64 + "@example.se"),
        ("anna@" + "a" * 63 + "." + "b" * 63 + "." + "c" * 63 + "." + "d" * 54 + ".se", None),  # 254 characters
    ],
)
def test_b14_an_ordinary_address_is_brought_to_its_normal_form(text: str, address: str | None) -> None:
    assert parse_email(text) == (address or text)


SEVERAL = [
    "a@b.se\r\nBcc: x@y.se", "a@b.se%0aBcc", '"a\r" <a@b.se>', "a@b.se,c@d.se", "<a@b.se> x", "<a@b.se>",
    "a@b.se c@d.se", "a@b.se;c@d.se", "a@b@c.se", "a\n@example.se", "anna@example.se\n", "a\x00@example.se",
]  # fmt: skip
NO_MAILBOX = [
    '"a b"@example.se', "å@example.se", "a@[127.0.0.1]", "root@localhost", "a@127.0.0.1", "anna@example.se.",
    "anna@.se",
    "anna@example..se", ".anna@example.se", "an..na@example.se", "anna", "@example.se", "anna@", "",
    "anna@-example.se", "anna@exam_ple.se", "a" * 65 + "@example.se", "anna@" + "a" * 64 + ".se",
    "anna@" + "a" * 63 + "." + "b" * 63 + "." + "c" * 63 + "." + "d" * 55 + ".se",  # 255
    "=?utf-8?q?=0d=0aBcc:x?=@example.se", "=?utf-8?q?x?=@example.se",
    "anna@example.s\u202ee", "anna@" + ".".join(["a" * 60] * 4) + ".se1234567890.se",
]  # fmt: skip


@pytest.mark.parametrize("text", SEVERAL + NO_MAILBOX)
def test_b13_b14_no_other_address_is_sent_mail(text: str) -> None:
    with pytest.raises(InvalidEmail) as caught:
        parse_email(text)

    assert "example" not in str(caught.value)


def contact(channel: str, *, is_dead: bool = False) -> Reachable:
    return Reachable(uuid4(), channel, "x", f"digest-{channel}-{uuid4()}", is_dead)


def test_the_first_living_contact_of_the_first_channel_is_chosen() -> None:
    dead, sms, mail = contact("sms", is_dead=True), contact("sms"), contact("email")

    assert choose([mail, dead, sms], ("sms", "email"), frozenset()) == sms
    assert choose([mail, dead, sms], ("email", "sms"), frozenset()) == mail


def test_a_suppressed_address_is_passed_by_for_the_next() -> None:
    sms, mail = contact("sms"), contact("email")

    assert choose([sms, mail], ("sms", "email"), frozenset({(sms.digest, "sms")})) == mail
    assert choose([sms], ("sms",), frozenset({(sms.digest, "sms")})) is None


def test_a_contact_never_shows_its_address() -> None:
    assert MOBILE not in repr(Reachable(uuid4(), "sms", MOBILE, "d", is_dead=False))
