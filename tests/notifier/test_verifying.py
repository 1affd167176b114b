"""A number that somebody gives us is theirs when they read out the code sent to it, and not before; a guessed code, an
old number and a guardian's phone reach nobody."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from sqlmodel import col, select

from notifier import codes, verifying
from notifier.sms_text import cost
from notifier.verifying import Moment, Outcome, TooMany
from store import contact_points, subjects
from store.clinics import Clinic
from store.contact_codes import APART, MOST_A_DAY, MOST_TRIES, VALID, ContactCode
from store.custody import guarded_until
from store.deliveries import Wording
from store.subjects import ContactKind, ContactPoint, Said, Subject, add_contact, cipher_of
from tests.notifier.conftest import Provider, Scene, at, facility_values
from tests.people import BERTIL, EBBA, Person

NOW = at("2026-11-30 16:00")
REAL_NOW = datetime(2026, 11, 30, 15, 0, tzinfo=UTC)
NEW, OTHER = "+46701740609", "+46701740610"


def send(scene: Scene, subject_id: UUID, address: str = NEW, after: timedelta = timedelta()) -> UUID:
    with scene.sessions.writing() as session:
        row, moment = session.get_one(Subject, subject_id), Moment(NOW + after, REAL_NOW + after)
        return verifying.send_code(session, scene.vault, row, ContactKind.PHONE, address, moment).id


def check(scene: Scene, contact_id: UUID, typed: str, after: timedelta = timedelta()) -> Outcome:
    with scene.sessions.writing() as session:
        row, moment = session.get_one(ContactPoint, contact_id), Moment(NOW + after, REAL_NOW + after)
        return verifying.check_code(session, scene.vault, row, typed, moment)


def sent_code(scene: Scene) -> str:
    with scene.sessions.reading() as session:
        newest = session.exec(select(ContactCode.id).order_by(col(ContactCode.id).desc())).first()
        assert newest is not None
        return codes.code(scene.vault, newest)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


def told_to(scene: Scene, provider: Provider, when: datetime = NOW) -> list[str]:
    """To whom a reminder of a new visit goes."""
    before = len(provider.to)
    scene.plan(when)
    scene.send(provider.channels, when)
    return provider.to[before:]


def test_a_new_number_is_used_once_its_code_is_read_out_and_the_old_one_no_more(
    scene: Scene, provider: Provider
) -> None:
    of = scene.subject(BERTIL)
    contact = send(scene, of.subject_id)
    scene.send(provider.channels, NOW)
    code = provider.texts[0].split()[0]
    assert (provider.to, code) == ([NEW], sent_code(scene))
    facility_values(scene, cancel_deadline="")
    scene.booking(of, "2026-12-01 13:30")
    assert told_to(scene, provider) == [BERTIL.phone]  # whoever has the new one has not shown it yet

    assert check(scene, contact, f"{code[:3]} {code[3:]}") == Outcome.VERIFIED
    scene.booking(of, "2026-12-03 13:30")
    assert told_to(scene, provider, at("2026-12-02 16:00")) == [NEW]


def test_a_code_goes_at_night_from_the_operators_own_account_and_is_kept_nowhere(
    scene: Scene, provider: Provider
) -> None:
    night = timedelta(hours=11)
    of = scene.subject(BERTIL)
    send(scene, of.subject_id, after=night)
    scene.send(provider.channels, NOW + night)
    code = sent_code(scene)

    assert cost(provider.texts[0]).parts == 1
    with scene.sessions.reading() as session:
        assert session.exec(select(Clinic.is_operator).where(Clinic.id == scene.deliveries()[0].clinic_id)).one()
        kept = session.exec(select(Wording)).one()
        cipher = cipher_of(session, scene.vault, of.subject_id)
        assert "****** bekräftar" in cipher.open_text("wordings.sealed_text", kept.attempt_id, kept.sealed_text)
        stored = [str(one.model_dump()) for one in session.exec(select(ContactCode))]
    assert not any(code in one for one in stored)


def test_a_code_that_comes_too_late_is_of_no_use(scene: Scene, provider: Provider) -> None:
    contact = send(scene, scene.subject(BERTIL).subject_id)
    assert check(scene, contact, sent_code(scene), VALID) == Outcome.NONE_STANDS

    scene.send(provider.channels, NOW + VALID)
    assert scene.states() == [("expired", "not_in_time")]


def test_nobody_guesses_a_code(scene: Scene) -> None:
    contact = send(scene, scene.subject(BERTIL).subject_id)
    code = sent_code(scene)
    tried = [check(scene, contact, typed) for typed in (wrong(code), "", "12345a", "x" * 999, "０" * 6)]

    assert tried == [Outcome.WRONG] * MOST_TRIES
    assert check(scene, contact, code) == Outcome.NONE_STANDS


def test_a_code_is_used_once_and_ended_by_the_next(scene: Scene) -> None:
    subject_id = scene.subject(BERTIL).subject_id
    contact = send(scene, subject_id)
    first = sent_code(scene)
    send(scene, subject_id, after=APART)
    assert check(scene, contact, first, APART) == Outcome.WRONG
    assert check(scene, contact, sent_code(scene), APART) == Outcome.VERIFIED
    assert check(scene, contact, sent_code(scene), APART) == Outcome.NONE_STANDS


def test_nobodys_phone_is_flooded_with_codes_whoever_asks(scene: Scene) -> None:
    one, other = (scene.subject(person).subject_id for person in (BERTIL, EBBA))
    send(scene, one)
    with pytest.raises(TooMany):
        send(scene, other, after=APART - timedelta(seconds=1))
    for place in range(1, MOST_A_DAY):
        send(scene, (one, other)[place % 2], after=APART * place)
    with pytest.raises(TooMany):
        send(scene, one, after=timedelta(hours=23))
    send(scene, one, after=timedelta(hours=24, seconds=1))


def test_a_dead_number_comes_back_by_its_code(scene: Scene) -> None:
    of = scene.subject(BERTIL)
    with scene.sessions.writing() as session:
        (row,) = contact_points.of_subject(session, of.subject_id)
        contact_points.mark_dead(session, row.id, "unreachable", NOW)
    contact = send(scene, of.subject_id, str(BERTIL.phone))
    check(scene, contact, sent_code(scene))

    with scene.sessions.reading() as session:
        (row,) = contact_points.of_subject(session, of.subject_id)
        assert (row.dead_since, row.dead_reason, row.verified_at) == (None, "", NOW)


def test_an_imported_file_does_not_bring_back_what_the_person_has_replaced_or_removed(scene: Scene) -> None:
    of = scene.subject(BERTIL)
    contact = send(scene, of.subject_id)
    check(scene, contact, sent_code(scene))
    with scene.sessions.writing() as session:
        contact_points.remove(session, contact, NOW)
        for address in (str(BERTIL.phone), NEW):
            said = Said("register", date(2026, 12, 1))
            add_contact(session, scene.vault, of.subject_id, ContactKind.PHONE, address, now=NOW, said=said)
        rows = contact_points.of_subject(session, of.subject_id)

    assert [row.removed_at for row in rows] == [NOW, NOW]
    assert [row.said_on for row in rows] == [date(2026, 12, 1)] * 2


def test_of_imported_numbers_the_newest_is_used_and_a_verified_one_before_all(scene: Scene) -> None:
    of = scene.subject(BERTIL)
    with scene.sessions.writing() as session:
        for address, on in ((NEW, date(2027, 1, 1)), (OTHER, date(2020, 1, 1))):
            add_contact(
                session, scene.vault, of.subject_id, ContactKind.PHONE, address, now=NOW, said=Said("register", on)
            )
        cipher = cipher_of(session, scene.vault, of.subject_id)
        assert [one.address for one in subjects.contacts(session, cipher, of.subject_id)] == [NEW, BERTIL.phone, OTHER]
        row = session.exec(select(ContactPoint).where(ContactPoint.said_on == date(2020, 1, 1))).one()
        contact_points.note_verified(session, row, NOW)
        found = subjects.contacts(session, cipher, of.subject_id)

    assert [one.address for one in found if one.is_usable] == [OTHER]


def test_check_25_a_number_corrected_after_planning_gets_the_message(scene: Scene, provider: Provider) -> None:
    facility_values(scene, cancel_deadline="")
    of = scene.subject(BERTIL)
    scene.booking(of, "2026-12-01 13:30")
    scene.plan(NOW)
    contact = send(scene, of.subject_id)
    check(scene, contact, sent_code(scene))
    scene.send(provider.channels, NOW)

    assert set(provider.to) == {NEW}
    assert {one.contact_id for one in scene.deliveries()} == {contact}


BIRTHDAY = guarded_until(date(2018, 1, 20))


@pytest.mark.parametrize(
    ("when", "to"),
    [(BIRTHDAY - timedelta(hours=8), ["+46701740608"]), (BIRTHDAY + timedelta(hours=16), [])],
    ids=["the day before", "on the day"],
)
def test_what_was_given_for_a_child_ends_on_the_13th_birthday(
    scene: Scene, provider: Provider, when: datetime, to: list[str]
) -> None:
    """It may be a guardian's, who must not be told any more."""
    facility_values(scene, cancel_deadline="")
    of = scene.subject(EBBA, population_as_of=when)
    scene.booking(of, f"{(when + timedelta(days=1)).date()} 13:30")

    assert told_to(scene, provider, when) == to
    with scene.sessions.reading() as session:
        found = contact_points.problems(session, when, scene.clinic_id)
    assert [(one.reason, one.since) for one in found] == [] if to else [("grown_up", BIRTHDAY)]


def test_what_was_planned_for_a_child_does_not_go_to_a_guardian_after_the_birthday(
    scene: Scene, provider: Provider
) -> None:
    facility_values(scene, cancel_deadline="")
    of = scene.subject(EBBA, population_as_of=BIRTHDAY)
    scene.booking(of, "2031-01-20 15:30")
    scene.plan(BIRTHDAY - timedelta(hours=8))
    assert scene.states() == [("queued", "")]
    scene.send(provider.channels, BIRTHDAY + timedelta(hours=8))

    assert (provider.to, scene.states()) == ([], [("skipped", "no_contact")])


@pytest.mark.parametrize("person", [Person(EBBA.number), BERTIL], ids=["grown up", "an adult"])
def test_what_is_given_after_the_birthday_is_the_persons_own(scene: Scene, provider: Provider, person: Person) -> None:
    facility_values(scene, cancel_deadline="")
    when = BIRTHDAY + timedelta(days=2, hours=16)
    of = scene.subject(person, population_as_of=when)
    with scene.sessions.writing() as session:
        said = Said("register", when.date())
        add_contact(session, scene.vault, of.subject_id, ContactKind.PHONE, NEW, now=when, said=said)
    scene.booking(of, f"{(when + timedelta(days=1)).date()} 13:30")

    assert told_to(scene, provider, when) == [NEW]
