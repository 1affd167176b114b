"""Check 20: 60 phone numbers as people and systems write them, and what becomes of each."""

import pytest

from notifier.recipients import InvalidPhone, parse_phone

MOBILE = "+46701740605"
NO_PHONE, TRUNK_ZERO, UNREADABLE = "holds something else", "0 after the country code", "cannot be read"
FOREIGN, NOT_IN_USE, NOT_MOBILE = "not Swedish", "too short, too long or not in use", "not a mobile"

ACCEPTED = [
    # as it is written, what it comes to
    ("0701740605", MOBILE),
    ("070-174 06 05", MOBILE),
    ("070 174 06 05", MOBILE),
    ("070-1740605", MOBILE),
    ("070 17 40 605", MOBILE),
    ("(070) 174 06 05", MOBILE),
    ("(070)1740605", MOBILE),
    ("+46701740605", MOBILE),
    ("+46 70 174 06 05", MOBILE),
    ("+46-70-174-06-05", MOBILE),
    ("+46 (0)70 174 06 05", MOBILE),
    ("+46(0)701740605", MOBILE),
    ("0046701740605", MOBILE),
    ("0046 (0)70-174 06 05", MOBILE),
    ("00 46 70 174 06 05", MOBILE),
    ("46701740605", MOBILE),
    ("46 70 174 06 05", MOBILE),
    ("701740605", MOBILE),  # a spreadsheet has taken the zero
    ("  0701740605 ", MOBILE),
    ("070\u00a0174\u202f06\u200905", MOBILE),  # spaces of word processors
]
REFUSED_ROWS = {
    "b10": [
        ("08-465 004 01", NOT_MOBILE),  # land lines
        ("031-390 06 01", NOT_MOBILE),
        ("0980-319 201", NOT_MOBILE),
        ("+46 8 465 004 01", NOT_MOBILE),
        ("010-123 45 67", NOT_MOBILE),
        ("020-12 34 56", NOT_MOBILE),
        ("0771-12 34 56", NOT_MOBILE),
        ("0900-123 45 67", NOT_MOBILE),  # premium
        ("+46 900 123 45 67", NOT_MOBILE),
        ("0939-123 45 67", NOT_MOBILE),
        ("0944-123 45 67", NOT_MOBILE),
        ("0740-12 34 56", NOT_MOBILE),  # pager
        ("0719-123 45 67 89", NOT_IN_USE),  # machines: 13 digits
        ("112", NOT_IN_USE),
        ("1177", NOT_IN_USE),
        ("11414", NOT_IN_USE),
        ("118118", NOT_IN_USE),
        ("71700", NOT_IN_USE),
    ],
    "b11": [
        ("070-174 06 0", NOT_IN_USE),  # a digit too few
        ("07017406051", NOT_IN_USE),  # one too many
        ("+4670174060512345", NOT_IN_USE),
        ("+4670174060512345678", NOT_IN_USE),
        ("+460", TRUNK_ZERO),
        ("+46070 174 06 05", TRUNK_ZERO),
        ("0046070-1740605", TRUNK_ZERO),
        ("070-ANNA 123", NO_PHONE),
        ("0701740605;ext=1", NO_PHONE),
        ("0701740605 ankn 12", NO_PHONE),
        ("tel:+46701740605", NO_PHONE),
        ("0701740605, 0701740606", NO_PHONE),
        ("0701740605/0701740606", NO_PHONE),
        ("0701740605 0701740606", UNREADABLE),
        ("0701740605\r\n", NO_PHONE),
        ("++46701740605", NO_PHONE),
        ("０７０１７４０６０５", NO_PHONE),  # full-width digits
        ("070174060\u0665", NO_PHONE),  # an Arabic one among them
        ("070\u200b1740605", NO_PHONE),  # invisible characters: what else was copied is not known
        ("\u202d0701740605\u202c", NO_PHONE),
        ("070\u00ad1740605", NO_PHONE),
        ("", NO_PHONE),
        (" ", NO_PHONE),
        ("+", NO_PHONE),
        ("+46", NO_PHONE),
        ("+0701740605", UNREADABLE),
        ("0701740605#", NO_PHONE),
        ("Anna 0701740605", NO_PHONE),
        ("0701740605\x00", NO_PHONE),
        ("070\u20101740605", NO_PHONE),  # a hyphen, not the keyboard's
    ],
    "b12": [
        ("+47 406 12 345", FOREIGN),  # also the neighbours: +46 only
        ("0047 406 12 345", FOREIGN),
        ("+45 20 12 34 56", FOREIGN),
        ("+358 40 1234567", FOREIGN),
        ("+354 611 1234", FOREIGN),
        ("+1 876 555 0101", FOREIGN),  # islands that cost
        ("+1 473 555 0101", FOREIGN),
        ("+870 773 111 632", FOREIGN),  # satellites
        ("+881 6 312 34567", FOREIGN),
        ("+882 13 300655", FOREIGN),
        ("+883 5100 12345", FOREIGN),
        ("+44 7700 900123", FOREIGN),
    ],
}
REFUSED = [pytest.param(*row, id=f"{name}-{row[0]!a}") for name, rows in REFUSED_ROWS.items() for row in rows]


def test_check_20_the_table_holds_60_numbers_and_none_twice() -> None:
    written = [row[0] for rows in (ACCEPTED, *REFUSED_ROWS.values()) for row in rows]
    assert len(set(written)) == len(written) >= 60


@pytest.mark.parametrize(("written", "number"), ACCEPTED)
def test_check_20_b9_a_mobile_number_is_read_however_it_is_written(written: str, number: str) -> None:
    assert parse_phone(written) == number
    assert parse_phone(number) == number


@pytest.mark.parametrize("series", ["72", "73", "76", "79"])  # none of them has numbers kept for fiction: zeros
def test_check_20_b9_every_series_of_mobiles_is_read(series: str) -> None:
    assert parse_phone(f"0{series}-000 00 00") == f"+46{series}0000000"


@pytest.mark.parametrize(("written", "why"), REFUSED)
def test_check_20_b10_b11_b12_no_other_number_is_sent_an_sms_and_the_reason_repeats_none(
    written: str, why: str
) -> None:
    with pytest.raises(InvalidPhone, match=why) as caught:
        parse_phone(written)

    digits = "".join(char for char in written if char.isdigit())
    assert len(digits) < 3 or digits not in str(caught.value)
