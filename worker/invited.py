"""Which open invitations stand after a look: what the index listed and what the facilities said, against what we hold.

Absence is not proof here either. The index lists only what is current, so two whole answers without an invitation, the
second look's time apart, end it; so does the facility's own word that it has a time now or is none. Nothing else does.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from store.identifiers import BookingKey
from worker.sources import NotOpen, ReportedInvitation, Unreadable

Said = ReportedInvitation | NotOpen | Unreadable


@dataclass(frozen=True, slots=True)
class Held:
    """An invitation as we hold it."""

    id: UUID
    key: BookingKey
    digest: bytes
    missed_at: datetime | None
    is_over: bool


@dataclass(frozen=True, slots=True)
class Look:
    """One look. `listed` is None where the index gave no whole answer; `said` holds what facilities answered."""

    now: datetime
    listed: frozenset[BookingKey] | None
    said: Mapping[BookingKey, Said]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to stand afterwards."""

    appeared: Mapping[BookingKey, ReportedInvitation]
    amended: Mapping[UUID, ReportedInvitation]  # other content, or back again after it was over
    over: frozenset[UUID]
    missed: frozenset[UUID]  # for the first time
    listed_again: frozenset[UUID]
    look_again_at: datetime | None  # to confirm what is missed

    @property
    def changed(self) -> frozenset[UUID]:
        """What a calendar shows differently; those that appeared have no id yet."""
        return self.over | self.amended.keys()

    @property
    def says_nothing_new(self) -> bool:
        return not (self.appeared or self.amended or self.over or self.missed or self.listed_again)


def judge(held: Iterable[Held], look: Look, second_look: timedelta) -> Verdict:
    """What the look says of what we hold, and what is new."""
    known = {one.key: one for one in held}
    standing = [one for one in known.values() if not one.is_over]
    amended = {one.id: said for one in known.values() if (said := _news(one, look)) is not None}
    refuted = {one.id for one in standing if look.said.get(one.key) in (NotOpen.HAS_TIME, NotOpen.NOT_INVITED)}
    unlisted = [one for one in standing if _is_unlisted(one, look) and one.id not in refuted]
    gone = {one.id for one in unlisted if one.missed_at is not None and look.now - one.missed_at >= second_look}
    waiting = [one.missed_at or look.now for one in unlisted if one.id not in gone]
    return Verdict(
        appeared={
            key: said for key, said in look.said.items() if key not in known and isinstance(said, ReportedInvitation)
        },
        amended=amended,
        over=frozenset(refuted | gone),
        missed=frozenset(one.id for one in unlisted if one.missed_at is None),
        listed_again=frozenset(one.id for one in standing if one.missed_at is not None and _is_listed(one, look)),
        look_again_at=min(waiting) + second_look if waiting else None,
    )


def _news(one: Held, look: Look) -> ReportedInvitation | None:
    said = look.said.get(one.key)
    if not isinstance(said, ReportedInvitation):
        return None
    return said if one.is_over or said.digest != one.digest else None


def _is_listed(one: Held, look: Look) -> bool:
    """Also where the facility itself says that it stands, whatever the index lists it as."""
    is_indexed = look.listed is not None and one.key in look.listed
    return is_indexed or isinstance(look.said.get(one.key), ReportedInvitation)


def _is_unlisted(one: Held, look: Look) -> bool:
    return look.listed is not None and not _is_listed(one, look)
