"""How a calendar is added: each program gets the address in its own form, and profiles replace each other."""

import plistlib
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest

from feeds.adding import Program, qr_code, ways, webcal_of
from feeds.apple_profiles import Account, account_profile, subscription_profile
from feeds.links import address_of, new_token
from store.identifiers import new_id

TOKEN = new_token()
ADDRESS = address_of("https://kallelse.example.se", TOKEN)
WEBCAL = f"webcal://kallelse.example.se/f/{TOKEN}.ics"
ACCOUNT = Account("kallelse.example.se", 443, is_secure=True, principal_path="/dav/p/1/", user_name="a1b2")


def test_google_gets_a_webcal_address_and_microsoft_an_https_one() -> None:
    urls = {way.program: urlsplit(way.url) for way in ways(ADDRESS, "sv")}

    assert webcal_of(ADDRESS) == WEBCAL
    assert urls[Program.APPLE].geturl() == urls[Program.OTHER].geturl() == WEBCAL
    assert (urls[Program.GOOGLE].netloc, parse_qs(urls[Program.GOOGLE].query)) == (
        "calendar.google.com",
        {"cid": [WEBCAL]},
    )
    for program, host in ((Program.OUTLOOK, "outlook.live.com"), (Program.MICROSOFT_365, "outlook.office.com")):
        assert urls[program].netloc == host
        assert parse_qs(urls[program].query) == {"url": [ADDRESS], "name": ["Bokade tider"]}


@pytest.mark.parametrize("language", ["sv", "en"])
def test_whose_servers_fetch_the_calendar_is_said_and_how_often_too(language: str) -> None:
    found = ways(ADDRESS, language)

    assert [way.program for way in found if way.is_fetched_by_others] == [
        Program.GOOGLE,
        Program.OUTLOOK,
        Program.MICROSOFT_365,
    ]
    assert all("ser det" in way.looks or "sees what" in way.looks for way in found if way.is_fetched_by_others)
    assert len({way.label for way in found}) == len(Program)


def test_no_secret_address_is_in_a_repr() -> None:
    assert TOKEN not in repr(ways(ADDRESS, "sv"))


def test_the_qr_code_has_a_name_for_those_who_do_not_see_it_and_needs_no_style_or_script() -> None:
    svg = qr_code(ADDRESS, 'QR-kod: <kalendern> & "mer"')

    tree = ElementTree.fromstring(svg)  # noqa: S314 - our own
    assert (tree.get("role"), tree.findtext("title")) == ("img", 'QR-kod: <kalendern> & "mer"')
    assert not {"style", "class", "onload"} & {name for node in tree.iter() for name in node.attrib}
    assert {node.tag for node in tree.iter()} == {"svg", "title", "path"}
    assert ElementTree.fromstring(qr_code(ADDRESS, "a")).findall("path") != ElementTree.fromstring(  # noqa: S314
        qr_code(ADDRESS.replace("https", "http") + "x", "a")
    ).findall("path")


def test_a_profile_for_a_rotated_address_replaces_the_one_before() -> None:
    calendar_id = new_id()
    old, new = (
        plistlib.loads(subscription_profile(calendar_id, address_of("https://x.se", token), "Bokade tider", "Om"))
        for token in (TOKEN, new_token())
    )

    assert old["PayloadContent"][0].pop("SubCalAccountHostName") == address_of("https://x.se", TOKEN)
    assert new["PayloadContent"][0].pop("SubCalAccountHostName") != address_of("https://x.se", TOKEN)
    assert old == new
    assert (old["PayloadType"], old["PayloadContent"][0]["PayloadType"]) == (
        "Configuration",
        "com.apple.subscribedcalendar.account",
    )
    assert old["PayloadContent"][0]["SubCalAccountUseSSL"] is True


def test_profiles_of_another_calendar_or_kind_stand_beside_each_other() -> None:
    calendar_id = new_id()
    profiles = [
        plistlib.loads(profile)
        for profile in (
            subscription_profile(calendar_id, ADDRESS, "a", ""),
            subscription_profile(new_id(), ADDRESS, "a", ""),
            account_profile(calendar_id, ACCOUNT, "a", ""),
        )
    ]
    every = [*profiles, *(profile["PayloadContent"][0] for profile in profiles)]

    for name in ("PayloadUUID", "PayloadIdentifier"):
        assert len({one[name] for one in every}) == len(every)
        assert not any(calendar_id.hex in one[name].replace("-", "").lower() for one in every)


def test_an_account_profile_holds_no_password_and_no_character_that_breaks_it() -> None:
    profile = plistlib.loads(account_profile(new_id(), ACCOUNT, "Ebbas\x00 tider\n<a>", "Om"))
    (payload,) = profile["PayloadContent"]

    assert profile["PayloadDisplayName"] == payload["CalDAVAccountDescription"] == "Ebbas tider <a>"
    assert {name: value for name, value in payload.items() if name.startswith("CalDAV")} == {
        "CalDAVAccountDescription": "Ebbas tider <a>",
        "CalDAVHostName": "kallelse.example.se",
        "CalDAVPort": 443,
        "CalDAVUseSSL": True,
        "CalDAVPrincipalURL": "/dav/p/1/",
        "CalDAVUsername": "a1b2",
    }
