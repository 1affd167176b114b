"""`kallelse demo`: the whole product on SQLite, beside a simulated region and simulated providers, on loopback only."""

import json
import os
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

from feeds.subscribing import make_device, make_link
from notifier import ready_texts
from store import calendars, clinics, overview, preparations, subjects
from store.clinics import Decision
from store.database import Session, Sessions, migrate, open_database
from store.identifiers import parse_subject_id
from worker import actors, clinic_leaflets, import_files, importing, leaflet_files, processes
from worker.actors import Kind
from worker.demo import progress, start_page
from worker.demo.care_units import facilities_csv
from worker.demo.facilities import FACILITIES
from worker.demo.forwarding import next_local
from worker.demo.leaflets import FORM_HOST, LEAFLETS
from worker.demo.people import Person, population_csv, subjects_csv
from worker.demo.providers import ProviderSettings, RunningProviders, start_providers
from worker.demo.region import RunningRegion, start_region
from worker.demo.servers import loopback_socket
from worker.demo.twilio_api import TwilioAccount
from worker.settings import Configuration, read_settings
from worker.stopping import signals, wait_for
from worker.web.app import build_app
from worker.wiring import Wiring, open_vault, wire

POLL_SECONDS = 5.0
SECOND_LOOK_SECONDS = 15.0
SETTLE_SECONDS = 5.0
_SOURCE = "region"
_AGGREGATOR = "5565594230"
_INDEX = "5565594230"
_SWEDEN = ZoneInfo("Europe/Stockholm")
_BEGINS = clock_time(9, 55)
_ENDS = clock_time(16, 1)
_CYCLE_SECONDS = 180.0


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the command line asks for."""

    port: int = 8000
    citizens: int = 25
    directory: Path | None = None
    now: datetime | None = None
    ready_file: Path | None = None
    once: bool = False


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that runs in a demo."""

    wiring: Wiring
    region: RunningRegion
    providers: RunningProviders
    base_url: str
    feed_url: str
    account: progress.KeptAccount
    subject_id: UUID


class NotInTime(Exception):
    """The demo did not come to rest; the message says at what it stood."""


def run(options: DemoOptions, say: Callable[[str], None]) -> None:
    """Runs the demo until it is told to stop or, with `once`, through one cycle. Raises NotInTime."""
    with ExitStack() as parts:
        folder = options.directory or Path(parts.enter_context(tempfile.TemporaryDirectory(prefix="kallelse-demo-")))
        folder.mkdir(parents=True, exist_ok=True)
        stopping = threading.Event()
        parts.enter_context(signals(stopping))
        stage = _set_up(options, folder, parts)
        app = build_app(stage.wiring, start_page.routes(_desk(stage)))
        parts.enter_context(processes.running(stage.wiring, app, stopping, works=True, ticks=True))
        say(_greeting(stage))
        _first_cycle(stage, stopping)
        if options.ready_file is not None:
            _write_ready_file(options.ready_file, stage)
        if options.once:
            _rest_of_the_day(stage, stopping)
            say(_summary(stage))
        else:
            say("Allt har hämtats en gång. Ctrl-C avslutar. / Everything has been fetched once. Ctrl-C ends it.")
            wait_for(stopping)


def next_weekday_morning(now: datetime) -> datetime:
    """The next 09:55 of a weekday, just before reminders go out."""
    day = next_local(_BEGINS, now).astimezone(_SWEDEN)
    while day.weekday() >= 5:
        day += timedelta(days=1)
    return day.astimezone(UTC)


def _set_up(options: DemoOptions, folder: Path, parts: ExitStack) -> Stage:
    clock, began_at = progress.resumed_clock(folder, options.now or next_weekday_morning(datetime.now(UTC)))
    port = options.port or _free_port()
    account = TwilioAccount(sms_url=f"http://127.0.0.1:{port}/hooks/twilio/inbound")
    providers = start_providers(ProviderSettings(folder / "providers", account=account), clock.now)
    parts.callback(providers.stop)
    region = start_region(clock.now, citizens=options.citizens, cast_at=began_at)
    parts.callback(region.stop)
    _write_files(folder, region, began_at)
    configuration = _configuration(folder, region, providers, port)
    _bring_up(configuration)
    wiring = wire(configuration, clock)
    parts.callback(wiring.close)
    _import(wiring, folder)
    base_url = f"http://127.0.0.1:{port}"
    subject_id = _subject_id(wiring, region.cast.first)
    return Stage(
        wiring=wiring,
        region=region,
        providers=providers,
        base_url=base_url,
        feed_url=_feed_url(wiring, subject_id, base_url, folder),
        account=_account(wiring, subject_id, folder),
        subject_id=subject_id,
    )


def _write_files(folder: Path, region: RunningRegion, began_at: datetime) -> None:
    (folder / "facilities.csv").write_text(facilities_csv(FACILITIES))
    (folder / "preparations.toml").write_text(LEAFLETS)
    (folder / "subjects.csv").write_text(subjects_csv(region.cast.people, began_at))
    (folder / "population.csv").write_text(population_csv(region.cast.people, began_at))
    (folder / "sources.toml").write_text(
        f'[[source]]\nname = "{_SOURCE}"\nkind = "rivta"\nurl = "{region.url}/vp"\n'
        f'logical_address = "{_AGGREGATOR}"\ndirect = true\n'
        f'index_logical_address = "{_INDEX}"\ncalls_per_second = 200\n'
        "calls_at_once = 16\ncalls_per_hour = 1000000\n"
    )


def _configuration(folder: Path, region: RunningRegion, providers: RunningProviders, port: int) -> Configuration:
    return read_settings(
        {},
        database_url=f"sqlite:///{folder / 'kallelse.db'}",
        public_url=f"http://127.0.0.1:{port}",
        port=port,
        sources=folder / "sources.toml",
        population=folder / "population.csv",
        population_stale_hours=24 * 365,  # business time is forwarded by weeks, the register is not written anew
        twilio_account_sid=providers.account.sid,
        twilio_auth_token=providers.account.token,
        twilio_sender=providers.account.sender,
        twilio_api_base_url=providers.url,
        smtp_host=providers.smtp_host,
        smtp_port=providers.smtp_port,
        smtp_starttls=False,
        smtp_sender="paminnelse@kallelse.example",
        tick_seconds=0.5,
        poll_near_seconds=POLL_SECONDS,
        poll_usual_seconds=POLL_SECONDS,
        poll_far_seconds=POLL_SECONDS,
        invitations_seconds=2 * POLL_SECONDS,
        second_look_seconds=SECOND_LOOK_SECONDS,
        settle_seconds=SETTLE_SECONDS,
    )


def _import_leaflets(wiring: Wiring, path: Path) -> None:
    read = leaflet_files.read(path)
    with wiring.sessions.writing() as session:
        clinic = clinics.by_name(session, read.clinic)
        if clinic is None:
            return
        preparations.allow_host(session, clinic.id, FORM_HOST)
        clinic_leaflets.take(session, clinic, read, path, wiring.now(), is_tried=False)


def _bring_up(configuration: Configuration) -> None:
    sessions: Sessions = open_database(configuration.settings.database_url)
    migrate(sessions)
    with sessions.writing() as session:
        ready_texts.install(session, datetime.now(UTC))
    sessions.close()
    open_vault(configuration)


def _import(wiring: Wiring, folder: Path) -> None:
    """As an operator would: facilities, each clinic's decision, subjects, the register, and then calendars."""
    now = wiring.now()
    rows = import_files.read_facilities(folder / "facilities.csv")
    importing.import_facilities(wiring.sessions, rows, now)
    for clinic in {row.clinic for row in rows if row.clinic}:
        importing.decide(
            wiring.sessions, clinic, Decision("PROV-1", "Provregionen", now.date(), covers_texts=True), now
        )
    _import_leaflets(wiring, folder / "preparations.toml")
    people = import_files.read_subjects(folder / "subjects.csv", now.date())
    with wiring.sessions.writing() as session:
        for person in people:
            importing.import_subject(session, wiring.vault, person, [_SOURCE], now)
    actors.drain(wiring, Kind.POPULATION)
    for person in people:
        importing.open_wished_calendar(wiring.sessions, wiring.vault, person, wiring.syncing.calendar_rules, now)


def _subject_id(wiring: Wiring, person: Person) -> UUID:
    number = parse_subject_id(person.identity, today=wiring.now().date())
    with wiring.sessions.reading() as session:
        subject = subjects.by_number(session, wiring.vault, number)
    if subject is None:
        raise NotInTime("the first citizen was not imported")
    return subject.id


def _feed_url(wiring: Wiring, subject_id: UUID, base_url: str, folder: Path) -> str:
    """The first citizen's address; made once per folder, as it can be shown only when it is made."""
    token = progress.kept_token(folder)
    if token is None:
        token = _new_token(wiring, subject_id)
        progress.keep_token(folder, token)
    return f"{base_url}/f/{token}.ics"


def _new_token(wiring: Wiring, subject_id: UUID) -> str:
    now, rules = wiring.now(), wiring.syncing.calendar_rules
    with wiring.sessions.writing() as session:
        return make_link(session, wiring.vault, _calendar_id(session, subject_id), now, rules).token


def _account(wiring: Wiring, subject_id: UUID, folder: Path) -> progress.KeptAccount:
    """The first citizen's CalDAV account; made once per folder, as its password can be shown only when it is made."""
    kept = progress.kept_account(folder)
    if kept is None:
        now, rules = wiring.now(), wiring.syncing.calendar_rules
        with wiring.sessions.writing() as session:
            device = make_device(session, wiring.vault, _calendar_id(session, subject_id), "Demo", now=now, rules=rules)
        kept = progress.KeptAccount(device.account, device.password)
        progress.keep_account(folder, kept)
    return kept


def _calendar_id(session: Session, subject_id: UUID) -> UUID:
    calendar = calendars.of_viewer(session, subject_id, subject_id)
    if calendar is None:
        raise NotInTime("the first citizen's calendar was not opened")
    return calendar.id


def _first_cycle(stage: Stage, stopping: threading.Event) -> None:
    """A poll of everybody, then the lately cancelled booking, its second look, and what follows from it."""
    wiring, cast = stage.wiring, stage.region.cast
    _await(stopping, "the first poll", lambda: progress.all_answered(wiring.sessions))
    if progress.is_booked(wiring.sessions, cast.to_cancel):
        stage.region.state.cancel(cast.to_cancel)
        _await(stopping, "the second look", lambda: not progress.is_booked(wiring.sessions, cast.to_cancel))
    _await(stopping, "the first messages", lambda: progress.is_at_rest(wiring.sessions, wiring.now()))


def _rest_of_the_day(stage: Stage, stopping: threading.Event) -> None:
    wiring = stage.wiring
    to = next_local(_ENDS, wiring.now())
    wiring.clock.forward(to)
    _await(
        stopping,
        "the day's last messages",
        lambda: (
            progress.all_answered(wiring.sessions, since=to)
            and progress.is_at_rest(wiring.sessions, wiring.now())
            and progress.all_arrived(wiring.sessions)
        ),
    )


def _await(stopping: threading.Event, what: str, condition: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + _CYCLE_SECONDS
    while not condition():
        if time.monotonic() > ends_at:
            raise NotInTime(f"the demo did not get past {what} in {_CYCLE_SECONDS:.0f} seconds")
        if stopping.wait(0.1):
            return


def _greeting(stage: Stage) -> str:
    now = stage.wiring.now().astimezone(_SWEDEN)
    return "\n".join(
        [
            "",
            f"Öppna {stage.base_url} i webbläsaren. / Open it in your browser.",
            f"  Kalenderadress / calendar address  {stage.feed_url}",
            f"  Kalenderkonto / calendar account  {stage.base_url}/dav/",
            f"    användarnamn / user name  {stage.account.name}  lösenord / password  {stage.account.password}",
            f"  Allas telefoner / everybody's phones  {stage.providers.inbox_url}",
            f"  Regionens kontroll / region control  {stage.region.url}/control/bookings",
            f"Låtsastid / pretended time: {now:%Y-%m-%d %H:%M}.",
            "Prova: flytta ett besök, vänta tio sekunder, se kalendern; gå framåt till 16.00 och se telefonen.",
            "Try: move a visit, wait ten seconds, watch the calendar; forward to 16.00 and watch the phone.",
            "Hämtar allt en första gång (ungefär en halv minut) ... / Fetching everything once (half a minute) ...",
        ]
    )


def _summary(stage: Stage) -> str:
    with stage.wiring.sessions.reading() as session:
        counts = overview.counts(session, stage.wiring.now())
    sms = sum(message.channel == "sms" for message in stage.providers.messages())
    mails = sum(message.channel == "email" for message in stage.providers.messages())
    states = ", ".join(f"{number} {state}" for state, number in sorted(counts.deliveries.items()))
    return (
        f"{counts.subjects} citizens, {counts.coming_bookings} coming bookings, {counts.calendars} calendars, "
        f"{sms + mails} messages ({sms} SMS, {mails} e-mail).\nDeliveries: {states}."
    )


def _write_ready_file(path: Path, stage: Stage) -> None:
    content: Mapping[str, object] = {
        "base_url": stage.base_url,
        "feed_url": stage.feed_url,
        "caldav_url": f"{stage.base_url}/dav/",
        "caldav_username": stage.account.name,
        "caldav_password": stage.account.password,
        "region_url": stage.region.url,
        "provider_url": stage.providers.url,
        "inbox_url": stage.providers.inbox_url,
        "poll_seconds": POLL_SECONDS,
        "second_look_seconds": SECOND_LOOK_SECONDS,
    }
    partly = path.with_suffix(path.suffix + ".part")
    partly.write_text(json.dumps(content, indent=1))
    os.replace(partly, path)


def _desk(stage: Stage) -> start_page.Desk:
    with stage.wiring.sessions.reading() as session:
        calendar_id = _calendar_id(session, stage.subject_id)
    return start_page.Desk(
        sessions=stage.wiring.sessions,
        clock=stage.wiring.clock,
        region=stage.region,
        providers=stage.providers,
        subject_id=stage.subject_id,
        calendar_id=calendar_id,
        feed_url=stage.feed_url,
        account_url=f"{stage.base_url}/dav/",
        account=stage.account,
        poll_every=timedelta(seconds=POLL_SECONDS),
        second_look_after=timedelta(seconds=SECOND_LOOK_SECONDS),
        settles_in=timedelta(seconds=SETTLE_SECONDS),
    )


def _free_port() -> int:
    listener = loopback_socket(0)
    port = int(listener.getsockname()[1])
    listener.close()
    return port
