"""Links in messages: whoever opens one changes nothing, a press of the button acts once, texts alone cancel nothing."""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote

import pytest
from sqlmodel import select, update

from notifier import reply_texts
from store import visit_answers
from store.action_links import ActionLink
from store.bookings import Booking
from store.deliveries import Delivery
from store.purposes import CHANGE_NOTICES, REMINDING, SUPPRESSIBLE
from store.standing import ChangeKind, Standing
from store.subjects import Subject
from tests.notifier.answering import SITE, Citizen, citizen_at, link_in
from tests.notifier.conftest import Provider, Scene, at
from tests.notifier.mailed import Mailed
from tests.people import ANNA, BERTIL, Person
from tests.wire.peers import Mishap

DAY_BEFORE = at("2026-11-30 16:00")
VISIT = "2026-12-01 13:30"
WHEN = "tisdag 1 december kl. 13.30"
SCANNERS = (
    "Mozilla/5.0 (compatible; Microsoft-Office-Protection)",
    "Barracuda Sentinel (EE)",
    "Mimecast-URL-Protect/1.0",
    "Proofpoint URL Defense",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
)

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def anna(scene: Scene, provider: Provider) -> Iterator[Citizen]:
    """Anna, told by SMS of a visit tomorrow."""
    scene.booking(scene.subject(Person(ANNA.number, phone=ANNA.phone)), VISIT)
    with citizen_at(scene, provider, DAY_BEFORE) as citizen:
        citizen.told(DAY_BEFORE)
        yield citizen


def link(citizen: Citizen) -> str:
    return link_in(citizen.provider.texts[-1])


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_check_34_c33_whoever_opens_a_link_changes_nothing_and_learns_nothing(anna: Citizen, method: str) -> None:
    before = anna.everything
    for scanner in ("", *SCANNERS):
        page = anna.asks(method, link(anna), User_Agent=scanner)
        assert page.status == 200
        assert page.headers["Cache-Control"] == "no-store"
        assert "noindex" in page.headers["X-Robots-Tag"]
        assert not {"Ekens", "december", "13.30", "010"} & set(page.text.replace("<", " ").split())
    assert anna.everything == before


def test_check_34_a_press_asks_once_and_says_whom_to_call(anna: Citizen) -> None:
    bookings = anna.bookings
    page = anna.presses(link(anna))
    assert (page.status, page.title) == (200, "Ring mottagningen för att avboka")
    assert WHEN in page.text
    assert 'href="tel:010-1234567"' in page.text
    again = anna.presses(link(anna))  # who presses twice at once
    assert (again.status, again.title) == (200, page.title)
    assert anna.answers == [("cancel", 1, "link")]
    assert anna.audit == [("citizen", "cancel_asked", "link")]
    assert anna.bookings == bookings


def test_whoever_says_ja_after_asking_to_cancel_is_not_cancelled_unasked(anna: Citizen) -> None:
    """The last word counts, in either order: a clinic must not cancel a visit that somebody was told they come to."""
    anna.presses(link(anna))
    assert taken_back(anna) == [False]
    for minute, word, is_back in ((1, "JA", True), (2, "link", False), (3, "JA", True)):
        anna.now = DAY_BEFORE + timedelta(minutes=minute)
        anna.text(word) if word == "JA" else anna.presses(link(anna))
        assert taken_back(anna) == [is_back]
    assert len(anna.answers) == 2


def taken_back(citizen: Citizen) -> list[bool]:
    with citizen.scene.sessions.reading() as session:
        return [one.is_taken_back for one in visit_answers.requests(session, citizen.scene.clinic_id)]


def test_check_34_a_used_link_says_so_and_names_nobody(anna: Citizen) -> None:
    anna.presses(link(anna))
    anna.real_now += timedelta(minutes=11)
    for page in (anna.opens(link(anna)), anna.presses(link(anna))):
        assert (page.status, page.title) == (410, "Du har redan bett om avbokning")
        assert "december" not in page.text
    assert len(anna.answers) == 1


def test_check_34_an_expired_link_says_so_in_the_citizens_language(anna: Citizen) -> None:
    anna.real_now += timedelta(days=370)
    assert (anna.opens(link(anna)).title, anna.opens(link(anna)).status) == ("Länken gäller inte längre", 410)
    with anna.scene.sessions.writing() as session:
        session.exec(update(Subject).values(language="en"))
    page = anna.presses(link(anna))
    assert (page.status, page.title) == (410, "The link is no longer valid")
    assert '<html lang="en">' in page.text
    assert anna.opens(link(anna) + "?lang=sv").title == "Länken gäller inte längre"
    assert anna.answers == []


@pytest.mark.parametrize("token", ["x" * 22, "x", "x" * 5000, "%00", "å" * 3, "' or 1=1"])
def test_check_34_an_unknown_link_is_answered_in_both_languages(anna: Citizen, token: str) -> None:
    for page in (anna.opens("/a/" + quote(token, safe="%")), anna.presses("/a/" + quote(token, safe="%"))):
        assert page.status == 404
        assert page.title == "Vi känner inte igen länken"
        assert "We do not recognise the link" in page.text


@pytest.mark.parametrize(
    "headers",
    [{}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "none"}, {"Origin": "https://evil.example.com"}],
)
def test_a_form_from_elsewhere_changes_nothing(anna: Citizen, headers: dict[str, str]) -> None:
    page = anna.asks("POST", link(anna), "visit=", **headers)
    assert (page.status, page.title) == (403, "Tryck på knappen på vår egen sida")
    one_click = anna.asks("POST", link(anna), "List-Unsubscribe=One-Click", **headers)  # that is for another kind
    assert (one_click.status, anna.answers) == (403, [])


CHANGES = {
    "moved": ({"start_at": at("2026-12-02 09:00"), "time_version": 2}, "Tiden har flyttats"),
    "cancelled": ({"standing": Standing.CANCELLED}, "Tiden är redan avbokad"),
    "gone": ({"standing": Standing.GONE}, "Tiden visas inte längre"),
    "passed": ({"standing": Standing.PASSED}, "Tiden har varit"),
    "begun": ({"start_at": DAY_BEFORE}, "Tiden har varit"),
}


@pytest.mark.parametrize(("values", "title"), CHANGES.values(), ids=CHANGES.keys())
def test_a_visit_that_is_not_as_it_was_told_is_said_to_be_and_nothing_false_is_noted(
    anna: Citizen, values: dict[str, object], title: str
) -> None:
    path = link(anna)
    anna.scene.set(Booking, anna.bookings[0]["id"], **values)
    page = anna.presses(path)
    assert (page.status, page.title) == (200, title)
    assert "december" not in page.text
    assert [anna.text(word) for word in ("JA", "AVBOKA")] == [reply_texts.has_changed("sv")] * 2
    assert (anna.answers, anna.audit) == ([], [])


@pytest.mark.parametrize("values", [{"protected_on": DAY_BEFORE.date()}, {"deceased_on": DAY_BEFORE.date()}])
def test_of_somebody_protected_a_link_tells_nothing(anna: Citizen, values: dict[str, object]) -> None:
    path = link(anna)
    anna.scene.set(Subject, anna.bookings[0]["subject_id"], **values)
    page = anna.presses(path)
    assert (page.status, page.title, anna.answers) == (410, "Länken gäller inte längre", [])


@pytest.mark.parametrize("word", ["JA", "1", "Yes!", "ja tack"])
def test_ja_confirms_the_visit_that_was_told_of_once(anna: Citizen, word: str) -> None:
    bookings = anna.bookings
    assert WHEN in anna.text(word)
    anna.text(word)
    assert (anna.answers, anna.bookings) == ([("confirm", 1, "sms")], bookings)
    assert anna.audit == [("citizen", "confirmed", "sms")]


def test_avboka_cancels_nothing_and_gives_the_same_link_as_the_message(anna: Citizen) -> None:
    before = anna.everything
    answer = anna.text("AVBOKA")
    assert answer == reply_texts.cancel_here(at(VISIT), SITE + link(anna), "sv")
    assert anna.everything == before
    anna.presses(link_in(answer))
    assert anna.answers == [("cancel", 1, "link")]


def test_avboka_with_the_code_means_that_visit_and_no_other_code_means_any(anna: Citizen) -> None:
    code = anna.provider.texts[-1].rpartition(" ")[2]
    assert WHEN in anna.text(f"avboka {code.lower()}")
    assert anna.text("AVBOKA 1A2B") == reply_texts.no_such_visit("sv")
    assert anna.answers == []


def test_of_two_visits_told_a_word_changes_nothing_and_the_page_asks_which(scene: Scene, provider: Provider) -> None:
    """Two of one day stand in one message, with one link."""
    engagement = scene.subject(Person(ANNA.number, phone=ANNA.phone))
    for start in (VISIT, "2026-12-01 15:00"):
        scene.booking(engagement, start)
    with citizen_at(scene, provider, DAY_BEFORE) as citizen:
        path = link_in(citizen.told(DAY_BEFORE))
        answers = [citizen.text("JA"), citizen.text("AVBOKA")]
        assert (answers[1], citizen.answers) == (reply_texts.which(SITE + path, "sv"), [])
        assert citizen.presses(link_in(answers[0])).title == "Vilken tid kommer du till?"
        assert citizen.presses(path).title == "Vilken tid vill du avboka?"
        assert citizen.answers == []
        assert "kl. 15.00" in citizen.presses(path, visit="1").text
        assert citizen.answers == [("cancel", 1, "link")]
        assert citizen.opens(path).status == 200  # the other one can still be asked for
        citizen.presses(path, visit="0")
        assert (len(citizen.answers), citizen.opens(path).status) == (2, 410)


def test_a_stranger_and_a_wrong_person_learn_of_no_visit(anna: Citizen) -> None:
    assert [anna.text(word, str(BERTIL.phone)) for word in ("JA", "AVBOKA")] == ["", ""]
    anna.text("FEL PERSON")
    assert [anna.text(word) for word in ("JA", "AVBOKA")] == ["", ""]
    assert anna.answers == []


def test_b22_answers_about_visits_are_few_a_day(anna: Citizen) -> None:
    assert len([one for one in [anna.text("AVBOKA") for _ in range(20)] if one]) == 5


def test_a_text_made_again_after_a_lost_answer_holds_the_same_link(scene: Scene, provider: Provider) -> None:
    """Else the provider could not be asked whether it has it, and the person would be told twice."""
    scene.booking(scene.subject(Person(ANNA.number, phone=ANNA.phone)), VISIT)
    with citizen_at(scene, provider, DAY_BEFORE) as citizen:
        provider.reaction = Mishap.RESET
        scene.plan(DAY_BEFORE)
        scene.send(provider.channels, DAY_BEFORE)
        first = scene.attempts()[0].wording_digest
        with scene.sessions.writing() as session:
            session.exec(update(Delivery).values(state="queued", claimed_until=None, ask_at=None, unknown_since=None))
        provider.reaction = None
        scene.send(provider.channels, DAY_BEFORE)
        assert {one.wording_digest for one in scene.attempts()} == {first}
        with scene.sessions.reading() as session:
            assert len(session.exec(select(ActionLink)).all()) == 1
        assert citizen.opens(link(citizen)).status == 200


def test_tokens_are_kept_as_keyed_digests_only(anna: Citizen) -> None:
    token = link(anna).removeprefix("/a/")
    with anna.scene.sessions.reading() as session:
        (row,) = session.exec(select(ActionLink))
        assert token not in str([getattr(row, name) for name in ActionLink.model_fields])
        assert row.expires_at - row.made_at <= timedelta(days=1)


@pytest.fixture
def mailed(scene: Scene) -> Iterator[Mailed]:
    with Mailed.of(scene) as made:
        yield made


def test_check_34_a_reminder_mail_ends_reminders_by_one_click_without_cookies_or_a_page(mailed: Mailed) -> None:
    headers = mailed.headers()
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    path = headers["List-Unsubscribe"].removeprefix(f"<{SITE}").removesuffix(">")
    before = mailed.citizen.everything
    assert mailed.citizen.opens(path).title == "Vill du avsluta påminnelserna?"
    assert mailed.citizen.everything == before
    for _ in range(2):
        assert mailed.citizen.asks("POST", path, "List-Unsubscribe=One-Click").status == 200
    assert mailed.citizen.spared("email") == REMINDING
    assert mailed.citizen.audit == [("citizen", "opted_out", "one_click")]


def test_one_click_comes_as_either_kind_of_form(mailed: Mailed) -> None:
    path = mailed.headers()["List-Unsubscribe"].removeprefix(f"<{SITE}").removesuffix(">")
    body = '--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'
    answer = mailed.citizen.asks("POST", path, body, Content_Type="multipart/form-data; boundary=x")
    assert (answer.status, mailed.citizen.spared("email")) == (200, REMINDING)


def test_check_34_what_changes_a_visit_carries_no_way_to_unsubscribe(mailed: Mailed) -> None:
    mailed.scene.change(mailed.booking_id, ChangeKind.MOVED, DAY_BEFORE, start_at=at("2026-12-02 09:00"))
    mailed.tell(DAY_BEFORE + timedelta(minutes=5))
    assert "flyttad" in mailed.last.subject_line
    assert (mailed.last.unsubscribe_url, "List-Unsubscribe" in mailed.headers()) == ("", False)
    assert set() == CHANGE_NOTICES & REMINDING


def test_check_15_16_who_unsubscribes_by_the_link_is_told_of_changes_only_and_the_way_back_restores(
    mailed: Mailed,
) -> None:
    citizen = mailed.citizen
    path = link_after("Avsluta dem här: ", mailed.last.text)
    page = citizen.presses(path)
    assert page.title == "Påminnelserna är avslutade"
    mailed.scene.booking(mailed.engagement, "2026-12-03 09:00")
    mailed.tell(at("2026-12-02 16:00"))
    assert (len(mailed.taken), mailed.scene.states()[1:]) == (1, [])
    back = page.text.partition('href="/a/')[2].partition('"')[0]
    assert citizen.presses("/a/" + back).title == "Du får påminnelser igen"
    assert citizen.spared("email") == set()
    assert citizen.audit == [("citizen", "opted_out", "link"), ("citizen", "opted_in", "link")]
    citizen.presses(path)  # used up: it does not end them again
    assert citizen.spared("email") == set()
    mailed.tell(at("2026-12-02 16:30"))
    assert len(mailed.taken) == 2


def test_a_queued_reminder_is_held_back_after_one_click(mailed: Mailed) -> None:
    """Check 15: at sending too, not only at planning."""
    mailed.scene.booking(mailed.engagement, "2026-12-03 09:00")
    mailed.scene.plan(at("2026-12-02 16:00"))
    path = mailed.headers()["List-Unsubscribe"].removeprefix(f"<{SITE}").removesuffix(">")
    mailed.citizen.asks("POST", path, "List-Unsubscribe=One-Click")
    mailed.scene.send(mailed.channels, at("2026-12-02 16:00"))
    assert mailed.scene.states()[1:] == [("skipped", "suppressed")]


def test_a_wrong_person_says_so_by_link_and_is_sent_nothing_more(mailed: Mailed) -> None:
    page = mailed.citizen.presses(link_after("Säg till här: ", mailed.last.text))
    assert page.title == "Tack för att du sade till"
    assert mailed.citizen.spared("email") == SUPPRESSIBLE
    assert mailed.citizen.audit == [("citizen", "wrong_person", "link")]


def link_after(words: str, text: str) -> str:
    return text.partition(words + SITE)[2].split()[0]


def test_no_token_stands_in_a_log(anna: Citizen, capsys: pytest.CaptureFixture[str]) -> None:
    anna.presses(link(anna))
    anna.text("AVBOKA")
    shown = capsys.readouterr()
    assert link(anna).removeprefix("/a/") not in shown.out + shown.err
