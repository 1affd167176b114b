"""A letter for whom no channel reaches: as true as a message at the moment it is printed, in time, and once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import select, update

from notifier.channels.letter_sheets import can_show
from notifier.fallback import REPORTING
from notifier.letters import ComposedLetter, Letters, LetterSettings, compose_letters, grouped
from store import choices, letters, unreached
from store.bookings import Booking, Details
from store.choices import Choice
from store.clinics import Clinic
from store.consents import Consent
from store.facilities import Facility
from store.letters import PrintedElsewhere
from store.purposes import Purpose
from store.standing import ChangeKind, Standing
from store.subjects import ContactKind, Subject, add_contact
from store.templates import ReminderRule, Template, TemplateVersion, VersionState
from store.unreached import Unreached
from tests import build
from tests.notifier.conftest import Scene, at
from tests.people import ANNA, BERTIL, CECILIA, EBBA, Person

NOBODY_REACHES = Person(BERTIL.number)
BOOKED_AT = at("2026-11-30 09:00")  # a Monday
NOW = at("2026-11-30 09:05")
SETTINGS = LetterSettings("https://www.1177.se", 3, timedelta(days=400), can_show)


on_both = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(f"{getattr(request, 'param', 'sqlite')}_url"))


def booked(scene: Scene, start: str = "2026-12-11 13:30", person: Person = NOBODY_REACHES, prepare: str = "") -> UUID:
    """Somebody without phone or address has got a time, and could not be told."""
    details = Details(preparations=prepare)
    booking = scene.booking(scene.subject(person), start, is_new=True, seen_at=BOOKED_AT, details=details)
    scene.change(booking, ChangeKind.BOOKED, BOOKED_AT)
    scene.plan(NOW)
    return booking


def composed(scene: Scene, now: Any = NOW, settings: LetterSettings = SETTINGS) -> Letters:
    with scene.sessions.reading() as session:
        clinic = session.get_one(Clinic, scene.clinic_id)
        rows = unreached.to_print(session, clinic.id, now, REPORTING)
        return compose_letters(session, scene.vault, clinic, grouped(rows), settings, now)


def printed(scene: Scene, now: Any = NOW) -> Sequence[ComposedLetter]:
    made = composed(scene, now).made
    with scene.sessions.writing() as session:
        letters.keep(session, [(one.row, one.occasions) for one in made], "Sköterska Lind")
    return made


def told(scene: Scene, now: Any = NOW, settings: LetterSettings = SETTINGS) -> ComposedLetter:
    (one,) = composed(scene, now, settings).made
    return one


def left_out(scene: Scene, now: Any = NOW) -> str:
    found = composed(scene, now)
    assert not found.made
    return found.left_out[0].reason


def test_whom_no_channel_reaches_gets_the_words_of_an_email_without_links_of_ours(scene: Scene) -> None:
    booked(scene)
    one = told(scene)

    assert (one.row.purpose, one.identity_number) == (Purpose.CONFIRMATION, NOBODY_REACHES.number)
    assert one.subject_line == "Bokad tid fredag 11 december"
    assert "Vill du avboka: https://www.1177.se" in one.text
    assert "/a/" not in one.text
    assert one.identity_number not in repr(one)


@on_both
def test_a_letter_is_printed_once_and_the_list_says_when(scene: Scene) -> None:
    booked(scene)
    (one,) = printed(scene)

    assert composed(scene) == Letters()
    with scene.sessions.reading() as session:
        (row,) = unreached.listed(session, scene.clinic_id, NOW, REPORTING)
        assert (row.letter, row.letter_at) == (one.row.number, NOW)
        assert [(one.letters, one.again, one.printed_by) for one in letters.handed_over(session, scene.clinic_id)] == [
            (1, 0, "Sköterska Lind")
        ]


@on_both
def test_of_two_who_print_at_once_one_is_refused_and_nothing_is_printed_twice(scene: Scene) -> None:
    booked(scene)
    mine, theirs = composed(scene).made, composed(scene).made
    assert mine[0].row.number == theirs[0].row.number  # a copy made before a crash bears the same one
    with scene.sessions.writing() as session:
        letters.keep(session, [(one.row, one.occasions) for one in mine], "Ann")
    with pytest.raises(PrintedElsewhere), scene.sessions.writing() as session:
        letters.keep(session, [(one.row, one.occasions) for one in theirs], "Bo")


@pytest.mark.parametrize(
    ("start", "weekdays", "comes"),
    [
        ("2026-12-04 07:00", 3, True),  # printed on Monday, read on Thursday evening
        ("2026-12-03 23:00", 3, False),
        ("2026-12-02 07:00", 1, True),
        ("2026-12-08 12:00", 5, True),  # a week-end lies between
        ("2026-12-07 12:00", 5, False),
    ],
)
def test_a_letter_that_would_come_too_late_is_left_for_a_call(
    scene: Scene,
    start: str,
    weekdays: int,
    comes: bool,  # noqa: FBT001
) -> None:
    booked(scene, start)
    found = composed(scene, settings=replace(SETTINGS, weekdays=weekdays))

    assert bool(found.made) is comes
    assert [one.reason for one in found.left_out] == ([] if comes else ["too_late"])


def test_holidays_keep_a_letter_too(scene: Scene) -> None:
    booked(scene, "2026-12-30 10:00")

    assert told(scene, at("2026-12-22 09:00")).row.purpose == Purpose.CONFIRMATION  # the 23rd, the 28th, the 29th
    assert left_out(scene, at("2026-12-23 09:00")) == "too_late"


def test_a_deadline_that_will_have_passed_when_the_letter_is_read_is_not_told(scene: Scene) -> None:
    booked(scene, "2026-12-04 13:30")  # to be cancelled by Thursday 13.30; the letter is read that evening

    assert "Avboka senast" not in told(scene).text
    assert "Avboka senast" in told(scene, settings=replace(SETTINGS, weekdays=2)).text


@pytest.mark.parametrize(
    ("table", "values", "reason"),
    [
        (Subject, {"protected_on": date(2026, 11, 30)}, "protected"),
        (Subject, {"deceased_on": date(2026, 11, 30)}, "deceased"),
        (Subject, {"population_as_of": None}, "held"),
        (Consent, {"withdrawn_on": date(2026, 11, 30)}, "no_consent"),
    ],
)
def test_what_must_not_be_told_any_more_is_not_printed_either(
    scene: Scene, table: type[Any], values: dict[str, Any], reason: str
) -> None:
    booked(scene)
    with scene.sessions.writing() as session:
        session.exec(update(table).values(**values))

    assert left_out(scene) == reason


@pytest.mark.parametrize("standing", [Standing.GONE, Standing.CANCELLED])
def test_a_visit_that_is_off_gets_no_letter_that_it_is_on(scene: Scene, standing: Standing) -> None:
    scene.set(Booking, booked(scene), standing=standing)

    assert composed(scene) == Letters()


def test_somebody_whose_identity_is_protected_stays_on_the_list_for_a_call(scene: Scene) -> None:
    booked(scene)
    with scene.sessions.writing() as session:
        session.exec(update(Subject).values(protected_on=date(2026, 11, 30)))
    assert left_out(scene) == "protected"

    with scene.sessions.reading() as session:
        assert [one.letter for one in unreached.listed(session, scene.clinic_id, NOW, REPORTING)] == [""]


def test_a_visit_in_doubt_waits_for_the_second_look_and_then_says_so(scene: Scene) -> None:
    booking = booked(scene)
    scene.set(Booking, booking, missed_at=NOW, second_look_at=NOW + timedelta(minutes=10))
    assert left_out(scene) == "in_doubt"

    assert "Vi har inte kunnat bekräfta tiden" in told(scene, NOW + timedelta(minutes=10)).text
    last_day = at("2026-12-07 23:55")  # tomorrow the post is too late: now or never
    scene.set(Booking, booking, second_look_at=last_day + timedelta(minutes=10))
    assert "Vi har inte kunnat bekräfta tiden" in told(scene, last_day).text


def moved(scene: Scene, booking: UUID, to: str, when: Any) -> None:
    scene.change(booking, ChangeKind.MOVED, when, start_at=at(to))
    scene.plan(when + timedelta(minutes=5))


@on_both
def test_a_visit_that_moves_after_its_letter_gets_another_with_both_times(scene: Scene) -> None:
    booking = booked(scene)
    (first,) = printed(scene)
    later = at("2026-12-01 09:00")
    moved(scene, booking, "2026-12-18 10:00", later)

    one = told(scene, later + timedelta(minutes=5))
    assert one.row.purpose == Purpose.MOVED
    assert one.row.number != first.row.number
    assert "Ny tid: fredag 18 december kl. 10.00" in one.text
    assert "Tidigare: fredag 11 december kl. 13.30" in one.text


def test_a_visit_that_moved_before_any_letter_was_printed_is_one_letter(scene: Scene) -> None:
    booking = booked(scene)
    moved(scene, booking, "2026-12-17 10:00", at("2026-11-30 10:00"))
    moved(scene, booking, "2026-12-18 10:00", at("2026-11-30 11:00"))

    one = told(scene, at("2026-11-30 11:05"))
    assert len(one.occasions) == 3
    assert "Tidigare: fredag 11 december kl. 13.30" in one.text
    assert "Ny tid: fredag 18 december kl. 10.00" in one.text
    printed(scene, at("2026-11-30 11:05"))
    assert composed(scene, at("2026-11-30 11:05")) == Letters()


def gone(scene: Scene, booking: UUID, when: Any) -> None:
    scene.change(booking, ChangeKind.GONE, when, standing=Standing.GONE)
    scene.plan(when)


def test_a_letter_that_says_gone_is_taken_back_when_the_visit_is_on_again(scene: Scene) -> None:
    """Without the letter nobody had been told it was off, and silence would be right."""
    booking = booked(scene)
    printed(scene)
    day = at("2026-12-01 09:00")
    gone(scene, booking, day)
    (one,) = printed(scene, day)
    assert "visar inte längre din tid fredag 11 december" in one.text

    back = day + timedelta(hours=2)
    scene.change(booking, ChangeKind.RESTORED, back, standing=Standing.BOOKED)
    scene.plan(back)
    assert "gäller igen" in told(scene, back).text


def test_what_is_gone_at_a_frozen_facility_is_not_told_by_letter(scene: Scene) -> None:
    booking = booked(scene)
    printed(scene)
    gone(scene, booking, NOW)
    scene.set(Facility, build.VARDCENTRAL, frozen_at=NOW)

    assert left_out(scene) == "frozen"


def early_rule(scene: Scene, purpose: Purpose = Purpose.REMINDER, **values: Any) -> None:
    """A rule that the post can keep up with."""
    with scene.sessions.writing() as session:
        session.add(
            ReminderRule(
                clinic_id=scene.clinic_id, name=f"early_{purpose}", purpose=purpose, offset="days:10:10.00", **values
            )
        )  # fmt: skip


def test_a_reminder_is_printed_in_the_words_of_its_rule(scene: Scene) -> None:
    early_rule(scene, Purpose.DEADLINE, template_name="deadline_cost")
    scene.set(Clinic, scene.clinic_id, missed_visit_cost=1500)
    scene.booking(scene.subject(NOBODY_REACHES), "2026-12-10 13:30")
    scene.plan(at("2026-11-30 10:00"))

    assert "Ett missat besök kostar vården 1 500 kr." in told(scene, at("2026-11-30 10:00")).text


def test_preparations_are_a_letter_of_their_own_and_all_for_one_person_lie_together(scene: Scene) -> None:
    """One about the time does not say what to prepare; and who packs them needs one envelope a person."""
    booking = booked(scene, prepare="Ta med legitimation.")
    booked(scene, "2026-12-11 13:45", Person(CECILIA.number))
    unprepared(scene, booking)
    made = composed(scene).made

    assert sorted(one.row.purpose for one in made[:2]) == ["confirmation", "preparations"]
    assert [one.identity_number for one in made] == [*[NOBODY_REACHES.number] * 2, CECILIA.number]


@pytest.mark.parametrize(("is_covered", "said"), [(False, False), (True, True)])
def test_a_letter_says_what_to_prepare_where_an_email_would(scene: Scene, *, is_covered: bool, said: bool) -> None:
    scene.set(Clinic, scene.clinic_id, decision_covers_texts=is_covered)
    unprepared(scene, booked(scene, prepare="# Ta med\n- [ ] Legitimation"))
    (one,) = [one for one in composed(scene).made if one.row.purpose == Purpose.PREPARATIONS]
    assert ("Ta med\n- Legitimation" in one.text) == said


def test_no_letter_is_about_a_text_that_has_been_taken_away(scene: Scene) -> None:
    unprepared(scene, booked(scene))
    assert [one.reason for one in composed(scene).left_out] == ["nothing_to_read"]


def unprepared(scene: Scene, booking: UUID) -> None:
    """Nor could they be told what to prepare."""
    with scene.sessions.writing() as session:
        row = session.exec(select(Unreached).where(Unreached.booking_id == booking)).one()
        prepare = Unreached(
            clinic_id=row.clinic_id, subject_id=row.subject_id, recipient_id=row.recipient_id,
            purpose=Purpose.PREPARATIONS, occasion=f"rule:x/booking:{booking}/time:1", booking_id=booking,
            visit_at=row.visit_at, reason="no_contact", at=NOW,
        )  # fmt: skip
        unreached.note(session, prepare)


def test_a_facilitys_name_turns_nothing_around_on_paper(scene: Scene) -> None:
    scene.set(Facility, build.VARDCENTRAL, message_name="Ekens\u202e\nvårdcentral\u200b")
    booked(scene)

    assert told(scene).sender == "Ekens vårdcentral"


def test_a_childs_letter_is_to_its_guardian(scene: Scene) -> None:
    booked(scene, person=Person(EBBA.number))

    assert told(scene).is_to_guardian


def test_who_wants_no_reminders_is_sent_none_by_post(scene: Scene) -> None:
    booking = booked(scene)
    with scene.sessions.writing() as session:
        subject = session.get_one(Booking, booking).subject_id
        choices.keep(session, Choice(subject_id=subject, channels="none", chosen_at=NOW), [])

    assert left_out(scene) == "opted_out"


def test_what_a_clinic_has_written_for_paper_comes_before_what_it_mails(scene: Scene) -> None:
    booked(scene)
    for channel in ("email", "paper"):
        words(scene, channel, "sv", f"Till dig från oss ({channel}): ((datum)) kl. ((tid))")
        assert told(scene).text == f"Till dig från oss ({channel}): 11 december kl. 13.30"


def words(scene: Scene, channel: str, language: str, text: str) -> None:
    with scene.sessions.writing() as session:
        template = Template(
            clinic_id=scene.clinic_id, name="confirmation", purpose=Purpose.CONFIRMATION, channel=channel
        )
        session.add(template)
        session.flush()
        session.add(
            TemplateVersion(
                template_id=template.id, language=language, number=1, state=VersionState.ACTIVE, subject_line="Brev",
                text=text, written_by="a", made_at=NOW,
            )
        )  # fmt: skip


def test_a_language_that_the_font_cannot_show_is_swedish_in_the_pdf_and_itself_in_the_csv(scene: Scene) -> None:
    words(scene, "paper", "ar", "موعد ((datum))")
    booked(scene, person=replace(NOBODY_REACHES, language="ar"))

    assert told(scene).language == "sv"
    assert told(scene, settings=replace(SETTINGS, can_show=lambda _: True)).language == "ar"


def test_who_has_been_told_by_a_message_meanwhile_gets_no_letter(scene: Scene) -> None:
    booked(scene)
    assert composed(scene).made
    with scene.sessions.writing() as session:
        row = session.exec(select(Unreached)).one()
        add_contact(session, scene.vault, row.subject_id, ContactKind.PHONE, ANNA.phone or "", now=NOW)
    moved(scene, told(scene).row.booking_id, "2026-12-18 10:00", at("2026-11-30 10:00"))
    assert [one.purpose for one in scene.deliveries()] == [Purpose.MOVED]

    found = composed(scene, at("2026-11-30 10:05"))
    assert [one.row.purpose for one in found.made] == [Purpose.CONFIRMATION]  # of this they have not been told
