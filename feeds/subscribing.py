"""What a citizen does with calendars: open one, change what it shows, make, rotate and revoke its addresses, and add
and remove the devices that read its CalDAV account.

Nothing new is made for a viewer who may not see the subject. Knows no web.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from feeds.accounts import new_account, new_password, plain
from feeds.calendars import rewrite_whole
from feeds.ical import one_line
from feeds.links import new_token
from feeds.periods import CalendarRules
from feeds.subject_facts import permission_of
from feeds.viewing import Ground
from store import app_passwords, calendars
from store.calendars import Calendar, FeedLink
from store.custody import GUARDED_UNTIL_AGE
from store.database import Session
from store.identifiers import new_id
from store.level import Level
from store.subjects import cipher_of
from store.vault import Vault

PAST_DAYS: Final = 30
TOKEN_PURPOSE = "feed"  # noqa: S105 - what the keyed digest is for
PASSWORD_PURPOSE = "app password"  # noqa: S105 - the same
_DEFAULT = CalendarRules()
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)  # Last-Modified is real time: the first revision sets it
_LANGUAGES = ("sv", "en")
_LONGEST_ALARM_MINUTES = 4 * 7 * 24 * 60
_MOST_ALARMS = 5
_LONGEST_PAST_DAYS = 366
_LONGEST_DEVICE_NAME = 60
_MOST_DEVICES = 20

_SAYS_NOT = (
    "the population register does not say that this person is the child's guardian: when it does, take a newer one in"
    " and try again"
)
_REFUSALS = {
    Ground.FLAGGED: "this person's bookings are not shown in calendars, by what the population register says: only a"
    " newer one can change that",
    Ground.ENDED: _SAYS_NOT,
    Ground.UNSAID: _SAYS_NOT,
    Ground.GROWN: f"guardians see a child's calendar until it turns {GUARDED_UNTIL_AGE}: open the person's own instead",
    Ground.UNDATED: "this identity number tells no date of birth, so no guardian's calendar is kept: open the person's"
    " own instead",
    Ground.UNHEARD: "the population register has not been heard of lately: no new calendar address until it has",
}


class Refused(Exception):
    """What was asked for may not be done; the message says why, without naming anybody."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a calendar is to show. The level has no default: it is chosen before any address exists."""

    level: Level
    language: str = "sv"
    alarms: tuple[int, ...] = ()  # minutes before each visit; none unless asked for
    past_days: int = PAST_DAYS


@dataclass(frozen=True, slots=True)
class NewLink:
    """A fresh subscription address. The token is known only here: it is kept as a keyed digest."""

    link_id: UUID
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewDevice:
    """A fresh app password, known only here: it is kept as a keyed digest."""

    password_id: UUID
    account: str  # the user name, the same for all of a calendar's devices
    password: str = field(repr=False)


def open_calendar(  # noqa: PLR0913 - who sees whom, how, when
    session: Session,
    vault: Vault,
    wishes: Wishes,
    *,
    viewer_id: UUID,
    subject_id: UUID,
    now: datetime,
    rules: CalendarRules = _DEFAULT,
) -> UUID:
    """The viewer's calendar of the subject, showing what is wished: a new one, or the one there is, changed.

    Raises Refused, and Unsealable.
    """
    _require_sensible(wishes)
    calendar = calendars.of_viewer(session, viewer_id, subject_id) or Calendar(
        id=new_id(), viewer_id=viewer_id, subject_id=subject_id, level=wishes.level, changed_at=_NEVER, created_at=now
    )
    _require_access(session, vault, calendar, now, rules)
    calendar.level = wishes.level
    calendar.language = wishes.language
    calendar.alarms = sorted(set(wishes.alarms))
    calendar.past_days = wishes.past_days
    session.add(calendar)
    rewrite_whole(session, vault, calendar, now, rules)
    return calendar.id


def make_link(
    session: Session, vault: Vault, calendar_id: UUID, now: datetime, rules: CalendarRules = _DEFAULT
) -> NewLink:
    """A new address of the calendar, beside those it has. Raises Refused."""
    calendar = calendars.locked(session, calendar_id)
    if calendar is None:
        raise Refused("there is no such calendar")
    _require_access(session, vault, calendar, now, rules)
    token = new_token()
    link = FeedLink(
        id=new_id(), calendar_id=calendar_id, token_digest=vault.digest(TOKEN_PURPOSE, token), created_at=now
    )
    session.add(link)
    session.flush()
    return NewLink(link.id, token)


def rotate_link(
    session: Session, vault: Vault, link_id: UUID, now: datetime, rules: CalendarRules = _DEFAULT
) -> NewLink:
    """A new address in place of this one, which is gone at once. The calendar is untouched. Raises Refused."""
    link = calendars.link(session, link_id)
    if link is None:
        raise Refused("there is no such calendar address")
    fresh = make_link(session, vault, link.calendar_id, now, rules)
    revoke_link(session, link_id, now)
    return fresh


def revoke_link(session: Session, link_id: UUID, now: datetime) -> None:
    """The address is gone at once. Raises Refused when it was before."""
    if not calendars.revoke_link(session, link_id, now):
        raise Refused("this calendar address is no longer in use")


def make_device(  # noqa: PLR0913 - what it is called, of which calendar, when
    session: Session, vault: Vault, calendar_id: UUID, name: str, now: datetime, rules: CalendarRules = _DEFAULT
) -> NewDevice:
    """An app password for one more device of the calendar's CalDAV account. Raises Refused, and Unsealable."""
    name = one_line(name)
    if not 0 < len(name) <= _LONGEST_DEVICE_NAME:
        raise Refused(f"give the device a name of at most {_LONGEST_DEVICE_NAME} characters, such as: Annas telefon")
    calendar = calendars.locked(session, calendar_id)
    if calendar is None:
        raise Refused("there is no such calendar")
    _require_access(session, vault, calendar, now, rules)
    in_use = [row for row in app_passwords.of_calendar(session, calendar_id) if row.revoked_at is None]
    if len(in_use) >= _MOST_DEVICES:
        raise Refused(f"the calendar has {_MOST_DEVICES} devices: remove one that is not used any more")
    if calendar.account is None:
        calendar.account = new_account()
        session.add(calendar)
    password = new_password()
    cipher = cipher_of(session, vault, calendar.viewer_id)
    digest = vault.digest(PASSWORD_PURPOSE, plain(password))
    return NewDevice(app_passwords.add(session, cipher, calendar_id, digest, name, now), calendar.account, password)


def remove_device(session: Session, password_id: UUID, now: datetime) -> None:
    """The device is refused at once. Raises Refused when it was before."""
    if not app_passwords.revoke(session, password_id, now):
        raise Refused("this device's password is no longer in use")


def _require_sensible(wishes: Wishes) -> None:
    if wishes.language not in _LANGUAGES:
        raise Refused("calendars are kept in Swedish (sv) or English (en)")
    if any(not 0 <= minutes <= _LONGEST_ALARM_MINUTES for minutes in wishes.alarms):
        raise Refused(f"an alarm is 0 to {_LONGEST_ALARM_MINUTES} minutes (four weeks) before the visit")
    if len(set(wishes.alarms)) > _MOST_ALARMS:
        raise Refused(f"a visit has at most {_MOST_ALARMS} alarms")
    if not 0 <= wishes.past_days <= _LONGEST_PAST_DAYS:
        raise Refused(f"passed visits are shown for 0 to {_LONGEST_PAST_DAYS} days")


def _require_access(session: Session, vault: Vault, calendar: Calendar, now: datetime, rules: CalendarRules) -> None:
    """Unknown or stale population data, protection, death, no or ended custody: no new calendar, no new address."""
    cipher = cipher_of(session, vault, calendar.subject_id)
    permission = permission_of(session, cipher, calendar, now, rules)
    if permission.ground is not None:
        raise Refused(_REFUSALS[permission.ground])
