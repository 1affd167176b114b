"""The start page as a browser meets it: served for real, over a real region, real providers and a real database."""

import plistlib
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from html import unescape
from string import Formatter
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from lxml import html
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from feeds.caldav import resources
from store.database import Sessions, open_database
from store.facilities import WHOLE_SOURCE
from store.facilities import LogicalAddress as Address
from store.identifiers import HsaId, new_id
from store.vault import Vault
from tests import build
from tests.people import Person
from worker.clock import BusinessClock
from worker.demo import start_page
from worker.demo.care_side import Answers
from worker.demo.facilities import HEALTH_CENTRE, SKIN, SPECIALISTS
from worker.demo.forwarding import Target
from worker.demo.progress import KeptAccount
from worker.demo.providers import RunningProviders
from worker.demo.region import RunningRegion, start_region
from worker.demo.region_state import AGGREGATOR, Fault, Region
from worker.demo.servers import serve
from worker.demo.start_page import Desk
from worker.demo.start_page_texts import ENGLISH, SWEDISH, TEXTS, Texts
from worker.web import pages
from worker.web.security import SecurityHeaders

FEED = (
    "BEGIN:VCALENDAR\r\n"
    "BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Bokad tid\\, Ekens <b>vård</b>\r\nLOCATION:Ekgatan 1\r\n"
    "DTSTART;TZID=Europe/Stockholm:20261202T133000\r\nSTATUS:CONFIRMED\r\nSEQUENCE:2\r\nEND:VEVENT\r\n"
    "BEGIN:VEVENT\r\nUID:2\r\nSUMMARY:Avbokad: Bokad tid\r\n"
    "DTSTART;TZID=Europe/Stockholm:20261203T090000\r\nSTATUS:CANCELLED\r\nSEQUENCE:1\r\nEND:VEVENT\r\n"
    "END:VCALENDAR\r\n"
)


@dataclass
class Visitor:
    """Somebody at the page with a browser that says where its forms come from."""

    http: httpx.Client
    desk: Desk
    answer: httpx.Response | None = field(default=None)

    @property
    def region(self) -> Region:
        return self.desk.region.state

    def look(self, language: str = "sv") -> html.HtmlElement:
        self.answer = self.http.get("/", params={"lang": language})
        assert self.answer.status_code == 200
        return html.fromstring(self.answer.text)

    def text(self, section: str, language: str = "sv") -> str:
        return " ".join(self.look(language).get_element_by_id(section).text_content().split())

    def post(self, path: str, **form: str) -> str:
        """Presses a button; returns where it led."""
        self.answer = self.http.post(path, data={"lang": "sv", **form}, headers={"Sec-Fetch-Site": "same-origin"})
        assert self.answer.status_code == 303, self.answer.text
        return str(self.answer.headers["location"])

    def press(self, act: str, booking_id: str = "") -> str:
        return self.post("/demo/bookings", act=act, booking=booking_id)

    def starts(self) -> dict[str, datetime]:
        return {one.id: one.start_at for one in self.region.coming(self.desk.citizen.identity)}


@pytest.fixture
def clock(now: datetime) -> BusinessClock:
    return BusinessClock(now)


@pytest.fixture
def region(clock: BusinessClock) -> Iterator[RunningRegion]:
    running = start_region(clock.now, citizens=5)
    yield running
    running.stop()


@pytest.fixture
def database(sqlite_url: str) -> Iterator[Sessions]:
    opened = open_database(sqlite_url)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def feed_url() -> Iterator[str]:
    server = serve(Starlette(routes=[Route("/f/kalender.ics", _feed)]))
    yield f"{server.url}/f/kalender.ics"
    server.stop()


@pytest.fixture
def desk(  # one argument for each thing on the page
    database: Sessions,
    vault: Vault,
    clock: BusinessClock,
    region: RunningRegion,
    providers: RunningProviders,
    feed_url: str,
) -> Desk:
    with database.writing() as session:
        subject_id = build.subject(session, vault, clock.now(), Person(region.cast.first.identity)).id
    waits = (timedelta(seconds=5), timedelta(seconds=15), timedelta(seconds=5))
    account = KeptAccount("abcdefghij", "abcd-efgh")
    account_url = "http://127.0.0.1:8000/dav/"
    return Desk(database, clock, region, providers, subject_id, new_id(), feed_url, account_url, account, *waits)


@pytest.fixture
def visitor(desk: Desk) -> Iterator[Visitor]:
    yield from _visiting(desk)


async def _feed(_: Request) -> Response:
    return PlainTextResponse(FEED, headers={"ETag": '"7-1"'})


def _visiting(desk: Desk) -> Iterator[Visitor]:
    app = Starlette(routes=[pages.static(), *start_page.routes(desk)])
    app.add_middleware(SecurityHeaders)
    server = serve(app)
    with httpx.Client(base_url=server.url, trust_env=False, timeout=10) as http:
        yield Visitor(http, desk)
    server.stop()


def _sms(visitor: Visitor, body: str, to: str = "") -> None:
    """Has the simulated Twilio accept a message, to the citizen unless another is named."""
    account = visitor.desk.providers.account
    answer = httpx.post(
        f"{visitor.desk.providers.url}/2010-04-01/Accounts/{account.sid}/Messages.json",
        auth=(account.sid, account.token),
        data={"To": to or visitor.desk.citizen.phone, "From": account.sender, "Body": body},
        trust_env=False,
    )
    assert answer.status_code == 201


def test_the_page_names_people_and_never_shows_an_identity_number(visitor: Visitor) -> None:
    visitor.press("cancel", "B0101")
    for language in TEXTS:
        page = html.tostring(visitor.look(language), encoding="unicode")
        assert visitor.desk.citizen.name in page
        assert not [one.identity for one in visitor.desk.region.cast.people if one.identity in page]


def test_the_calendar_shows_what_is_served_and_marks_what_is_off_in_words_too(visitor: Visitor) -> None:
    section = visitor.look().get_element_by_id("calendar")
    on, off = section.findall(".//li")
    assert "onsdag 2 december kl.\u00a013.30" in on.text_content()
    assert "Ändrad (SEQUENCE 2)" in on.text_content()
    assert [struck.text_content() for struck in off.iter("s")] == ["torsdag 3 december kl.\u00a009.00"]
    assert "Gäller inte längre" in off.text_content()
    assert '"7-1"' in section.text_content()


@pytest.mark.parametrize(("language", "looks"), [("sv", "Tittar efter ändringar"), ("en", "Looks for changes")])
def test_every_way_to_add_the_calendar_is_offered_and_says_how_often_it_looks(
    visitor: Visitor, language: str, looks: str
) -> None:
    section = visitor.look(language).get_element_by_id("add")

    hosts = [urlsplit(str(link)).netloc or str(link)[:7] for link in section.xpath(".//a/@href")]
    ours = urlsplit(visitor.desk.feed_url).netloc
    assert hosts == [ours, "/demo/p", ours, "/demo/a", "calendar.google.com", "outlook.live.com", "outlook.office.com"]
    assert section.text_content().count(looks) == 4
    assert section.xpath("string(.//svg[@role='img']/title)") == TEXTS[language].qr_code
    account = visitor.desk.account
    shown = [visitor.desk.feed_url, visitor.desk.account_url, account.name, account.password]
    assert section.xpath(".//input/@value") == shown


def test_the_apple_profile_is_downloaded_kept_by_no_cache_and_subscribes_to_the_address(visitor: Visitor) -> None:
    answer = visitor.http.get("/demo/profile?lang=en")

    assert answer.headers["content-type"] == "application/x-apple-aspen-config"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-disposition"] == 'attachment; filename="kallelse.mobileconfig"'
    profile = plistlib.loads(answer.content)
    assert profile["PayloadDisplayName"] == "Booked times"
    assert profile["PayloadContent"][0]["SubCalAccountHostName"] == visitor.desk.feed_url


def test_the_account_profile_fills_in_everything_but_the_password(visitor: Visitor) -> None:
    answer = visitor.http.get("/demo/account-profile?lang=sv")

    (payload,) = plistlib.loads(answer.content)["PayloadContent"]
    assert payload["PayloadType"] == "com.apple.caldav.account"
    assert (payload["CalDAVHostName"], payload["CalDAVPort"], payload["CalDAVUseSSL"]) == ("127.0.0.1", 8000, False)
    assert payload["CalDAVUsername"] == visitor.desk.account.name
    assert payload["CalDAVPrincipalURL"] == resources.principal(visitor.desk.account.name).path
    assert visitor.desk.account.password.encode() not in answer.content


def test_a_hostile_text_from_a_clinic_stays_text(visitor: Visitor) -> None:
    booking = visitor.region.booking("B0101")
    visitor.region.change(replace(booking, time_type_name="<script>alert(1)</script>"))
    _sms(visitor, "<img src=x onerror=alert(1)>")
    page = visitor.look()
    assert page.xpath("//script/@src") == ["/static/follow.js"]
    assert not page.xpath("//script[not(@src)] | //img | //b")
    assert "<script>alert(1)</script>" in unescape(page.get_element_by_id("care").text_content())
    assert "Ekens <b>vård</b>" in page.get_element_by_id("calendar").text_content()


def test_a_feed_that_does_not_answer_is_said_so_instead_of_an_empty_calendar(desk: Desk) -> None:
    for visitor in _visiting(replace(desk, feed_url="http://127.0.0.1:9/f/x.ics")):
        assert SWEDISH.feed_silent in visitor.text("calendar")
        assert SWEDISH.no_events not in visitor.text("calendar")


def test_a_refused_feed_is_said_so_with_its_status(desk: Desk) -> None:
    for visitor in _visiting(replace(desk, feed_url=desk.feed_url.replace("kalender", "borta"))):
        assert "svarar 404" in visitor.text("calendar")


def test_the_phone_shows_this_citizens_messages_only_the_newest_first(visitor: Visitor) -> None:
    assert SWEDISH.no_messages in visitor.text("phone")
    _sms(visitor, "Först")
    _sms(visitor, "Till en annan", to="+46701740690")
    _sms(visitor, "Sist")
    bodies = [one.text_content() for one in visitor.look().xpath("//p[@class='body']")]
    assert bodies == ["Sist", "Först"]


def test_moving_a_booking_keeps_its_id_and_hour_and_takes_the_next_day(visitor: Visitor) -> None:
    before = visitor.starts()["B0101"]
    assert visitor.press("move", "B0101") == "/?lang=sv&done=move#care"
    assert visitor.starts()["B0101"] == before + timedelta(days=1)


def test_a_move_over_a_clock_change_keeps_the_wall_clocks_hour(visitor: Visitor) -> None:
    booking = visitor.region.booking("B0101")
    change_on = datetime(2027, 3, 27, 14, 30, tzinfo=booking.start_at.tzinfo)
    visitor.region.change(replace(booking, start_at=change_on, end_at=change_on + timedelta(minutes=30)))
    visitor.press("move", "B0101")
    moved = visitor.region.booking("B0101")
    assert (moved.start_at.day, moved.start_at.hour, moved.end_at.hour) == (28, 14, 15)


def test_swapping_cancels_the_old_id_and_books_a_new_one_at_the_same_facility(visitor: Visitor) -> None:
    before, facility = visitor.starts(), visitor.region.booking("B0101").facility
    visitor.press("new_id", "B0101")
    (new_id,) = visitor.starts().keys() - before.keys()
    assert "B0101" not in visitor.starts()
    assert visitor.region.booking(new_id).facility == facility
    assert visitor.starts()[new_id] == before["B0101"] + timedelta(days=1)


def test_cancelling_shows_the_booking_struck_and_restoring_brings_it_back(visitor: Visitor) -> None:
    before = visitor.starts()
    visitor.press("cancel", "B0102")
    assert "B0102" not in visitor.starts()
    assert visitor.look().xpath("//button[@data-key='restore B0102']")
    visitor.press("restore", "B0102")
    assert visitor.starts() == before
    assert not visitor.look().xpath("//button[@value='restore']")


def test_a_new_booking_is_at_a_free_hour_of_a_weekday_and_can_itself_be_cancelled_and_restored(
    visitor: Visitor,
) -> None:
    before = visitor.starts()
    for _ in range(8):
        visitor.press("book")
    new = {booking_id: at for booking_id, at in visitor.starts().items() if booking_id not in before}
    assert len(set(new.values())) == 8
    assert all(at.weekday() < 5 for at in new.values())
    made = next(iter(new))
    visitor.press("cancel", made)
    visitor.press("restore", made)
    assert made in visitor.starts()


def test_what_was_cancelled_by_others_meanwhile_is_said_and_changes_nothing(visitor: Visitor) -> None:
    visitor.region.cancel("B0101")
    before = visitor.starts()
    assert visitor.press("move", "B0101") == "/?lang=sv&done=missing#care"
    assert visitor.starts() == before


def test_a_systems_fault_is_set_at_its_time_book_and_ended_again(visitor: Visitor) -> None:
    for fault in (one for one in Fault if one is not Fault.OK):
        visitor.post("/demo/systems", address=SPECIALISTS.hsa_id, answers=fault)
        assert visitor.region.fault_of(visitor.region.logical_address(SKIN.hsa_id)) is fault
        assert _chosen(visitor, SPECIALISTS.hsa_id) == [fault]
    visitor.post("/demo/systems", address=SPECIALISTS.hsa_id, answers="ok")
    assert not visitor.region.faults


def test_a_permission_lost_for_everyone_is_shown_and_given_back(visitor: Visitor) -> None:
    visitor.post("/demo/systems", address=HEALTH_CENTRE.hsa_id, answers="forbidden")
    assert visitor.region.permissions[HEALTH_CENTRE.hsa_id] is False
    assert _chosen(visitor, HEALTH_CENTRE.hsa_id) == ["forbidden"]
    visitor.post("/demo/systems", address=HEALTH_CENTRE.hsa_id, answers="ok")
    assert all(visitor.region.permissions.values())


def test_the_aggregating_service_can_be_silenced_but_has_no_permission_to_lose(visitor: Visitor) -> None:
    visitor.post("/demo/systems", address=AGGREGATOR, answers="timeout")
    assert visitor.region.faults == {AGGREGATOR: Fault.TIMEOUT}
    assert "forbidden" not in visitor.look().xpath(f"//select[@data-key='answers {AGGREGATOR}']/option/@value")


def _chosen(visitor: Visitor, address: str) -> list[str]:
    return [
        str(one) for one in visitor.look().xpath(f"//select[@data-key='answers {address}']/option[@selected]/@value")
    ]


def test_business_time_goes_where_the_button_says(visitor: Visitor) -> None:
    for to, expected in (
        ("ten", "2026-11-24T10:00+01:00"),
        ("hour", "2026-11-24T11:00+01:00"),
        ("sixteen", "2026-11-24T16:00+01:00"),
        ("day", "2026-11-25T16:00+01:00"),
    ):
        assert visitor.post("/demo/time", to=to) == "/?lang=sv&done=forwarded#time"
        assert timedelta() <= visitor.desk.clock.now() - datetime.fromisoformat(expected) < timedelta(seconds=60)


def test_without_a_visit_or_a_planning_to_come_there_is_no_button_and_time_stands(visitor: Visitor) -> None:
    assert visitor.look().xpath("//button[@name='to']/@value") == ["ten", "sixteen", "hour", "day"]
    before = visitor.desk.clock.now()
    visitor.post("/demo/time", to="visit")
    assert visitor.desk.clock.now() - before < timedelta(seconds=30)


def test_who_has_not_answered_is_named_with_since_when(visitor: Visitor, now: datetime) -> None:
    assert visitor.text("silent").endswith(SWEDISH.nobody_silent)
    since = now - timedelta(hours=2)
    with visitor.desk.sessions.writing() as session:
        build.facility(session, HEALTH_CENTRE.hsa_id, display_name="Ekens vårdcentral")
        session.add(Address(source="region", address=HsaId(HEALTH_CENTRE.hsa_id), silent_since=since))
        session.add(Address(source="region", address=HsaId("SE2321000016-XXXX"), not_visible_since=since))
        session.add(Address(source="region", address=WHOLE_SOURCE, silent_since=since))
    text = visitor.text("silent")
    assert "Ekens vårdcentral har inte svarat sedan i dag, tisdag 24 november kl. 07.55" in text
    assert "SE2321000016-XXXX syns inte längre för oss" in text
    assert SWEDISH.aggregator in text


def test_a_form_from_another_site_changes_nothing(visitor: Visitor) -> None:
    before = visitor.starts()
    for headers in (
        {},
        {"Origin": "https://example.com"},
        {"Origin": "null"},
        {"Origin": str(visitor.http.base_url).rstrip("/"), "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        refused = visitor.http.post("/demo/bookings", data={"act": "cancel", "booking": "B0101"}, headers=headers)
        assert refused.status_code == 403
    assert visitor.starts() == before


def test_a_form_no_button_sends_is_refused_in_words(visitor: Visitor) -> None:
    for path, form in (
        ("/demo/time", {"to": "yesterday"}),
        ("/demo/time", {}),
        ("/demo/bookings", {"act": "delete everything", "booking": "B0101"}),
        ("/demo/bookings", {"act": "move"}),
        ("/demo/systems", {"address": "SE2321000016-XXXX", "answers": "fault"}),
        ("/demo/systems", {"address": AGGREGATOR, "answers": "forbidden"}),
        ("/demo/systems", {"address": HEALTH_CENTRE.hsa_id, "answers": "sometimes"}),
    ):
        refused = visitor.http.post(path, data={"lang": "sv", **form}, headers={"Sec-Fetch-Site": "same-origin"})
        assert (refused.status_code, refused.text) == (400, SWEDISH.missing)


def test_every_button_says_its_result_in_the_page_it_leads_to(visitor: Visitor) -> None:
    for done in SWEDISH.done:
        for language, texts in TEXTS.items():
            page = visitor.http.get("/", params={"done": done, "lang": language})
            assert html.fromstring(page.text).xpath("//p[@class='done']/text()") == [texts.done[done]]
    assert not html.fromstring(visitor.http.get("/", params={"done": "<b>"}).text).xpath("//p[@class='done']")


def test_the_page_is_kept_by_no_cache_and_runs_no_script_but_its_own(visitor: Visitor) -> None:
    visitor.look()
    assert visitor.answer is not None
    headers = visitor.answer.headers
    assert headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    for asset in ("/static/kallelse.css", "/static/follow.js"):
        assert visitor.http.get(asset).status_code == 200


def test_the_page_can_be_used_without_script_and_read_aloud(visitor: Visitor) -> None:
    page = visitor.look("en")
    assert page.get("lang") == "en"
    assert page.xpath("//h1/text()") == page.xpath("//head/title/text()") == [ENGLISH.title]
    assert page.xpath("//a[text()='Refresh']/@href") == ["/?lang=en"]
    labelled = set(page.xpath("//label/@for"))
    controls = page.xpath("//select/@id | //input[@type='text']/@id")
    assert set(controls) <= labelled
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))
    assert not page.xpath("//@style | //@onclick | //form[@method!='post']")


def test_swedish_is_the_language_unless_the_browser_prefers_english(visitor: Visitor) -> None:
    assert 'lang="sv"' in visitor.http.get("/").text[:40]
    assert 'lang="en"' in visitor.http.get("/", headers={"Accept-Language": "en-GB,sv;q=0.5"}).text[:40]


def test_every_text_is_there_in_both_languages_with_the_same_blanks() -> None:
    for one in fields(Texts):
        swedish, english = _flat(getattr(SWEDISH, one.name)), _flat(getattr(ENGLISH, one.name))
        assert swedish.keys() == english.keys(), one.name
        for key, text in swedish.items():
            assert text.strip(), (one.name, key)
            assert english[key].strip(), (one.name, key)
            assert _blanks(text) == _blanks(english[key]), (one.name, key)


def test_every_choice_has_words() -> None:
    for texts in TEXTS.values():
        assert set(texts.answers) == set(Answers)
        assert set(texts.targets) == set(Target)


def _flat(text: Any) -> dict[Any, str]:
    if isinstance(text, str):
        return {"": text}
    return dict(text) if hasattr(text, "keys") else dict(enumerate(text))


def _blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}
