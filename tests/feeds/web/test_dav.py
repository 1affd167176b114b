"""The way to an account: who is let in, what programs probe, what is too much, and what of it is remembered."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from feeds.caldav.reading import Reading
from feeds.subscribing import remove_device
from feeds.web.dav import Dav
from feeds.web.misses import Misses, MissRules
from store import app_passwords
from tests.feeds.caldav.account import Account, _inner, body, props
from tests.feeds.world import DAY, World

PRINCIPAL = body("D:propfind", props("D:current-user-principal"))


@pytest.fixture
def account(world: World) -> Iterator[Account]:
    world.add(world.now + DAY)
    world.open()
    opened = Account(world)
    yield opened
    opened.close()


def basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def test_the_app_password_opens_the_account_however_it_is_typed(account: Account) -> None:
    """Phones begin with a capital letter, and people leave hyphens out or paste a space along."""
    user, password = account.device.account, account.device.password
    for typed in ((user, password), (user.capitalize(), password.upper()), (user, f" {password.replace('-', '')} ")):
        assert account.ask("PROPFIND", "/dav/", PRINCIPAL, depth="0", authorization=basic(*typed)).status == 207


@pytest.mark.parametrize(
    "authorization",
    ["", "Basic", "Basic !!!", "Basic YQ==", "Bearer x", "Basic " + "A" * 9000, "Basic /w==", basic("", ""), "\xff"],
)
def test_whoever_cannot_log_in_is_asked_to(account: Account, authorization: str) -> None:
    said = account.ask("PROPFIND", "/dav/", PRINCIPAL, depth="0", authorization=authorization)

    assert said.status == 401
    assert said.headers["www-authenticate"] == 'Basic realm="Kallelse", charset="UTF-8"'


def test_anothers_user_name_an_unknown_and_a_revoked_password_are_one_answer(account: Account) -> None:
    user, password = account.device.account, account.device.password
    refusals = [
        account.ask("PROPFIND", "/dav/", PRINCIPAL, authorization=basic(*typed))
        for typed in (("aaaaaaaaaa", password), (user, "aaaa-bbbb"), ("anna@example.se", "hemligt"))
    ]
    with account.world.sessions.writing() as session:
        remove_device(session, account.device.password_id, account.world.now)
    refusals.append(account.ask("PROPFIND", "/dav/", PRINCIPAL, depth="0"))

    assert {one.status for one in refusals} == {401}
    assert len({one.content for one in refusals}) == 1


def test_guessing_is_slowed_down_per_account_and_per_network_and_locks_nobody_out(account: Account) -> None:
    once = MissRules(most=2)
    dav = Dav(_inner, Reading(account.world.sessions, account.world.vault), failures=Misses(lambda: 0.0, once))
    account.dav.close()
    account.dav = dav
    wrong = basic(account.device.account, "fel")

    assert [account.ask("PROPFIND", "/dav/", authorization=wrong).status for _ in range(3)] == [401, 401, 429]
    assert account.ask("PROPFIND", "/dav/", PRINCIPAL, depth="0").status == 207


def test_failures_of_one_account_are_limited_from_wherever_they_come(account: Account) -> None:
    wide = Misses(lambda: 0.0, MissRules(most=1000))
    narrow = Misses(lambda: 0.0, MissRules(most=2), origin_of=lambda user: user)
    account.dav.close()
    account.dav = Dav(
        _inner, Reading(account.world.sessions, account.world.vault), failures=wide, account_failures=narrow
    )
    wrong = basic(account.device.account, "fel")

    assert [account.ask("PROPFIND", "/dav/", authorization=wrong).status for _ in range(3)] == [401, 401, 429]
    assert account.ask("PROPFIND", "/dav/", authorization=basic("nagonannan", "fel")).status == 401


@pytest.mark.parametrize("path", ["/", "/principals/", "/principals", "/dav", "/dav/"])
def test_programs_that_probe_find_the_principal(account: Account, path: str) -> None:
    """A 404 or 405 there ends the set-up of Apple's programs."""
    said = account.ask("PROPFIND", path, PRINCIPAL, depth="0")

    assert said.status == 207
    (href,) = said.texts("//D:current-user-principal/D:href")
    assert href == account.principal
    assert account.ask("PROPFIND", path, PRINCIPAL, authorization="").status == 401


def test_an_answer_about_a_probed_address_names_that_address(account: Account) -> None:
    assert account.ask("PROPFIND", "/", PRINCIPAL, depth="0").texts("/D:multistatus/D:response/D:href") == ["/"]


@pytest.mark.parametrize("method", ["GET", "PROPFIND", "OPTIONS", "HEAD", "REPORT", "POST"])
def test_the_well_known_address_leads_to_the_account(reader: Account, method: str) -> None:
    for path in ("/.well-known/caldav", "/.well-known/caldav/"):
        said = reader.ask(method, path, authorization="")
        assert (said.status, said.headers["location"]) == (301, "/dav/")


def test_a_person_who_opens_the_address_in_a_browser_is_told_what_it_is_for(reader: Account) -> None:
    browser = "text/html,application/xhtml+xml,*/*;q=0.8"
    for path in ("/dav", "/dav/"):
        said = reader.ask("GET", path, authorization="", accept=browser)
        assert (said.status, said.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert "default-src 'none'" in said.headers["content-security-policy"]
        assert b"CalDAV-konto" in said.content
        assert b"CalDAV account" in said.content
    assert reader.ask("GET", "/dav/", authorization="", accept="*/*").status == 401
    assert reader.ask("GET", reader.visits, authorization="", accept=browser).status == 401
    assert reader.ask("GET", "/dav/").content.startswith(b"This is a CalDAV address")
    said = reader.ask("GET", reader.visits)
    assert (said.status, said.headers["allow"]) == (405, "OPTIONS, PROPFIND, PROPPATCH, REPORT")


def test_what_is_not_ours_is_passed_on(account: Account) -> None:
    for method, path in (("GET", "/"), ("GET", "/davos"), ("POST", "/"), ("PROPFIND", "/clinic/"), ("GET", "/f/x.ics")):
        assert account.ask(method, path).status == 418


@pytest.mark.parametrize("authorization", [None, ""])
def test_options_names_no_way_to_write(reader: Account, authorization: str | None) -> None:
    """Evolution takes a calendar for writable whose Allow names PUT."""
    given = {} if authorization is None else {"authorization": authorization}
    fetched, others = ("OPTIONS, GET, HEAD, PROPFIND, PROPPATCH, REPORT", "OPTIONS, PROPFIND, PROPPATCH, REPORT")
    for path in ("/dav/", reader.hrefs()[0], reader.visits, reader.home, reader.principal, "/dav/principals/"):
        said = reader.ask("OPTIONS", path, **given)
        assert said.status == 200
        assert said.headers["dav"] == "1, 3, access-control, calendar-access"
        assert said.headers["allow"] == (fetched if path == "/dav/" or path.endswith(".ics") else others)
    assert reader.ask("OPTIONS", "/dav/nothing/", **given).status == 404


def test_options_say_nothing_about_whose_accounts_there_are(reader: Account) -> None:
    of_nobody = reader.home.replace(reader.device.account, "aaaaaaaaaa")

    assert reader.ask("OPTIONS", reader.home, authorization="") == reader.ask("OPTIONS", of_nobody, authorization="")
    assert reader.ask("OPTIONS", of_nobody).status == 404
    assert reader.ask("OPTIONS", reader.home, authorization=basic(reader.device.account, "fel")).status == 401


@pytest.mark.parametrize(
    "bend",
    [
        lambda path, own: path.replace(own, "aaaaaaaaaa"),
        lambda path, own: path + "x/",
        lambda path, own: path.replace("/visits", "/%2e%2e/visits"),
        lambda path, own: path.replace("/visits", "%2fvisits"),
        lambda path, own: path.replace("visits", "vis%2569ts"),
        lambda path, own: path.replace("visits", "Visits"),
        lambda path, own: path + "\u00f6",
        lambda path, own: path + "%00",
        lambda path, own: path + "a" * 10_000,
        lambda path, own: path.replace("/dav/", "/dav//"),
        lambda path, own: "/dav/principals/" + own + "/../",
        lambda path, own: path + ";x=1",
        lambda path, own: path + "z" * 32 + ".ics",
        lambda path, own: path + "0" * 32 + ".ics.ics",
    ],
)
def test_b48_b49_a_bent_path_is_no_path_and_anothers_is_as_unknown_as_none(account: Account, bend: object) -> None:
    path = bend(account.visits, account.device.account)  # type: ignore[operator]
    assert account.ask("PROPFIND", path, PRINCIPAL, depth="0").status == 404


def test_one_letter_encoded_is_the_same_path(account: Account) -> None:
    """Programs differ in what they encode: two spellings of one address would show every visit twice."""
    said = account.ask("PROPFIND", account.visits.replace("/visits", "/%76isits"), PRINCIPAL, depth="0")
    assert said.texts("/D:multistatus/D:response/D:href") == [account.visits]


def test_a_body_too_large_is_refused_before_it_is_read(account: Account) -> None:
    assert account.ask("PROPFIND", "/dav/", b"", content_length="999999999").status == 413
    assert account.ask("PROPFIND", "/dav/", b" " * 262_145, depth="0").status == 413
    assert account.ask("PROPFIND", "/dav/", b"", depth="0", prefer="x" * 20_000).status == 431


def test_a_use_of_the_password_is_remembered_once_a_day(account: Account) -> None:
    for _ in range(3):
        account.ask("PROPFIND", "/dav/", PRINCIPAL, depth="0")
    account.dav.close()
    with account.world.sessions.reading() as session:
        (row,) = app_passwords.of_calendar(session, account.world.calendar_id)
        assert row.last_used_at is not None
        assert abs((datetime.now(UTC) - row.last_used_at).total_seconds()) < 60


def test_an_account_whose_person_is_protected_stands_empty_and_then_closed(account: Account) -> None:
    """Devices wipe their copies while it answers empty; after that the password opens nothing."""
    token = account.sync().token
    account.world.set_subject(protected_on=account.world.now.date())
    account.world.rewrite()

    said = account.sync(token)
    assert list(said.statuses().values()) == ["HTTP/1.1 404 Not Found"]
    assert account.hrefs() == []
