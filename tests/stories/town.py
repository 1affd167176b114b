"""A whole town for stories: the real product on a real database, beside the simulated region and providers, with a
business clock that stands still until the story moves it."""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx

from feeds.calendars import COMPONENT_PLACE
from feeds.subscribing import make_link
from notifier import ready_texts
from store import bookings, calendars, engagements, ledger, subjects
from store.bookings import Booking
from store.calendars import ComponentKind
from store.clinics import Decision
from store.deliveries import Delivery
from store.identifiers import parse_subject_id
from store.vault import make_key_file
from worker import actors, import_files, importing
from worker.actors import Kind
from worker.clock import BusinessClock
from worker.demo.accepted import Message
from worker.demo.care_units import facilities_csv
from worker.demo.facilities import FACILITIES
from worker.demo.people import Person, people, population_csv, subjects_csv
from worker.demo.providers import RunningProviders
from worker.demo.region import RunningRegion
from worker.demo.region_state import Booking as CareBooking
from worker.demo.region_state import Fault, Invitation
from worker.settings import read_settings
from worker.sources.gate import Gate, Limits
from worker.wiring import Wiring, wire

SWEDEN = ZoneInfo("Europe/Stockholm")
SECOND_LOOK = timedelta(minutes=10)
CENTRE = "SE2321000016-1A01"
LABORATORY = "SE2321000016-1A02"
ORDER = (
    Kind.POPULATION,
    Kind.POLL,
    Kind.INVITATIONS,
    Kind.PASSING,
    Kind.REPLAN,
    Kind.PLAN,
    Kind.DISPATCH,
    Kind.RECOVER,
    Kind.RESOLVE,
    Kind.RECEIPTS,
    Kind.CALENDARS,
)


class StillClock(BusinessClock):
    """Business time that only the story moves."""

    def __init__(self, at: datetime) -> None:
        super().__init__(at)
        self._at = at

    def now(self) -> datetime:
        return self._at

    def forward(self, to: datetime) -> None:
        self._at = max(self._at, to)


@dataclass
class Town:
    wiring: Wiring
    clock: StillClock
    region: RunningRegion
    providers: RunningProviders
    folder: Path

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def enrol(self, count: int) -> list[Person]:
        """Imports the first so many of the cast, as an operator would, each with the calendar they wish for."""
        cast = people(count)
        (self.folder / "subjects.csv").write_text(subjects_csv(cast, self.now))
        self.register(count)
        rows = import_files.read_subjects(self.folder / "subjects.csv", self.now.date())
        with self.wiring.sessions.writing() as session:
            for row in rows:
                importing.import_subject(session, self.wiring.vault, row, list(self.wiring.syncing.sources), self.now)
        actors.drain(self.wiring, Kind.POPULATION)
        for row in rows:
            rules = self.wiring.syncing.calendar_rules
            importing.open_wished_calendar(self.wiring.sessions, self.wiring.vault, row, rules, self.now)
        return list(cast)

    def register(self, count: int) -> None:
        """Writes the population register of now."""
        (self.folder / "population.csv").write_text(population_csv(people(count), self.now))

    def book(
        self, person: Person, start_at: datetime, booking_id: str, facility: str = CENTRE, **values: object
    ) -> None:
        """A new booking in a time book of the region."""
        fields = {
            "id": booking_id,
            "subject": person.identity,
            "facility": facility,
            "start_at": start_at.astimezone(SWEDEN),
            "end_at": start_at.astimezone(SWEDEN) + timedelta(minutes=30),
            "time_type": "LAKARE",
            "time_type_name": "Läkarbesök",
        }
        self.region.state.add(CareBooking(**{**fields, **values}))  # type: ignore[arg-type]

    def invite(self, person: Person, invitation_id: str, facility: str = CENTRE, **values: object) -> None:
        """A new open invitation in a time book of the region."""
        fields = {
            "id": invitation_id,
            "subject": person.identity,
            "facility": facility,
            "time_type": "HALSO",
            "time_type_name": "Hälsosamtal",
        }
        self.region.state.invite(Invitation(**{**fields, **values}))  # type: ignore[arg-type]

    def to_dos(self, person: Person) -> list[str]:
        """The open invitations in the person's calendar, as CalDAV serves them."""
        subject_id = self.subject_id(person)
        with self.wiring.sessions.reading() as session:
            calendar = calendars.of_viewer(session, subject_id, subject_id)
            assert calendar is not None
            cipher = subjects.cipher_of(session, self.wiring.vault, subject_id)
            rows = calendars.components(session, calendar.id).values()
            return [
                cipher.open(COMPONENT_PLACE, row.booking_id, row.sealed_body).decode().replace("\r\n ", "")
                for row in rows
                if row.kind == ComponentKind.INVITATION and row.sealed_body is not None
            ]

    def move(self, booking_id: str, start_at: datetime) -> None:
        booking = self.region.state.booking(booking_id)
        at = start_at.astimezone(SWEDEN)
        self.region.state.change(replace(booking, start_at=at, end_at=at + timedelta(minutes=30)))

    def cancel(self, booking_id: str) -> None:
        self.region.state.cancel(booking_id)

    def fail(self, facility: str, fault: Fault) -> None:
        self.region.state.set_fault(facility, fault)

    def work(self) -> None:
        """Everything that is due now, until nothing is."""
        for _ in range(6):
            if not sum(actors.drain(self.wiring, kind) for kind in ORDER):
                return

    def poll(self) -> None:
        """One poll of everybody at this very time, and what follows from it."""
        with self.wiring.sessions.writing() as session:
            engagements.wake_all(session, self.now)
        self.work()

    def wait(self, delay: timedelta) -> None:
        """Business time passes; then everything due is done."""
        self.clock.forward(self.now + delay)
        self.work()

    def until(self, at: datetime) -> None:
        self.clock.forward(at)
        self.work()

    def subject_id(self, person: Person) -> UUID:
        with self.wiring.sessions.reading() as session:
            number = parse_subject_id(person.identity, today=self.now.date())
            subject = subjects.by_number(session, self.wiring.vault, number)
        assert subject is not None
        return subject.id

    def bookings(self, person: Person) -> list[Booking]:
        with self.wiring.sessions.reading() as session:
            return bookings.of_subject(session, self.subject_id(person))

    def booking(self, person: Person, booking_id: str) -> Booking:
        (found,) = [one for one in self.bookings(person) if one.booking_id == booking_id]
        return found

    def told(self, person: Person) -> list[str]:
        """The texts that reached the person, oldest first."""
        return [message.body for message in self.messages(person)]

    def messages(self, person: Person) -> list[Message]:
        return [one for one in self.providers.messages() if one.to in (person.phone, person.email)]

    def deliveries(self) -> list[Delivery]:
        with self.wiring.sessions.reading() as session:
            return [entry.delivery for entry in ledger.entries(session, self.wiring.vault)]

    def address(self, person: Person) -> str:
        """A new path of the person's calendar."""
        subject_id = self.subject_id(person)
        with self.wiring.sessions.writing() as session:
            calendar = calendars.of_viewer(session, subject_id, subject_id)
            assert calendar is not None
            return f"/f/{make_link(session, self.wiring.vault, calendar.id, self.now).token}.ics"


def town(  # noqa: PLR0913 - what it is made of, and settings besides
    database_url: str,
    folder: Path,
    region: RunningRegion,
    providers: RunningProviders,
    clock: StillClock,
    **settings: object,
) -> Town:
    """A town on a migrated database, its facilities imported and their clinics' decisions recorded."""
    (folder / "sources.toml").write_text(
        f'[[source]]\nname = "region"\nurl = "{region.url}/vp"\nlogical_address = "5565594230"\n'
        'index_logical_address = "5565594230"\n'
        "calls_per_second = 10000\ncalls_at_once = 50\ncalls_per_hour = 1000000\n"
    )
    (folder / "facilities.csv").write_text(facilities_csv(FACILITIES))
    (folder / "population.csv").write_text(population_csv(people(1), clock.now()))
    keys = folder / "keys.json"
    if not keys.exists():
        make_key_file(keys)
    configuration = read_settings(
        {},
        database_url=database_url,
        keys=keys,
        sources=folder / "sources.toml",
        population=folder / "population.csv",
        twilio_account_sid=providers.account.sid,
        twilio_auth_token=providers.account.token,
        twilio_sender=providers.account.sender,
        twilio_api_base_url=providers.url,
        smtp_host=providers.smtp_host,
        smtp_port=providers.smtp_port,
        smtp_starttls=False,
        smtp_sender="paminnelse@kallelse.example",
        poll_timeout_seconds=2,
        **settings,
    )
    wiring = wire(configuration, clock)
    limits = Limits(at_once=50, per_second=10_000, burst=10_000, per_hour=1_000_000)
    # The breaker opens and closes by business time here: a story of a day's outage takes a second.
    gates = {"region": Gate(limits, monotonic=lambda: clock.now().timestamp())}
    wiring = replace(wiring, syncing=replace(wiring.syncing, gates=gates))
    with wiring.sessions.writing() as session:
        ready_texts.install(session, clock.now())
    rows = import_files.read_facilities(folder / "facilities.csv")
    importing.import_facilities(wiring.sessions, rows, clock.now())
    for clinic in {row.clinic for row in rows if row.clinic}:
        importing.decide(wiring.sessions, clinic, Decision("PROV-1", "Provregionen", clock.now().date()), clock.now())
    return Town(wiring, clock, region, providers, folder)


def get(app: object, path: str, **headers: str) -> httpx.Response:
    """A GET of one of our addresses, by the application itself."""

    async def fetch() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://kallelse.test") as client:
            return await client.get(path, headers=headers)

    return asyncio.run(fetch())
