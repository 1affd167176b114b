"""An SMS to a land line is lost, one to a premium number costs, and a line break in an address adds recipients."""

from uuid import uuid4

import pytest

from notifier.recipients import InvalidEmail, InvalidPhone, Reachable, choose, parse_email, parse_phone

MOBILE = "+46701740605"


@pytest.mark.parametrize(
    "text",
    [
        "070-174 06 05", "0701740605", "+46701740605", "+46 70 174 06 05", "+46 (0)70 1740605", "0046701740605",
        "46701740605", "(070) 174 06 05", "070-1740605", " 0701740605 ", "070\u00a0174\u00a006\u00a005",
        "0046 70 174 06 05", "+46(0)701740605",
    ],
)  # fmt: skip
def test_check_20_b9_every_usual_form_of_a_mobile_number_is_read(text: str) -> None:
    assert parse_phone(text) == MOBILE


NO_MOBILES = [
    "08-465 004 00", "031-390 06 00", "040-628 04 00", "0980-319 200", "010-000 00 00", "020-00 00 00", "077-000 00 00",
    "71700", "112", "1177", "0900-000 0000", "0939-000 0000", "0944-000 0000", "0719-00 00 00 00", "0746-00 00 00",
    "118118",
]  # fmt: skip
MALFORMED = [
    "+4670174060512345678", "+460", "+46070174060", "+460701740605123", "070-ABC 12 34", "0701740605;ext=1",
    "tel:+46701740605", "0701740605, 0701740606", "0701740605 0701740606", "0701740605/06", "", " ", "+",
    "++46701740605", "070174060", "07017406051", "070174060٥", "０７０１７４０６０５", "070‐1740605", "0701740605#",
    "+46 70 174 06 05 x1", "+46", "+0701740605", "Anna 0701740605", "0701740605\n", "0701740605\x00",
]  # fmt: skip
FOREIGN = [
    "+4790000000", "+4520000000", "+358400000000", "+18765550101", "+14735550101", "+12125550101", "+870000000000",
    "+881600000000", "+88210000000", "+883510000000", "+447700900123", "004790000000",
]  # fmt: skip


@pytest.mark.parametrize("text", NO_MOBILES + MALFORMED + FOREIGN)
def test_check_20_b10_to_b12_no_other_number_is_sent_an_sms(text: str) -> None:
    with pytest.raises(InvalidPhone) as caught:
        parse_phone(text)

    digits = "".join(char for char in text if char.isdigit())
    assert not digits or len(digits) < 4 or digits not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("anna@example.se", "anna@example.se"),
        ("Anna.Berg+tid@Example.SE", "Anna.Berg+tid@example.se"),
        ("anna@exämple.se", "anna@xn--exmple-cua.se"),
        (" anna@example.se ", "anna@example.se"),
        ("a" * 64 + "@example.se", "a" * 64 + "@example.se"),
        ("anna@" + "a" * 63 + "." + "b" * 63 + "." + "c" * 63 + "." + "d" * 54 + ".se", None),
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
