"""Who answers our texts is heard at once and once, and nothing that they write touches a visit."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Barrier, Thread

import pytest
from sqlmodel import col, select

from notifier import replies
from notifier.channels.inbound import ReceivedText
from notifier.reply_texts import answer
from store.audit import about_contact
from store.bookings import Booking
from store.deliveries import Suppression, suppress, suppressions
from store.intents import Intent
from store.purposes import SUPPRESSIBLE, Purpose
from store.replies import Reply
from store.subjects import ContactKind, ContactPoint
from tests.notifier.conftest import Provider, Scene, at, facility_values
from tests.people import ANNA, BERTIL, DAVID, Person
from tests.wire.http_peer import answer_json

FIRST, NEXT = at("2026-11-30 16:00"), at("2026-12-02 16:00")  # when the reminders below are due
STRANGER = "+46701740655"
SITE = "https://kallelse.example.se"


@dataclass
class Phone:
    """Sends texts to a scene's number."""

    scene: Scene
    number: str = str(ANNA.phone)
    sent: int = 0

    def text(self, text: str, when: datetime = FIRST, **values: object) -> str:
        """The answer."""
        self.sent += 1
        came = ReceivedText(
            "twilio", f"SM{self.number[-3:]}{self.sent:029}", self.number, text, None, is_answered_by_provider=False
        )
        return self.bring(replace(came, **values), when)  # type: ignore[arg-type]

    def bring(self, came: ReceivedText, when: datetime = FIRST) -> str:
        return replies.take(self.scene.sessions, self.scene.vault, came, when, when, SITE)

    @property
    def digest(self) -> str:
        return self.scene.vault.digest(ContactKind.PHONE, self.number)

    @property
    def spared(self) -> set[Purpose]:
        with self.scene.sessions.reading() as session:
            return {one for one in Purpose if suppressions(session, [self.digest], one)}


@pytest.fixture
def phone(scene: Scene) -> Phone:
    """Anna's, who has two visits coming."""
    facility_values(scene, cancel_deadline="")
    anna = scene.subject(Person(ANNA.number, phone=ANNA.phone))
    for start in ("2026-12-01 13:30", "2026-12-03 09:00"):
        scene.booking(anna, start)
    return Phone(scene)


def kept(scene: Scene) -> list[Reply]:
    with scene.sessions.reading() as session:
        return list(session.exec(select(Reply).order_by(col(Reply.received_at), col(Reply.provider_id))))


def test_check_15_after_stopp_a_due_reminder_is_skipped_and_after_start_the_next_one_goes(
    phone: Phone, provider: Provider
) -> None:
    scene = phone.scene
    scene.plan(FIRST)
    assert phone.text("Stopp!") == answer(Intent.STOP, "sv")
    scene.send(provider.channels, FIRST)
    assert (scene.states(), provider.to) == ([("skipped", "suppressed")], [])

    assert phone.text("START", FIRST + timedelta(hours=1)) == answer(Intent.START, "sv")
    scene.plan(NEXT)
    scene.send(provider.channels, NEXT)
    assert scene.states() == [("skipped", "suppressed"), ("accepted", "")]
    assert provider.texts == ["Påminnelse: torsdag 3 december kl. 09.00, Ekens vårdcentral. https://www.1177.se"]


def test_c23_c24_c25_stopp_is_kept_by_us_answered_all_the_same_and_says_the_way_back(phone: Phone) -> None:
    said = phone.text("STOPP")
    assert phone.spared == SUPPRESSIBLE
    assert "START" in said
    assert phone.text("START", FIRST + timedelta(minutes=1)) == answer(Intent.START, "sv")
    assert phone.spared == set()


def test_stopp_spares_every_purpose_but_codes_and_touches_no_visit(phone: Phone) -> None:
    before = visits(phone.scene)
    phone.text("STOPP")
    assert phone.spared == SUPPRESSIBLE == set(Purpose) - {Purpose.CODE}
    assert visits(phone.scene) == before


def visits(scene: Scene) -> list[dict[str, object]]:
    """Every column of every booking."""
    with scene.sessions.reading() as session:
        rows = session.exec(select(Booking).order_by(col(Booking.id))).all()
        return [{name: getattr(one, name) for name in Booking.model_fields} for one in rows]


@pytest.mark.parametrize("text", ["ja tack men ej fredag", "avboka tisdag", "", "👍", "x" * 1600])
def test_what_is_not_understood_changes_nothing_and_is_told_so_once(phone: Phone, text: str) -> None:
    before = visits(phone.scene)
    assert phone.text(text) == answer(Intent.UNKNOWN, "sv")
    assert phone.text(text, FIRST + timedelta(minutes=1)) == ""
    assert (phone.spared, visits(phone.scene)) == (set(), before)


def test_one_text_brought_five_times_is_kept_and_answered_once(phone: Phone) -> None:
    """A copy that comes after START must not stop anew."""
    came = ReceivedText("twilio", "SM1", phone.number, "STOPP", None, is_answered_by_provider=False)
    answers = [phone.bring(came, FIRST + timedelta(seconds=second)) for second in range(4)]
    phone.text("START", FIRST + timedelta(seconds=10))
    answers.append(phone.bring(came, FIRST + timedelta(seconds=20)))
    assert answers == [answer(Intent.STOP, "sv"), "", "", "", ""]
    assert [one.intent for one in kept(phone.scene)] == ["stop", "start"]
    assert phone.spared == set()


def test_one_text_brought_by_five_at_once_is_answered_once(phone: Phone) -> None:
    came = ReceivedText("twilio", "SM1", phone.number, "STOPP", None, is_answered_by_provider=False)
    answers = at_once([lambda: phone.bring(came)] * 5)
    assert sorted(answers) == ["", "", "", "", answer(Intent.STOP, "sv")]
    assert len(kept(phone.scene)) == 1


def at_once(calls: list[Callable[[], str]]) -> list[str]:
    answers: list[str] = []
    together = Barrier(len(calls))

    def run(call: Callable[[], str]) -> None:
        together.wait()
        answers.append(call())

    threads = [Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.parametrize("written", ["as received", "the last first"])
@pytest.mark.parametrize("words", [("STOPP", "START"), ("START", "STOPP"), ("STOPP", "START", "STOPP")])
def test_the_last_wish_received_stands_in_whatever_order_they_are_written_down(
    phone: Phone, words: tuple[str, ...], written: str
) -> None:
    received = [(word, FIRST + timedelta(seconds=place)) for place, word in enumerate(words)]
    for word, when in received if written == "as received" else reversed(received):
        phone.text(word, when)
    assert bool(phone.spared) == (words[-1] == "STOPP")


def test_stop_again_after_start_stops_again(phone: Phone) -> None:
    for minute, word in enumerate(["STOPP", "START", "STOPP"]):
        phone.text(word, FIRST + timedelta(minutes=minute))
    assert phone.spared == SUPPRESSIBLE


def test_check_16_an_opt_out_at_the_provider_is_remembered_lifted_by_start_and_remembered_anew(
    phone: Phone, provider: Provider
) -> None:
    scene = phone.scene
    provider.reaction = answer_json(400, {"code": 21610, "message": "unsubscribed", "status": 400})
    scene.plan(FIRST)
    scene.send(provider.channels, FIRST)
    assert scene.states() == [("failed", "opted_out")]
    assert (phone.spared, sources(scene)) == (SUPPRESSIBLE, {"provider"})

    phone.text("START")
    assert phone.spared == set()

    scene.plan(NEXT)
    scene.send(provider.channels, NEXT)
    assert scene.states()[1:] == [("failed", "opted_out")]
    assert phone.spared == SUPPRESSIBLE
    with scene.sessions.reading() as session:
        told = [(one.actor, str(one.act), one.way) for one in about_contact(session, phone.digest)]
    assert told == [
        ("provider", "opted_out", "21610"), ("citizen", "opted_in", "sms"), ("provider", "opted_out", "21610"),
    ]  # fmt: skip


def sources(scene: Scene) -> set[str]:
    with scene.sessions.reading() as session:
        return set(session.exec(select(Suppression.source)))


def test_start_lifts_what_stop_made_and_nothing_that_staff_decided(phone: Phone) -> None:
    with phone.scene.sessions.writing() as session:
        suppress(session, phone.digest, "sms", "staff", FIRST)
        suppress(session, phone.digest, "email", "citizen", FIRST)
    phone.text("STOPP")
    assert phone.text("START") == ""  # it would not be true
    with phone.scene.sessions.reading() as session:
        assert suppressions(session, [phone.digest], Purpose.REMINDER) == {
            (phone.digest, "sms"),
            (phone.digest, "email"),
        }


def test_a_wrong_person_is_told_nothing_more_whatever_else_they_write(phone: Phone, provider: Provider) -> None:
    """T19: the number may belong to somebody new."""
    scene = phone.scene
    scene.plan(FIRST)
    assert phone.text("Fel person") == answer(Intent.WRONG_PERSON, "sv")
    scene.send(provider.channels, FIRST)
    assert scene.states() == [("skipped", "no_contact")]
    for word in ("START", "STOPP", "START"):
        phone.text(word, FIRST + timedelta(minutes=1))
    scene.plan(NEXT)
    scene.send(provider.channels, NEXT)
    assert provider.to == []
    with scene.sessions.reading() as session:
        (contact,) = session.exec(select(ContactPoint)).all()
    assert (contact.dead_since, sources(scene)) == (FIRST, {"wrong_person"})


def test_a_strangers_words_reach_nobody_else(phone: Phone) -> None:
    """They are answered what they ask for by name, in Swedish; else a machine could be made to text anybody."""
    phone.scene.subject(BERTIL)
    stranger = Phone(phone.scene, STRANGER)
    answers = [stranger.text(word) for word in ("hej", "START", "HJÄLP", "fel nummer", "STOPP")]
    assert answers == ["", "", *(answer(one, "sv") for one in (Intent.HELP, Intent.WRONG_PERSON, Intent.STOP))]
    assert (phone.spared, stranger.spared) == (set(), SUPPRESSIBLE)
    with phone.scene.sessions.reading() as session:
        assert [one.dead_since for one in session.exec(select(ContactPoint))] == [None] * 2


def test_two_machines_do_not_talk_for_ever(phone: Phone) -> None:
    """An automatic reply to our answer is answered by at most one of each kind a day."""
    texts = [phone.text("Jag är ledig. Svarar på måndag.", FIRST + timedelta(minutes=minute)) for minute in range(20)]
    texts += [phone.text("HELP", FIRST + timedelta(minutes=minute)) for minute in range(20)]
    assert [text for text in texts if text] == [answer(Intent.UNKNOWN, "sv"), answer(Intent.HELP, "sv")]
    assert phone.text("HELP", FIRST + timedelta(days=2)) == answer(Intent.HELP, "sv")


def test_who_has_asked_for_silence_is_not_told_that_a_text_was_not_understood(phone: Phone) -> None:
    phone.text("STOPP")
    assert phone.text("tack") == ""


def test_the_answer_is_in_the_language_of_whose_number_it_is(phone: Phone) -> None:
    phone.scene.subject(DAVID)
    assert Phone(phone.scene, str(DAVID.phone)).text("STOPP") == answer(Intent.STOP, "en")


def test_what_the_provider_has_understood_is_done_and_not_answered_twice(phone: Phone) -> None:
    understood = {"provider_understood": Intent.STOP, "is_answered_by_provider": True}
    assert phone.text("arrêt", **understood) == ""
    assert phone.spared == SUPPRESSIBLE


def test_neither_words_nor_number_are_kept(phone: Phone, capsys: pytest.CaptureFixture[str]) -> None:
    phone.text("Hemligt om min mage")
    phone.text("fel person")
    (row, _) = kept(phone.scene)
    came = ReceivedText("twilio", "SM1", phone.number, "min mage", None, is_answered_by_provider=False)
    shown = f"{vars(row)} {capsys.readouterr()} {came}"
    assert "mage" not in shown
    assert phone.number[3:] not in shown
