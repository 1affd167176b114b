"""Whether all is well, and what to do where it is not: one list of findings, for `/health/ready`, `/metrics` and
`kallelse check`. Reads the database, the register's first line and our certificates; talks to nobody else."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from notifier.channels.explaining import explained
from notifier.channels.faults import Lesson
from store import vitals
from store.database import DatabaseUnusable, Sessions, SQLAlchemyError, require_current_schema
from store.heartbeats import Part
from store.vitals import Vitals
from store.weight_causes import WeightCause
from worker.certificates import lasting
from worker.finding import Finding
from worker.population import require_not_ahead
from worker.settings import Configuration, Settings
from worker.sources.population import InvalidPopulation, read_as_of
from worker.wiring import Wiring

LIVES = timedelta(minutes=1)
"""How long a part of a process may be silent."""

STUCK = timedelta(minutes=2)
"""How long a due row may wait without anything being done; a delivery, while others are being sent, `LATE`."""

LATE = timedelta(minutes=5)
FILTERED_SHARE = 0.01
_DEAD = timedelta(minutes=1)  # how long a source may answer nobody
_SKEW, _MOST_SKEW = timedelta(seconds=2), timedelta(seconds=30)

_DOES = {
    Part.CLOCK: "gone through what is due",
    Part.WORKER: "answered a bell",
    Part.WEB: "gone on serving",
}
_NEAR_CAP = 0.8  # of a clinic's day's messages
REMEDIES = {
    "poll": "polls wait: see the worker's log for source_failed and work_failed",
    "invitations": "open invitations are not looked for: see the worker's log for source_failed and work_failed",
    "plan": "nothing is planned: see the worker's log for work_failed",
    "replan": "people are not told by changed rules yet: see the worker's log for work_failed",
    "dispatch": "nothing is sent: see the worker's log for provider_rests and work_failed",
    "recover": "a dead worker's messages are not taken over: see the worker's log for work_failed",
    "resolve": "providers are not asked about uncertain messages: see the worker's log for work_failed",
    "receipts": "receipts are not applied: see the worker's log for work_failed",
    "follow": "nobody is told by another channel: see the worker's log for work_failed",
    "calendars": "calendars do not follow time: see the worker's log for calendars_unsealable and work_failed",
    "passing": "visits do not pass: see the worker's log for work_failed",
    "retention": "what is to be forgotten is kept: see the worker's log for work_failed",
}


def findings(wiring: Wiring) -> list[Finding]:
    """Everything that can be told from here."""
    configuration, now = wiring.configuration, wiring.now()
    return [
        *of_database(wiring.sessions, configuration, now),
        population(configuration, now),
        *_of_settings(configuration),
    ]


def of_database(
    sessions: Sessions, configuration: Configuration, now: datetime, *, may_rest: bool = False
) -> list[Finding]:
    """What the database tells. `may_rest`: it is well, too, that nothing runs at all."""
    try:
        require_current_schema(sessions)
        with sessions.reading() as session:
            vital = vitals.read(session, now, [source.name for source in configuration.sources])
    except DatabaseUnusable as error:
        return [Finding("database", is_well=False, meaning=str(error))]
    except SQLAlchemyError:
        meaning = "no connection, or it cannot be read: see KALLELSE_DATABASE_URL, and that it runs"
        return [Finding("database", is_well=False, meaning=meaning)]
    answers = Finding("database", is_well=True, meaning="answers, and its schema is current")
    return [answers, *judged(vital, configuration, may_rest=may_rest)]


def judged(vital: Vitals, configuration: Configuration, *, may_rest: bool = False) -> list[Finding]:
    """What the vitals say. Pure."""
    is_resting = may_rest and not vital.beats
    return [
        *(_resting() if is_resting else _working(vital)),
        _uncertain(vital, timedelta(seconds=configuration.settings.give_up_seconds)),
        *(_source(source.name, vital.silent.get(source.name)) for source in configuration.sources),
        _caps(vital, configuration.settings.clinic_messages_per_day),
        *_faults(vital),
        *_shared(vital, configuration.settings),
        *_set_by_operators(vital),
        _clocks(vital),
    ]


def population(configuration: Configuration, now: datetime) -> Finding:
    """How old the register is, by its first line."""
    path = configuration.settings.population
    if path is None:
        return Finding("population", is_well=False, meaning="KALLELSE_POPULATION is not set: all messages are held")
    try:
        as_of = read_as_of(path)
        require_not_ahead(as_of, now)
    except (OSError, InvalidPopulation) as error:
        meaning = str(error) if isinstance(error, InvalidPopulation) else "the file cannot be read"
        return Finding("population", is_well=False, meaning=f"KALLELSE_POPULATION: {meaning}")
    if now - as_of > timedelta(hours=configuration.settings.population_stale_hours):
        meaning = "the register is stale: all messages are held until a newer one"
        return Finding("population", is_well=False, meaning=meaning)
    return Finding("population", is_well=True, meaning=f"as of {as_of.isoformat(timespec='minutes')}")


def for_how_long(duration: timedelta) -> str:
    """For an operator's eye."""
    seconds = int(duration.total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 7200:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h" if seconds < 172_800 else f"{seconds // 86_400} days"


def _resting() -> Iterator[Finding]:
    meaning = "none runs: what is due waits until `kallelse up`, or the Procfile, is started"
    yield Finding("processes", is_well=True, meaning=meaning, warns=True)


def _working(vital: Vitals) -> Iterator[Finding]:
    yield from _parts(vital)
    yield from (_waiting(kind, waited, vital) for kind, waited in vital.overdue.items())


def _parts(vital: Vitals) -> Iterator[Finding]:
    heard = {part: [beat.silent_for for beat in vital.beats if beat.kind == part] for part in Part}
    for part in (Part.CLOCK, Part.WORKER, Part.WEB):
        yield _part(part, heard[part], rings=bool(heard[Part.CLOCK]) and min(heard[Part.CLOCK]) <= LIVES)


def _part(part: Part, silences: Sequence[timedelta], *, rings: bool) -> Finding:
    living = sum(silence <= LIVES for silence in silences)
    gone = len(silences) - living
    if living:
        lost = f"; {gone} ended without a word within a day" if gone else ""
        return Finding(part, is_well=True, meaning=f"{living} at work{lost}", warns=bool(gone))
    since = f"none has {_DOES[part]} for {for_how_long(min(silences))}" if silences else "none runs"
    if part == Part.WORKER and not rings:
        return Finding(part, is_well=False, meaning=f"{since}: no clock rings; see to the clock first")
    remedy = "see its log for tick_failed, and that the broker answers" if part == Part.CLOCK else "see its log"
    return Finding(part, is_well=False, meaning=f"{since}: start `kallelse {part}` (or `kallelse up`), or {remedy}")


def _waiting(kind: str, waited: timedelta, vital: Vitals) -> Finding:
    what = f"due: {kind}"
    if not waited:
        return Finding(what, is_well=True, meaning="nothing waits")
    said = f"the oldest has waited for {for_how_long(waited)}"
    if waited > _limit(kind, vital):
        return Finding(what, is_well=False, meaning=f"{said}; {REMEDIES[kind]}")
    return Finding(what, is_well=True, meaning=said)


def _limit(kind: str, vital: Vitals) -> timedelta:
    """Many messages at once take their time by the provider's pace; only where none goes at all is that odd."""
    is_sending = kind == "dispatch" and vital.tried is not None and vital.tried <= STUCK
    return LATE if is_sending else STUCK


def _uncertain(vital: Vitals, give_up: timedelta) -> Finding:
    if not vital.uncertain:
        return Finding("uncertain", is_well=True, meaning="every message's end is known, or its receipt awaited")
    said = f"nobody knows whether {vital.uncertain} messages went, the oldest for {for_how_long(vital.uncertain_for)}"
    if vital.uncertain_for <= give_up + LATE:
        return Finding("uncertain", is_well=True, meaning=said)
    remedy = "`kallelse ledger --state uncertain` lists them; see that the provider answers"
    return Finding("uncertain", is_well=False, meaning=f"{said}: {remedy}")


def cap_shares(vital: Vitals, clinic_cap: int) -> dict[str, float]:
    """By clinic, how much of its day's messages it has used."""
    return {name: planned / (cap or clinic_cap) for name, (planned, cap) in vital.planned_today.items()}


def _caps(vital: Vitals, clinic_cap: int) -> Finding:
    near = [f"{name} {share:.0%}" for name, share in cap_shares(vital, clinic_cap).items() if share >= _NEAR_CAP]
    if not near:
        return Finding("caps", is_well=True, meaning="no clinic is near its day's messages")
    meaning = (
        f"of the day's messages used: {', '.join(sorted(near))}; at 100% reminders wait, or are skipped (capped): see"
        " that nothing runs away, or raise messages_per_day by `kallelse rules import`"
    )
    return Finding("caps", is_well=True, meaning=meaning, warns=True)


def _source(name: str, silent_for: timedelta | None) -> Finding:
    what = f"answers: {name}"
    if silent_for is None:
        return Finding(what, is_well=True, meaning="it answers, or has not been asked yet")
    said = f"it has answered nobody for {for_how_long(silent_for)}"
    remedy = "calendars and reminders go by what was known; see `kallelse facilities silent`, and its owner"
    return Finding(what, is_well=silent_for <= _DEAD, meaning=f"{said}: {remedy}", warns=True)


def _faults(vital: Vitals) -> Iterator[Finding]:
    """What providers' codes say of the set-up, and of the share of our messages that carriers take for junk."""
    filtered = 0
    for (provider, code), count in sorted(vital.faults.items()):
        fault = explained(provider, code)
        filtered += count * (fault.lesson == Lesson.FILTERED)
        if fault.lesson in (Lesson.OPERATOR, Lesson.UNLISTED):
            meaning = f"{code}, {fault.meaning}: {count} messages within an hour; look the code up with {provider}"
            yield Finding(f"provider: {provider}", is_well=True, meaning=meaning, warns=True)
    if filtered > vital.tried_lately * FILTERED_SHARE:
        said = f"{filtered} of {vital.tried_lately} messages within an hour were blocked by carriers"
        meaning = f"{said}: see to the sender's name and to links in the texts, and ask the provider"
        yield Finding("filtered", is_well=True, meaning=meaning, warns=True)


def _shared(vital: Vitals, settings: Settings) -> Iterator[Finding]:
    """How two providers share the SMS. Only one that the provider itself has shut out is not well: that calls for a
    person; what an operator has stopped, or trouble has moved, is so for a reason."""
    version = vital.sms_weights
    if version is None or not (settings.twilio_account_sid and settings.elks_username):
        return
    weights = ", ".join(f"{row.provider} {'stopped' if row.is_stopped else row.weight}" for row in version.rows)
    stopped = [row.provider for row in version.rows if row.is_stopped]
    said = f"{weights} ({version.rows[0].reason})"
    if stopped:
        said += f": set it right, try it by `kallelse send-test`, then `kallelse providers --start {stopped[0]}`"
    cause = version.stopped_for
    yield Finding("sms providers", is_well=cause != WeightCause.SHUT_OUT, meaning=said, warns=bool(stopped))


def _set_by_operators(vital: Vitals) -> Iterator[Finding]:
    yield _sending(vital)
    if vital.frozen:
        meaning = f"{vital.frozen} facilities: nobody is told of what disappears there; see `kallelse frozen`"
        yield Finding("frozen", is_well=True, meaning=meaning, warns=True)
    if vital.gap is not None:
        since, until = (at.isoformat(timespec="seconds") for at in (vital.gap.since, vital.gap.until))
        meaning = f"the ledger does not know what was sent from {since} to {until}: it is looked up before it is sent"
        yield Finding("restored", is_well=True, meaning=meaning, warns=True)


def _sending(vital: Vitals) -> Finding:
    if vital.paused_at is not None:
        meaning = f"paused since {vital.paused_at.isoformat(timespec='minutes')}: `kallelse resume` goes on"
        return Finding("sending", is_well=True, meaning=meaning, warns=True)
    if vital.paused_clinics:
        meaning = f"{vital.paused_clinics} clinics are paused: `kallelse resume --clinic NAME` goes on"
        return Finding("sending", is_well=True, meaning=meaning, warns=True)
    return Finding("sending", is_well=True, meaning="not paused")


def _clocks(vital: Vitals) -> Finding:
    apart = abs(vital.ahead)
    if apart <= _SKEW:
        return Finding("time", is_well=True, meaning="this machine and the database agree")
    where = "ahead of" if vital.ahead > timedelta() else "behind"
    meaning = f"this machine is {for_how_long(apart)} {where} the database: set both by NTP"
    return Finding("time", is_well=apart <= _MOST_SKEW, meaning=meaning, warns=True)


def _of_settings(configuration: Configuration) -> Iterator[Finding]:
    real_now = datetime.now(UTC)
    yield from (one for one in (lasting(source, real_now) for source in configuration.sources) if one is not None)
    if configuration.settings.paper_folder is not None:
        meaning = "a dry run: every message is written to KALLELSE_PAPER_FOLDER, and none is sent"
        yield Finding("paper", is_well=True, meaning=meaning, warns=True)
