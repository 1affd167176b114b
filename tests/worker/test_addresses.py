"""Addresses: who answers and who does not, for one subject and for everybody, and when calendars are to say so."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from feeds.subscribing import Wishes, open_calendar
from store import engagements, facilities
from store.calendars import Calendar
from store.database import Sessions
from store.engagements import Engagement
from store.facilities import WHOLE_SOURCE, LogicalAddress
from store.identifiers import HsaId
from store.level import Level
from store.vault import Vault
from tests import build
from tests.conftest import NOW
from tests.worker.source_stand_in import FROM_SOURCE, NO_DATA, Slot, direct, snapshot
from tests.worker.visits import CLINIC, SIBLING, key, reported
from worker.addresses import NO_RECORD, Noting, Recently, first_contact, losses, note_for_everybody, note_for_subject
from worker.asking import Learned
from worker.sources import AddressStatus, SourceError, SourceRefused, SourceUnavailable

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
UNSEEN = timedelta(minutes=30)
VISIT_AT = NOW + 30 * DAY
SILENCE = SourceUnavailable("timeout", "no answer in time")
REFUSAL = SourceRefused("VP007", "no permission")


def learned(
    statuses: Mapping[HsaId, AddressStatus] | SourceError,
    direct_errors: Mapping[HsaId, SourceError] = {},  # noqa: B006
    *slots: Slot,
    foreign: int = 0,
) -> Learned:
    """An answer with these statuses, all of whose evidence counts; or none, with this error."""
    answer = None if isinstance(statuses, SourceError) else snapshot(*slots, statuses=statuses, foreign=foreign)
    return Learned(
        aggregated=answer,
        aggregated_error=statuses if isinstance(statuses, SourceError) else None,
        direct={},
        direct_errors=direct_errors,
        present={key(one.content.booking_id): one.content for one in slots},  # type: ignore[misc]
        unreadable=(),
        evidence=frozenset(at for at, one in (answer.statuses if answer else {}).items() if one is FROM_SOURCE),
    )


class Everybody:
    """The notes about all subjects, taken at given times by one process."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        self.noting = Noting("region", NOW, UNSEEN, DAY, Recently())

    def hear(self, news: Learned, at: datetime) -> None:
        with self.sessions.writing() as session:
            note_for_everybody(session, replace(self.noting, now=at), news)

    def restart(self) -> None:
        """Another process takes over: what was lately written is forgotten."""
        self.noting = replace(self.noting, recently=Recently())

    def of(self, address: str = CLINIC) -> LogicalAddress:
        with self.sessions.reading() as session:
            return facilities.addresses(session, "region", [address])[HsaId(address)]

    def silent(self) -> list[str]:
        with self.sessions.reading() as session:
            return [row.address for row in facilities.silent(session)]


@pytest.fixture
def everybody(sessions: Sessions) -> Everybody:
    return Everybody(sessions)


@pytest.fixture
def calendar_id(sessions: Sessions, vault: Vault) -> UUID:
    """A calendar that shows a visit at the clinic."""
    with sessions.writing() as session:
        build.facility(session, CLINIC)
        subject_id = build.subject(session, vault, NOW).id
        build.booking(session, vault, build.engagement(session, subject_id, NOW), VISIT_AT, at=CLINIC)
        return open_calendar(session, vault, Wishes(Level.VISIT), viewer_id=subject_id, subject_id=subject_id, now=NOW)


def looked_at_next(sessions: Sessions, calendar_id: UUID) -> datetime | None:
    with sessions.reading() as session:
        return session.get_one(Calendar, calendar_id).next_change_at


def test_an_address_is_silent_since_its_first_failure_after_its_last_answer(everybody: Everybody) -> None:
    everybody.hear(learned({CLINIC: FROM_SOURCE}), NOW)
    everybody.hear(learned({CLINIC: NO_DATA}), NOW + HOUR)
    everybody.hear(learned({CLINIC: NO_DATA}), NOW + 5 * HOUR)

    assert (everybody.of().silent_since, everybody.of().last_failure) == (NOW + HOUR, "NoDataSynchFailed")
    assert everybody.silent() == [CLINIC]


def test_an_answer_ends_the_silence(everybody: Everybody) -> None:
    everybody.hear(learned({CLINIC: NO_DATA}), NOW)
    everybody.hear(learned({CLINIC: FROM_SOURCE}), NOW + HOUR)

    assert (everybody.of().silent_since, everybody.of().last_failure) == (None, "")
    assert everybody.of().seen_in_evidence_at == NOW + HOUR
    assert everybody.silent() == []


@pytest.mark.parametrize("status", [one for one in AddressStatus if one is not FROM_SOURCE])
def test_an_answer_from_a_cache_is_no_answer_of_the_clinics(everybody: Everybody, status: AddressStatus) -> None:
    everybody.hear(learned({CLINIC: status}), NOW)

    assert everybody.of().silent_since == NOW
    assert everybody.of().seen_in_evidence_at is None


def test_a_source_that_fails_whole_says_nothing_of_any_clinic(everybody: Everybody) -> None:
    everybody.hear(learned({CLINIC: FROM_SOURCE}), NOW)
    everybody.hear(learned(SILENCE), NOW + HOUR)

    assert everybody.silent() == [WHOLE_SOURCE]
    assert everybody.of().silent_since is None
    everybody.hear(learned({CLINIC: FROM_SOURCE}), NOW + 2 * HOUR)
    assert everybody.silent() == []


def test_unchanged_news_is_written_a_few_times_an_hour_at_most(everybody: Everybody) -> None:
    written = []
    for minute in range(31):
        everybody.hear(learned({CLINIC: FROM_SOURCE}), NOW + timedelta(minutes=minute))
        written.append(everybody.of().seen_in_evidence_at)

    assert len(set(written)) == 4
    assert written[-1] is not None
    assert NOW + timedelta(minutes=30) - written[-1] < UNSEEN / 4


def test_news_is_written_at_once_however_lately_something_was(everybody: Everybody) -> None:
    everybody.hear(learned({CLINIC: FROM_SOURCE}), NOW)
    everybody.hear(learned({CLINIC: NO_DATA}), NOW + timedelta(seconds=1))
    assert everybody.of().silent_since == NOW + timedelta(seconds=1)
    everybody.hear(learned({CLINIC: FROM_SOURCE}), NOW + timedelta(seconds=2))

    assert everybody.of().silent_since is None


def test_a_refusal_alone_is_no_loss_while_others_answers_still_show_the_clinic(everybody: Everybody) -> None:
    everybody.hear(learned({CLINIC: FROM_SOURCE}), NOW)
    everybody.hear(learned({}, {CLINIC: REFUSAL}), NOW + UNSEEN)

    assert everybody.of().not_visible_since is None
    assert everybody.of().direct_refused_at == NOW + UNSEEN
    assert everybody.silent() == []


def test_a_refusing_clinic_that_nobody_has_seen_for_long_is_flagged_once(everybody: Everybody) -> None:
    everybody.hear(learned({CLINIC: FROM_SOURCE}), NOW)
    with capture_logs() as logged:
        everybody.hear(learned({}, {CLINIC: REFUSAL}), NOW + HOUR)
        everybody.hear(learned({}, {CLINIC: REFUSAL}), NOW + 3 * HOUR)

    assert everybody.of().not_visible_since == NOW + HOUR
    assert everybody.silent() == [CLINIC]
    assert [line["event"] for line in logged] == ["address_not_visible"]
    everybody.hear(learned({CLINIC: FROM_SOURCE}), NOW + 4 * HOUR)
    assert everybody.of().not_visible_since is None


def test_a_direct_question_that_failed_is_a_silence_and_no_refusal(everybody: Everybody) -> None:
    everybody.hear(learned({}, {CLINIC: SILENCE}), NOW)

    assert everybody.of().silent_since == NOW
    assert (everybody.of().direct_refused_at, everybody.of().not_visible_since) == (None, None)


def test_somebody_elses_bookings_are_alarmed_about(everybody: Everybody) -> None:
    with capture_logs() as logged:
        everybody.hear(learned({CLINIC: FROM_SOURCE}, foreign=2), NOW)

    assert [(line["event"], line["log_level"], line["count"]) for line in logged] == [
        ("foreign_bookings_dropped", "error", 2)
    ]


def test_a_silence_wakes_the_calendars_when_it_has_lasted_24_hours_and_not_with_each_poll(
    sessions: Sessions, everybody: Everybody, calendar_id: UUID
) -> None:
    before = looked_at_next(sessions, calendar_id)
    assert before is None or before > NOW + 2 * DAY
    everybody.hear(learned({CLINIC: NO_DATA}), NOW)
    assert looked_at_next(sessions, calendar_id) == NOW + DAY
    everybody.restart()
    everybody.hear(learned({CLINIC: NO_DATA}), NOW + HOUR)

    assert looked_at_next(sessions, calendar_id) == NOW + DAY


def test_a_clinic_that_is_not_visible_wakes_the_calendars_after_24_hours_too(
    sessions: Sessions, everybody: Everybody, calendar_id: UUID
) -> None:
    everybody.hear(learned({}, {CLINIC: REFUSAL}), NOW)

    assert looked_at_next(sessions, calendar_id) == NOW + DAY


@pytest.mark.parametrize(("lasted", "wakes"), [(DAY - timedelta(seconds=1), False), (DAY, True)])
def test_the_way_back_wakes_the_calendars_only_if_they_had_said_that_the_clinic_is_silent(
    sessions: Sessions, everybody: Everybody, calendar_id: UUID, lasted: timedelta, *, wakes: bool
) -> None:
    everybody.hear(learned({CLINIC: NO_DATA}), NOW)
    with sessions.writing() as session:
        session.get_one(Calendar, calendar_id).next_change_at = None  # as if it had been looked at
    everybody.hear(learned({CLINIC: FROM_SOURCE}), NOW + lasted)

    assert looked_at_next(sessions, calendar_id) == (NOW + lasted if wakes else None)


def test_a_silence_elsewhere_wakes_nobody(sessions: Sessions, everybody: Everybody, calendar_id: UUID) -> None:
    before = looked_at_next(sessions, calendar_id)
    everybody.hear(learned({SIBLING: NO_DATA}), NOW)

    assert looked_at_next(sessions, calendar_id) == before


@pytest.fixture
def engagement(sessions: Sessions, vault: Vault) -> Engagement:
    """Somebody never asked about before."""
    with sessions.writing() as session:
        subject_id = build.subject(session, vault, NOW).id
        return build.engagement(session, subject_id, NOW, answer_begun_at=None, first_evidence_at=None)


def note(sessions: Sessions, engagement: Engagement, news: Learned, at: datetime) -> None:
    with sessions.writing() as session:
        row = session.get_one(Engagement, engagement.id)
        note_for_subject(session, row, news, at, at)
        if news.aggregated is not None:
            row.answer_begun_at = at
            row.first_evidence_at = row.first_evidence_at or (at if news.evidence else None)


def status_of(sessions: Sessions, engagement: Engagement, address: HsaId = CLINIC) -> tuple[str, datetime]:
    with sessions.reading() as session:
        row = engagements.address_rows(session, engagement.id)[address]
    return row.status, row.status_since


def test_an_address_that_is_no_longer_named_has_no_record_since_then(
    sessions: Sessions, engagement: Engagement
) -> None:
    note(sessions, engagement, learned({CLINIC: FROM_SOURCE}), NOW)
    note(sessions, engagement, learned({}), NOW + HOUR)
    note(sessions, engagement, learned({}), NOW + 2 * HOUR)

    assert status_of(sessions, engagement) == (NO_RECORD, NOW + HOUR)


def test_a_failed_answer_says_nothing_of_any_address(sessions: Sessions, engagement: Engagement) -> None:
    note(sessions, engagement, learned({CLINIC: FROM_SOURCE}), NOW)
    note(sessions, engagement, learned(SILENCE), NOW + HOUR)

    assert status_of(sessions, engagement) == ("DataFromSource", NOW)


def test_a_record_that_comes_back_starts_the_24_hours_of_a_loss_anew(
    sessions: Sessions, engagement: Engagement
) -> None:
    for hour, news in enumerate([{CLINIC: FROM_SOURCE}, {}, {CLINIC: NO_DATA}, {}]):
        note(sessions, engagement, learned(news), NOW + hour * HOUR)

    assert status_of(sessions, engagement) == (NO_RECORD, NOW + 3 * HOUR)


def test_a_facilitys_own_word_counts_where_the_answer_has_no_record(sessions: Sessions, engagement: Engagement) -> None:
    own = replace(learned({}), direct={CLINIC: direct()}, evidence=frozenset({CLINIC}))
    note(sessions, engagement, own, NOW)

    assert status_of(sessions, engagement) == ("direct", NOW)


def test_a_lost_address_is_told_with_who_still_sees_it_and_whether_it_can_be_asked(
    sessions: Sessions, engagement: Engagement, everybody: Everybody
) -> None:
    note(sessions, engagement, learned({CLINIC: FROM_SOURCE, SIBLING: FROM_SOURCE}), NOW)
    note(sessions, engagement, learned({SIBLING: FROM_SOURCE}), NOW + HOUR)
    everybody.hear(learned({CLINIC: FROM_SOURCE}), NOW + 2 * HOUR)  # somebody else's answer
    with sessions.reading() as session:
        row = session.get_one(Engagement, engagement.id)
        (lost,) = losses(session, row, asks_directly=True).items()
        (unasked,) = losses(session, row, asks_directly=False).values()

    assert lost[0] == CLINIC
    assert (lost[1].clean_without_record_since, lost[1].seen_elsewhere_at) == (NOW + HOUR, NOW + 2 * HOUR)
    assert (lost[1].can_ask_directly, unasked.can_ask_directly) == (True, False)
    everybody.hear(learned({}, {CLINIC: REFUSAL}), NOW + 2 * HOUR)
    with sessions.reading() as session:
        assert not losses(session, row, asks_directly=True)[CLINIC].can_ask_directly


def contact(sessions: Sessions, engagement: Engagement, news: Learned) -> frozenset[HsaId] | None:
    with sessions.reading() as session:
        return first_contact(session, session.get_one(Engagement, engagement.id), news)


def test_a_subjects_first_answer_is_first_contact_everywhere(sessions: Sessions, engagement: Engagement) -> None:
    assert contact(sessions, engagement, learned({CLINIC: FROM_SOURCE}, {}, Slot(reported()))) is None


def test_a_new_booking_where_everything_is_known_is_news(
    sessions: Sessions, engagement: Engagement, everybody: Everybody
) -> None:
    visit = learned({CLINIC: FROM_SOURCE}, {}, Slot(reported()))
    with sessions.writing() as session:
        build.facility(session, CLINIC, first_seen_at=NOW)
    note(sessions, engagement, learned({CLINIC: FROM_SOURCE}), NOW)
    everybody.hear(learned({CLINIC: FROM_SOURCE}), NOW)

    assert contact(sessions, engagement, visit) == frozenset()


@pytest.mark.parametrize("missing", ["the facility", "the address", "the subject's own evidence"])
def test_what_appears_for_the_first_time_is_known_and_not_told_as_booked(
    sessions: Sessions, engagement: Engagement, everybody: Everybody, missing: str
) -> None:
    visit = learned({CLINIC: FROM_SOURCE}, {}, Slot(reported()))
    with sessions.writing() as session:
        build.facility(session, CLINIC, first_seen_at=None if missing == "the facility" else NOW)
    own = {CLINIC: NO_DATA, SIBLING: FROM_SOURCE} if missing == "the subject's own evidence" else {CLINIC: FROM_SOURCE}
    note(sessions, engagement, learned(own), NOW)
    if missing != "the address":
        everybody.hear(learned({CLINIC: FROM_SOURCE}), NOW)

    assert contact(sessions, engagement, visit) == {CLINIC}
