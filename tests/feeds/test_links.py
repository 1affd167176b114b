"""Feed addresses: long random tokens, and only the exact path is one (bad input B48, B49)."""

import pytest

from feeds.links import address_of, new_token, token_in

TOKEN = "A" * 42 + "Q"
GOOD = f"/f/{TOKEN}.ics".encode()


def test_check_31_a_token_has_at_least_128_bits() -> None:
    tokens = {new_token() for _ in range(200)}

    assert len(tokens) == 200
    assert all(len(token) == 43 for token in tokens)  # 256 bits


def test_every_made_address_is_recognised() -> None:
    for _ in range(200):
        token = new_token()
        path = address_of("https://kallelse.example.se/", token).removeprefix("https://kallelse.example.se")
        assert token_in(path.encode()) == token


@pytest.mark.parametrize(
    "path",
    [
        GOOD + b"%00",
        GOOD + b"\x00",
        GOOD + b".ics",
        GOOD + b"/",
        GOOD + b";x=1",
        GOOD + b"?x",
        GOOD + b"\n",
        GOOD + b" ",
        b"/f/%41" + GOOD[4:],
        GOOD[:-5] + b"%2Eics",
        GOOD[:-4] + b".ICS",
        GOOD[:-4],
        GOOD.replace(b"/f/", b"/f//"),
        GOOD.replace(b"/f/", b"/F/"),
        b"/" + GOOD,
        b"/f/%2e%2e/" + GOOD[3:],
        b"/f/../f/" + GOOD[3:],
        b"/./" + GOOD[1:],
        b"http://evil.example.com" + GOOD,
        b"//evil" + GOOD,
        b"/f/" + b"A" * 10_000 + b".ics",
        b"/f/" + TOKEN[:-1].encode() + b".ics",
        b"/f/" + b"A" + TOKEN.encode() + b".ics",
        b"/f/" + b"A" * 42 + b"R.ics",  # one bit more than 256
        b"/f/" + "\u0410".encode() + TOKEN[1:].encode() + b".ics",  # Cyrillic A
        b"/f/.ics",
        b"/f/",
        b"/f/.git/config",
        b"/f/.env",
        b"/f/..%2f",
        b"/f/..%252f",
        b"/f/..\\",
        b"/f/%c0%ae",
        b"",
    ],
)
def test_b48_b49_a_bent_address_is_no_address(path: bytes) -> None:
    assert token_in(path) is None
