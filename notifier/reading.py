"""What becomes of a link to what is to be read before visits: a press shows it, as often as wanted until the visit;
that somebody has read it is written down once."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from notifier.linked_visits import ShownVisit, VisitNow, visits_now
from notifier.visit_preparations import ToRead, to_read
from notifier.visit_state import VisitState
from store import contact_points, preparations_read, subjects
from store.action_links import ActionLink
from store.database import Session
from store.leaflets import Leaflet
from store.preparations_read import PreparationsRead
from store.subjects import Subject, cipher_of
from store.vault import Vault

_SOMEBODY_ELSES = frozenset({"wrong_person", "grown_up"})
_TO_COME = frozenset({VisitState.STANDS, VisitState.MOVED})


@dataclass(frozen=True, slots=True)
class ShownText:
    """What is to be read before one visit; `texts`: each with the language it is in."""

    visit: ShownVisit
    texts: tuple[tuple[str, Leaflet], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reading:
    """What the page shows. `seal` names these very texts in its form: only what was shown counts as read. `is_read`:
    all of it has been, by this reader; `is_changed`: it is another than the one they pressed for."""

    shown: tuple[ShownText, ...]
    seal: str
    is_read: bool = False
    is_changed: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """A button pressed on the page. `seal`: of what was read; empty: to see it. `language`: asked for on the page;
    empty: the reader's own."""

    at: datetime  # real time
    now: datetime  # business time
    seal: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class _Found:
    visit: VisitNow
    to_read: ToRead
    digest: str


def open_page(session: Session, vault: Vault, link: ActionLink, reader_language: str, wish: Wish) -> Reading | None:
    """None where nothing of it may be shown, or there is nothing left to read. Raises Unsealable."""
    if not _is_still_theirs(session, vault, link, wish.now):
        return None
    found = _found(session, vault, visits_now(session, link, wish.now), wish.language or reader_language)
    if not found:
        return None
    seal = _seal(found)
    if wish.seal and wish.seal == seal:
        for one in found:
            _note(session, one, link.recipient_id, wish.at)
    shown = tuple(ShownText(one.visit.shown(place, wish.now), one.to_read.texts) for place, one in enumerate(found))
    is_read = _is_read(session, found, link.recipient_id)
    return Reading(shown, seal, is_read, is_changed=wish.seal not in ("", seal))


def _is_still_theirs(session: Session, vault: Vault, link: ActionLink, now: datetime) -> bool:
    """Whether the address that the link went to is the reader's yet: texts tell more than a time does."""
    reader = session.get_one(Subject, link.recipient_id)
    cipher = cipher_of(session, vault, reader.id)
    grown_at = subjects.grown_at(reader, cipher)
    return any(
        row.digest == link.contact_digest
        and row.removed_at is None
        and row.dead_reason not in _SOMEBODY_ELSES
        and not subjects.opened(cipher, row).has_ended(grown_at, now)
        for row in contact_points.of_subject(session, reader.id)
    )


def _found(session: Session, vault: Vault, visits: Sequence[VisitNow], language: str) -> list[_Found]:
    found = []
    for visit in visits:
        if visit.clinic is None or visit.state not in _TO_COME:
            continue
        cipher = cipher_of(session, vault, visit.booking.subject_id)
        one = to_read(session, cipher, [visit.booking], visit.clinic, language).get(visit.booking.id)
        if one is not None and one.on_page:
            found.append(_Found(visit, one, one.digest(vault)))
    return found


def _seal(found: Sequence[_Found]) -> str:
    return hashlib.sha256("|".join(one.digest for one in found).encode()).hexdigest()


def _note(session: Session, one: _Found, reader_id: UUID, at: datetime) -> None:
    row = PreparationsRead(booking_id=one.visit.booking.id, reader_id=reader_id, text_digest=one.digest, read_at=at)
    preparations_read.note(session, row)


def _is_read(session: Session, found: Sequence[_Found], reader_id: UUID) -> bool:
    reads = preparations_read.of_visits(session, [one.visit.booking.id for one in found])
    read = {(row.booking_id, row.text_digest) for rows in reads.values() for row in rows if row.reader_id == reader_id}
    return all((one.visit.booking.id, one.digest) in read for one in found)
