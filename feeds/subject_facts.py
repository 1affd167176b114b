"""What the calendars of one subject are made from: bookings, open invitations, where they are, who is silent.

Reads; decides no texts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from feeds.invitations import Invited
from feeds.levels import Place, Visit, mode_of
from feeds.periods import CalendarRules, Register, Timing
from feeds.viewing import Guarding, Permission, guardians_permission, own_permission
from store import bookings, facilities, guardianships, invitations, leaflets, preparations
from store.bookings import Booking, Details, open_details
from store.calendars import Calendar
from store.database import Session
from store.facilities import WHOLE_SOURCE, Facility
from store.identifiers import HsaId
from store.invitations import Invitation
from store.leaflets import Leaflet
from store.preparations import ClinicPreparations
from store.standing import Standing
from store.subjects import Subject, cipher_of, number_of
from store.vault import SubjectCipher, Vault


@dataclass(frozen=True, slots=True)
class SubjectFacts:
    """Facts of one subject at one moment."""

    cipher: SubjectCipher = field(repr=False)
    bookings: Mapping[UUID, Booking] = field(repr=False)
    invitations: Sequence[Invitation] = field(repr=False)  # those that stand, the oldest first
    facilities: Mapping[HsaId, Facility] = field(repr=False)  # with all that stand above them
    own: ClinicPreparations = field(repr=False)  # what clinics themselves tell before visits
    silent_since: Mapping[tuple[str, str], datetime] = field(repr=False)  # by source and logical address


def facts_of(session: Session, vault: Vault, subject_id: UUID) -> SubjectFacts:
    """Raises Unsealable."""
    rows = {row.id: row for row in bookings.of_subject(session, subject_id)}
    invited = invitations.open_of_subject(session, subject_id)
    units = facilities.with_those_above(session, _facilities_of([*rows.values(), *invited]))
    return SubjectFacts(
        cipher=cipher_of(session, vault, subject_id),
        bookings=rows,
        invitations=invited,
        facilities=units,
        own=preparations.of_clinics(session, units.values()),
        silent_since=_silent_since(session, rows.values()),
    )


def permission_of(
    session: Session, cipher: SubjectCipher, calendar: Calendar, now: datetime, rules: CalendarRules
) -> Permission:
    """What the calendar's viewer may see of its subject, whose cipher it is. Raises Unsealable."""
    subject = session.get_one(Subject, calendar.subject_id)
    if calendar.viewer_id == subject.id:
        return own_permission(_register(subject), now, rules)
    guarding = Guarding(
        guardian=_register(session.get_one(Subject, calendar.viewer_id)),
        child=_register(subject),
        custody=guardianships.custody(session, calendar.viewer_id, subject.id),
        born_on=number_of(subject, cipher).born_on,
    )
    return guardians_permission(guarding, now, rules)


def details_of(facts: SubjectFacts, booking: Booking) -> Details:
    """Raises Unsealable."""
    return open_details(facts.cipher, booking)


def visit_of(facts: SubjectFacts, booking: Booking, details: Details, language: str) -> Visit:
    facility = facts.facilities.get(HsaId(booking.facility))
    return Visit(
        standing=Standing(booking.standing),
        mode=mode_of(booking.time_type_id, details.time_type_name, facility.remote_time_types if facility else ()),
        may_cancel=booking.may_cancel,
        may_rebook=booking.may_rebook,
        is_in_clock_change=bool(booking.time_flag),
        time_type=details.time_type_name,
        performer=details.performer_name,
        resource=details.resource_name,
        preparations=_preparations(facts, booking, details, language),
    )


def invited_of(facts: SubjectFacts, invitation: Invitation) -> tuple[Invited, Place]:
    """What an open invitation is about, and where. Raises Unsealable."""
    details = invitations.open_details(facts.cipher, invitation)
    invited = Invited(
        time_type=details.time_type_name,
        performer=details.performer_name,
        resource=details.resource_name,
        preparations=leaflets.read(details.preparations),
    )
    return invited, place_of(facts, invitation.facility, details.facility_name)


def place_of(facts: SubjectFacts, hsa_id: str, reported_name: str = "") -> Place:
    """Where it is. What a child unit leaves unsaid the unit above says; a sensitive unit hides all below it."""
    line = facilities.line(facts.facilities, hsa_id)
    return Place(
        name=_first(unit.display_name for unit in line) or reported_name,
        address=_first(unit.address for unit in line),
        phone=_first(unit.phone for unit in line),
        is_sensitive=not line or any(unit.is_sensitive for unit in line),
    )


def shows_end(facts: SubjectFacts, booking: Booking) -> bool:
    """Ends are unreliable: they are shown only where the facility says that its are right."""
    facility = facts.facilities.get(HsaId(booking.facility))
    return facility is not None and facility.shows_end


def timing_of(booking: Booking) -> Timing:
    return Timing(booking.start_at, Standing(booking.standing), booking.stands_since, booking.candidate_until)


def _register(subject: Subject) -> Register:
    return Register(subject.protected_on, subject.deceased_on, subject.population_as_of)


def _facilities_of(rows: Iterable[Booking | Invitation]) -> set[str]:
    return {name for row in rows for name in (row.facility, row.logical_address)}


def _preparations(facts: SubjectFacts, booking: Booking, details: Details, language: str) -> Leaflet:
    """What the source says of this very visit, and then what the clinic says before every such visit."""
    line = facilities.line(facts.facilities, booking.facility)
    own = facts.own.told(line, booking.time_type_id, language)
    return leaflets.joined([leaflets.read(details.preparations), own])


def _silent_since(session: Session, rows: Iterable[Booking]) -> dict[tuple[str, str], datetime]:
    """An address that nobody may see any more is as silent as one that does not answer, and so is every address behind
    a source that fails as a whole."""
    asked: dict[str, set[str]] = {}
    for row in rows:
        asked.setdefault(row.source, {WHOLE_SOURCE}).add(row.logical_address)
    silent: dict[tuple[str, str], datetime] = {}
    for source, addresses in asked.items():
        since = _missing_since(session, source, addresses)
        whole = since.pop(WHOLE_SOURCE, None)
        for address in addresses - {WHOLE_SOURCE}:
            found = [at for at in (since.get(address), whole) if at is not None]
            if found:
                silent[(source, address)] = min(found)
    return silent


def _missing_since(session: Session, source: str, addresses: set[str]) -> dict[str, datetime]:
    missing = {}
    for row in facilities.addresses(session, source, addresses).values():
        since = [at for at in (row.silent_since, row.not_visible_since) if at is not None]
        if since:
            missing[row.address] = min(since)
    return missing


def _first(texts: Iterable[str]) -> str:
    return next((text for text in texts if text), "")
