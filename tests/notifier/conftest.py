"""A clinic that sends, a subject who is told, and a provider that answers at the end of a real wire."""

import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import col, select, update

from notifier import dispatch, planning, ready_texts
from notifier.channels import Channel
from notifier.channels.twilio_sms import TwilioSettings, TwilioSms
from notifier.dispatch import DispatchSettings
from notifier.planning import Planning, PlanningSettings
from notifier.providers import Channels
from notifier.swedish_days import wall_clock
from store.bookings import Before, Booking, BookingChange, Details, seal_before
from store.database import Sessions
from store.deliveries import Attempt, Delivery, DeliveryPart
from store.engagements import Engagement
from store.facilities import Facility
from store.identifiers import new_id
from store.standing import ChangeKind, Standing
from store.subjects import Subject, cipher_of, wake_planning
from store.vault import Vault
from tests import build
from tests.people import ANNA, Person
from tests.wire.http_peer import Asked, HttpPeer, Reaction, answer_json


def at(text: str) -> datetime:
    """`2026-12-01 13:30` by Swedish clocks."""
    on, clock = text.split()
    return wall_clock(date.fromisoformat(on), time.fromisoformat(clock))


@dataclass
class Scene:
    """One clinic with one facility; people and bookings are added as a test needs them."""

    sessions: Sessions
    vault: Vault
    now: datetime
    clinic_id: UUID
    planning: PlanningSettings = field(default_factory=PlanningSettings)
    dispatch: DispatchSettings = field(default_factory=DispatchSettings)

    def subject(self, person: Person = ANNA, **values: Any) -> Engagement:
        """A subject, with an engagement to hang bookings on. The population register is fresh for a year."""
        with self.sessions.writing() as session:
            known = {"population_as_of": self.now + timedelta(days=365), **values}
            row = build.subject(session, self.vault, self.now, person, **known)
            return build.engagement(session, row.id, self.now)

    def booking(self, of: Engagement, start: str, **values: Any) -> UUID:
        with self.sessions.writing() as session:
            details = values.pop("details", Details(facility_name="Vårdcentralen"))
            return build.booking(session, self.vault, of, at(start), details=details, **values).id

    def change(self, booking_id: UUID, kind: ChangeKind, when: datetime, **after: Any) -> UUID:
        """Changes a booking as a poll would have, and remembers what stood before."""
        with self.sessions.writing() as session:
            booking = session.get_one(Booking, booking_id)
            change_id, cipher = new_id(), cipher_of(session, self.vault, booking.subject_id)
            before = Before(booking.start_at, booking.facility, Standing(booking.standing), booking.time_version)
            sealed = None if kind == ChangeKind.BOOKED else seal_before(cipher, change_id, before)
            for name, value in after.items():
                setattr(booking, name, value)
            if "start_at" in after:
                booking.time_version += 1
                booking.time_version_at = when
            session.add(booking)
            settles_at = when + timedelta(seconds=0 if kind == ChangeKind.GONE else 120)
            session.add(
                BookingChange(
                    id=change_id, booking_id=booking_id, subject_id=booking.subject_id, kind=kind, at=when,
                    settles_at=settles_at, tell=True, sealed_before=sealed,
                )
            )  # fmt: skip
            wake_planning(session, [booking.subject_id], when)
            return change_id

    def plan(self, now: datetime) -> Planning:
        """Wakes every subject and plans them all."""
        with self.sessions.writing() as session:
            wake_planning(session, session.exec(select(Subject.id)).all(), now)
        return self.plan_due(now)

    def plan_due(self, now: datetime) -> Planning:
        done = Planning()
        while (more := planning.plan_due(self.sessions, self.vault, self.planning, now)).subjects:
            done = done.plus(more)
        return done

    def send(self, channels: Channels, now: datetime) -> Counter[str]:
        counts: Counter[str] = Counter()
        while more := dispatch.send_due(self.sessions, self.vault, channels, lambda: now, self.dispatch):
            counts += more
        return counts

    def deliveries(self) -> list[Delivery]:
        with self.sessions.reading() as session:
            return list(session.exec(select(Delivery).order_by(col(Delivery.id))))

    def parts(self) -> list[DeliveryPart]:
        with self.sessions.reading() as session:
            return list(session.exec(select(DeliveryPart).order_by(col(DeliveryPart.id))))

    def attempts(self) -> list[Attempt]:
        with self.sessions.reading() as session:
            return list(session.exec(select(Attempt).order_by(col(Attempt.id))))

    def states(self) -> list[tuple[str, str]]:
        return [(str(one.state), one.reason) for one in self.deliveries()]

    def set(self, table: type[Any], key: Any, **values: Any) -> None:
        with self.sessions.writing() as session:
            row = session.get_one(table, key)
            for name, value in values.items():
                setattr(row, name, value)
            session.add(row)

    def next_planning_at(self, of: Engagement) -> datetime | None:
        with self.sessions.reading() as session:
            return session.get_one(Subject, of.subject_id).next_planning_at

    def lease_runs_out(self) -> None:
        """As if the worker had been dead for longer than its lease."""
        with self.sessions.writing() as session:
            long_ago = datetime(2020, 1, 1, tzinfo=self.now.tzinfo)
            session.exec(
                update(Delivery).where(col(Delivery.claimed_until).is_not(None)).values(claimed_until=long_ago)
            )


@pytest.fixture
def scene(sessions: Sessions, vault: Vault, now: datetime) -> Scene:
    with sessions.writing() as session:
        clinic = build.clinic(session, now)
        build.facility(session, clinic_id=clinic.id)
        ready_texts.install(session, now)
        return Scene(sessions, vault, now, clinic.id)


@dataclass
class Provider:
    """Twilio at the end of a wire: takes everything unless told otherwise."""

    peer: HttpPeer
    channels: Mapping[str, Channel]
    reaction: Reaction | Callable[[Asked], Reaction] | None = None

    @property
    def texts(self) -> list[str]:
        return [asked.form["Body"] for asked in self.peer.asked]

    @property
    def to(self) -> list[str]:
        return [asked.form["To"] for asked in self.peer.asked]


@pytest.fixture
def provider() -> Iterator[Provider]:
    made: list[Provider] = []

    def react(asked: Asked) -> Reaction:
        wanted = made[0].reaction
        if callable(wanted):
            return wanted(asked)
        return wanted or answer_json(201, {"sid": f"SM{secrets.token_hex(16)}", "status": "queued"})

    with HttpPeer(react) as peer:
        channel = TwilioSms(twilio_settings(peer.url))
        made.append(Provider(peer, {"sms": channel}))
        yield made[0]
        channel.close()


def twilio_settings(url: str) -> TwilioSettings:
    return TwilioSettings(
        account_sid="AC" + "0" * 31 + "1",
        auth_token="hemlig-nyckel",
        sender="Ekens VC",
        public_url="https://kallelse.example.se",
        api_base_url=url,
        connect_timeout=timedelta(seconds=2),
        read_timeout=timedelta(seconds=0.5),
    )


def settings_with(scene: Scene, **values: Any) -> None:
    scene.dispatch = replace(scene.dispatch, **values)


def facility_values(scene: Scene, **values: Any) -> None:
    scene.set(Facility, build.VARDCENTRAL, **values)
