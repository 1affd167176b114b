"""Importing: what a file brings in, what a second one adds, and what it must never bring back or overwrite."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from feeds.periods import CalendarRules
from feeds.subscribing import make_link
from store import calendars, clinics, consents, engagements, facilities, subjects
from store.clinics import Decision
from store.database import Session, Sessions
from store.identifiers import HsaId, parse_subject_id
from store.level import Level
from store.vault import Vault
from tests.conftest import NOW
from tests.people import ANNA
from worker import importing
from worker.import_files import FacilityRow, ImportRefused, SubjectRow

RULES = CalendarRules()
LINE = SubjectRow(
    subject=parse_subject_id(ANNA.number, today=NOW.date()),
    language="sv",
    phone="+46701740605",
    email="",
    consent_given_on=date(2026, 10, 1),
    consent_version="1",
    level=Level.VISIT,
)
EKEN = FacilityRow(
    hsa_id=HsaId("SE2321000016-1A01"),
    spelling="se2321000016-1a01",
    parent=None,
    display_name="Ekens vårdcentral",
    message_name="Eken",
    is_sensitive=False,
    phone="010-123 45 67",
    address="Ekgatan 1",
    clinic="Eken",
    cancel_deadline="weekdays:1",
    remote_time_types=("VIDEO",),
    shows_end=True,
)
Take = Callable[..., bool]


@pytest.fixture
def take(sessions: Sessions, vault: Vault) -> Take:
    """Imports a line."""

    def take_line(line: SubjectRow = LINE, sources: tuple[str, ...] = ("region",), now: datetime = NOW) -> bool:
        with sessions.writing() as session:
            return importing.import_subject(session, vault, line, sources, now)

    return take_line


def person(session: Session, vault: Vault) -> subjects.Subject:
    found = subjects.by_number(session, vault, LINE.subject)
    assert found is not None
    return found


def test_a_line_becomes_a_subject_with_a_consent_an_engagement_and_a_phone(
    sessions: Sessions, vault: Vault, take: Take
) -> None:
    assert take()

    with sessions.reading() as session:
        anna = person(session, vault)
        contacts = subjects.contacts(session, subjects.cipher_of(session, vault, anna.id), anna.id)
        assert [one.address for one in contacts] == ["+46701740605"]
        assert consents.stands(session, anna.id)
        assert [(one.source, one.next_poll_at) for one in engagements.of_subject(session, anna.id)] == [("region", NOW)]


def test_the_same_file_again_changes_nothing(sessions: Sessions, vault: Vault, take: Take) -> None:
    take()
    take()

    with sessions.reading() as session:
        anna = person(session, vault)
        assert subjects.count(session) == 1
        assert len(subjects.contacts(session, subjects.cipher_of(session, vault, anna.id), anna.id)) == 1
        assert len(engagements.of_subject(session, anna.id)) == 1


def test_a_later_file_adds_what_is_new(sessions: Sessions, vault: Vault, take: Take) -> None:
    take(sources=())
    take(replace(LINE, email="anna@example.se"), sources=("region", "other"))

    with sessions.reading() as session:
        anna = person(session, vault)
        assert len(subjects.contacts(session, subjects.cipher_of(session, vault, anna.id), anna.id)) == 2
        assert {one.source for one in engagements.of_subject(session, anna.id)} == {"region", "other"}


def test_an_old_file_does_not_bring_back_a_withdrawn_consent(sessions: Sessions, vault: Vault, take: Take) -> None:
    take()
    with sessions.writing() as session:
        assert importing.withdraw_consents(session, person(session, vault).id, NOW) == 1

    assert not take(replace(LINE, email="anna@example.se"))
    with sessions.reading() as session:
        anna = person(session, vault)
        assert not consents.stands(session, anna.id)
        assert len(subjects.contacts(session, subjects.cipher_of(session, vault, anna.id), anna.id)) == 1


def test_a_consent_given_after_the_withdrawal_counts_and_asking_begins_again(
    sessions: Sessions, vault: Vault, take: Take
) -> None:
    take()
    with sessions.writing() as session:
        anna = person(session, vault)
        importing.withdraw_consents(session, anna.id, NOW)
        (engagement,) = engagements.of_subject(session, anna.id)
        engagement.next_poll_at = None  # as its next poll would leave it
    later = NOW + timedelta(days=2)

    assert take(replace(LINE, consent_given_on=later.date()), now=later)
    with sessions.reading() as session:
        assert consents.stands(session, anna.id)
        assert engagements.of_subject(session, anna.id)[0].next_poll_at == later


def test_a_consent_can_be_withdrawn_on_the_swedish_day_it_was_given(
    sessions: Sessions, vault: Vault, take: Take
) -> None:
    just_past_midnight = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)  # 00.30 on the 25th in Sweden
    take(replace(LINE, consent_given_on=date(2026, 11, 25)), now=just_past_midnight)

    with sessions.writing() as session:
        assert importing.withdraw_consents(session, person(session, vault).id, just_past_midnight) == 1


def test_withdrawing_closes_the_calendars_addresses(sessions: Sessions, vault: Vault, take: Take) -> None:
    take()
    calendar_id = open_calendar(sessions, vault)
    with sessions.writing() as session:
        make_link(session, vault, calendar_id, NOW, RULES)
        importing.withdraw_consents(session, person(session, vault).id, NOW)

    with sessions.reading() as session:
        assert [one.revoked_at for one in calendars.links(session, calendar_id)] == [NOW]


def open_calendar(sessions: Sessions, vault: Vault, line: SubjectRow = LINE) -> UUID:
    """Opens it as the line wishes, the register having told of the person; gives the calendar's id."""
    with sessions.writing() as session:
        person(session, vault).population_as_of = NOW
    assert importing.open_wished_calendar(sessions, vault, line, RULES, NOW)
    with sessions.reading() as session:
        anna = person(session, vault)
        calendar = calendars.of_viewer(session, anna.id, anna.id)
    assert calendar is not None
    return calendar.id


def test_a_calendar_waits_until_the_register_has_told_of_the_person(
    sessions: Sessions, vault: Vault, take: Take
) -> None:
    take()
    assert not importing.open_wished_calendar(sessions, vault, LINE, RULES, NOW)

    assert open_calendar(sessions, vault)


def test_a_later_file_does_not_raise_the_level_somebody_has_chosen(
    sessions: Sessions, vault: Vault, take: Take
) -> None:
    take()
    calendar_id = open_calendar(sessions, vault)
    assert open_calendar(sessions, vault, replace(LINE, level=Level.FULL)) == calendar_id

    with sessions.reading() as session:
        anna = person(session, vault)
        calendar = calendars.of_viewer(session, anna.id, anna.id)
    assert calendar is not None
    assert calendar.level == Level.VISIT


def test_no_calendar_is_opened_that_nobody_wished_for(sessions: Sessions, vault: Vault, take: Take) -> None:
    take()

    assert importing.open_wished_calendar(sessions, vault, replace(LINE, level=None), RULES, NOW)

    with sessions.reading() as session:
        anna = person(session, vault)
        assert calendars.of_viewer(session, anna.id, anna.id) is None


def test_a_protected_person_gets_no_calendar(sessions: Sessions, vault: Vault, take: Take) -> None:
    take()
    with sessions.writing() as session:
        anna = person(session, vault)
        anna.population_as_of, anna.protected_on = NOW, NOW.date()

    assert not importing.open_wished_calendar(sessions, vault, LINE, RULES, NOW)


def test_facilities_come_with_their_clinic_which_has_decided_nothing(sessions: Sessions) -> None:
    child = replace(EKEN, hsa_id=HsaId("SE2321000016-1A02"), parent=EKEN.hsa_id, clinic="")
    assert importing.import_facilities(sessions, [child, EKEN], NOW) == 2

    with sessions.reading() as session:
        found = facilities.by_ids(session, [EKEN.hsa_id, child.hsa_id])
        clinic = clinics.by_name(session, "Eken")
        assert facilities.tree(session) == {child.hsa_id: EKEN.hsa_id}
    assert clinic is not None
    assert (clinic.decided_on, clinic.decision_reference) == (None, None)
    assert found[EKEN.hsa_id].clinic_id == clinic.id
    assert found[child.hsa_id].clinic_id is None
    assert found[EKEN.hsa_id].spelling == "se2321000016-1a01"


def test_a_newer_file_updates_a_facility_and_leaves_its_clinics_decision(sessions: Sessions) -> None:
    importing.import_facilities(sessions, [EKEN], NOW)
    assert importing.decide(sessions, "Eken", Decision("RS 2026-0417", "Verksamhetschefen", date(2026, 11, 1)), NOW)
    assert importing.import_facilities(sessions, [replace(EKEN, message_name="Nya Eken")], NOW) == 0

    with sessions.reading() as session:
        assert facilities.by_ids(session, [EKEN.hsa_id])[EKEN.hsa_id].message_name == "Nya Eken"
        clinic = clinics.by_name(session, "Eken")
    assert clinic is not None
    assert clinic.decided_on == date(2026, 11, 1)


def test_nothing_is_imported_when_a_parent_is_unknown(sessions: Sessions) -> None:
    child = replace(EKEN, hsa_id=HsaId("SE2321000016-1A02"), parent=HsaId("SE2321000016-9Z99"))
    with pytest.raises(ImportRefused, match="parent: SE2321000016-9Z99 is neither"):
        importing.import_facilities(sessions, [EKEN, child], NOW)

    with sessions.reading() as session:
        assert facilities.by_ids(session, [EKEN.hsa_id]) == {}


@pytest.mark.parametrize("length", [1, 2, 3])
def test_facilities_that_are_each_others_parents_are_refused(sessions: Sessions, length: int) -> None:
    ids = [HsaId(f"SE2321000016-1A0{number}") for number in range(length)]
    ring = [replace(EKEN, hsa_id=one, parent=ids[(place + 1) % length]) for place, one in enumerate(ids)]
    with pytest.raises(ImportRefused, match="ring"):
        importing.import_facilities(sessions, ring, NOW)


def test_a_new_parent_may_not_close_a_ring_with_what_is_known(sessions: Sessions) -> None:
    child = replace(EKEN, hsa_id=HsaId("SE2321000016-1A02"), parent=EKEN.hsa_id)
    importing.import_facilities(sessions, [EKEN, child], NOW)
    with pytest.raises(ImportRefused, match="ring"):
        importing.import_facilities(sessions, [replace(EKEN, parent=child.hsa_id)], NOW)


def test_a_decision_for_a_clinic_that_is_not_there_is_refused(sessions: Sessions) -> None:
    assert not importing.decide(sessions, "Ingen", Decision("1", "x", date(2026, 11, 1)), NOW)
