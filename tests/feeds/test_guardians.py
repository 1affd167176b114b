"""A guardian's calendar of a child, on both databases: when it is open, held, emptied and gone."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from feeds.calendars import refresh_due
from feeds.periods import CalendarRules
from feeds.subscribing import Refused, Wishes, make_link, open_calendar
from store import calendars, guardianships
from store.bookings import Details
from store.custody import Custody, guarded_until
from store.database import Session, Sessions
from store.guardianships import Guardianship
from store.level import Level
from store.standing import Standing
from store.subjects import Subject
from store.vault import Vault
from tests import build
from tests.feeds.world import DAY, World
from tests.people import ANNA, EBBA

BIRTHDAY = guarded_until(date(2018, 1, 20))
BEFORE = BIRTHDAY - timedelta(seconds=1)


@dataclass
class Family(World):
    """A child with a calendar of her own, and her guardian with one of hers, which `hers` looks at."""

    guardian_id: UUID = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        with self.sessions.writing() as session:
            self.guardian_id = build.subject(session, self.vault, self.now, ANNA).id
            guardianships.begin(session, self.guardian_id, self.subject_id, self.now)

    def open_hers(self, wishes: Wishes | None = None) -> "Family":
        with self.sessions.writing() as session:
            self.calendar_id = _open(self, session, wishes or self.wishes)
            self.link = make_link(session, self.vault, self.calendar_id, self.now)
        return self

    def say_of(self, guardian_or_child: str, **values: Any) -> None:
        with self.sessions.writing() as session:
            row = session.get_one(Subject, getattr(self, guardian_or_child))
            for name, value in values.items():
                setattr(row, name, value)

    def say_custody(self, custody: Custody) -> None:
        with self.sessions.writing() as session:
            session.get_one(Guardianship, (self.guardian_id, self.subject_id)).custody = custody


@pytest.fixture
def family(sessions: Sessions, vault: Vault, now: datetime) -> Family:
    return Family(sessions, vault, now, person=EBBA)


def test_a_guardian_sees_the_childs_visits_under_the_same_uids_at_a_level_of_their_own(family: Family) -> None:
    family.add(family.now + 3 * DAY, details=Details(performer_name="Dr Ek"))
    family.open(Wishes(Level.FULL))
    full = family.events()[0]
    seen = family.open_hers(Wishes(Level.BUSY, "en")).events()[0]

    assert seen["UID"] == full["UID"]
    assert "Dr Ek" in str(full["DESCRIPTION"])
    assert "Dr Ek" not in seen.to_ical().decode()


def test_on_the_13th_birthday_the_guardians_calendar_is_emptied_and_the_childs_own_is_not(family: Family) -> None:
    for who in ("guardian_id", "subject_id"):
        family.say_of(who, population_as_of=BIRTHDAY)
    family.add(BIRTHDAY + 3 * DAY)
    own = family.open()
    hers = family.open_hers().link
    assert family.calendar().next_change_at == BIRTHDAY

    assert refresh_due(family.sessions, family.vault, BEFORE).rewritten == 0
    assert len(family.events()) == 1
    refresh_due(family.sessions, family.vault, BIRTHDAY)
    assert family.events() == []
    family.link = own
    assert len(family.events()) == 1

    refresh_due(family.sessions, family.vault, BIRTHDAY + 30 * DAY - timedelta(seconds=1))
    assert _open_links(family) == [hers.link_id]
    refresh_due(family.sessions, family.vault, BIRTHDAY + 30 * DAY)
    assert _open_links(family) == []
    with family.sessions.writing() as session, pytest.raises(Refused, match="until it turns 13"):
        _open(family, session, family.wishes, BIRTHDAY)


@pytest.mark.parametrize("who", ["guardian_id", "subject_id"])
def test_while_the_register_is_silent_of_either_nothing_changes_but_the_birthday_still_comes(
    family: Family, who: str
) -> None:
    booking = family.add(family.now + 3 * DAY)
    body = family.open_hers().body()
    family.say_of(who, population_as_of=None)

    assert family.change(booking, standing=Standing.CANCELLED, sequence=1, stands_since=family.now) == []
    assert family.body() == body
    assert family.calendar().next_change_at == family.now + CalendarRules().look_again
    assert refresh_due(family.sessions, family.vault, BEFORE - timedelta(minutes=5)).looked_at == 1
    assert family.calendar().next_change_at == BIRTHDAY
    refresh_due(family.sessions, family.vault, BIRTHDAY)
    assert family.events() == []


@pytest.mark.parametrize("who", ["guardian_id", "subject_id"])
@pytest.mark.parametrize("flag", ["protected_on", "deceased_on"])
def test_protection_or_death_of_either_empties_what_the_guardian_sees(family: Family, who: str, flag: str) -> None:
    family.add(family.now + 3 * DAY)
    family.open_hers()
    family.say_of(who, **{flag: family.now.date()})
    with family.sessions.writing() as session:
        calendars.wake_calendars_about(session, [getattr(family, who)], family.now)

    assert refresh_due(family.sessions, family.vault, family.now).rewritten == 1
    assert family.events() == []


def test_a_guardian_no_more_loses_the_calendar_and_one_again_gets_it_back(family: Family) -> None:
    family.add(family.now + 3 * DAY)
    before = family.open_hers().event_bytes()
    for custody, seen in ((Custody.ENDED, {}), (Custody.UNSAID, {}), (Custody.STANDS, before)):
        family.say_custody(custody)
        family.rewrite()
        assert family.event_bytes() == seen


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"custody": Custody.ENDED}, "does not say that this person is the child's guardian"),
        ({"custody": Custody.UNSAID}, "does not say that this person is the child's guardian"),
        ({"guardian_id": {"population_as_of": None}}, "has not been heard of lately"),
        ({"subject_id": {"population_as_of": None}}, "has not been heard of lately"),
        ({"guardian_id": {"protected_on": date(2026, 11, 1)}}, "not shown in calendars"),
        ({"subject_id": {"deceased_on": date(2026, 11, 1)}}, "not shown in calendars"),
    ],
)
def test_no_new_address_for_a_guardian_who_may_not_see_the_child(
    family: Family, said: dict[str, Any], told: str
) -> None:
    family.open_hers()
    for who, values in said.items():
        family.say_custody(values) if who == "custody" else family.say_of(who, **values)

    with family.sessions.writing() as session, pytest.raises(Refused, match=told):
        _open(family, session, family.wishes)
    with family.sessions.writing() as session, pytest.raises(Refused, match=told):
        make_link(session, family.vault, family.calendar_id, family.now)


def test_somebody_whom_the_register_never_named_gets_no_calendar_of_a_child(family: Family) -> None:
    with family.sessions.writing() as session:
        session.delete(session.get_one(Guardianship, (family.guardian_id, family.subject_id)))
    with family.sessions.writing() as session, pytest.raises(Refused, match="does not say"):
        _open(family, session, family.wishes)


def _open(family: Family, session: Session, wishes: Wishes, now: datetime | None = None) -> UUID:
    ids = {"viewer_id": family.guardian_id, "subject_id": family.subject_id}
    return open_calendar(session, family.vault, wishes, now=now or family.now, **ids)


def _open_links(family: Family) -> list[UUID]:
    return [link.id for link in family.links() if link.revoked_at is None]
