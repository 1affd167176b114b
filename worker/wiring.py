"""The composition root: from a configuration to everything a process works with. Nothing else builds a real thing."""

import random
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol, runtime_checkable

from feeds.periods import CalendarRules
from notifier.channels import Channel
from notifier.channels.elks_sms import ElksSettings, ElksSms
from notifier.channels.paper import Paper
from notifier.channels.smtp_email import SmtpEmail, SmtpSettings
from notifier.channels.twilio_sms import TwilioSettings, TwilioSms
from notifier.dispatch import DispatchSettings
from notifier.pacing import Pace as SendingPace
from notifier.planning import PlanningSettings
from notifier.providers import Channels, Providers
from notifier.spacing import Limits as SpacingLimits
from notifier.uncertainty import Patience as UncertainPatience
from store.database import Sessions, open_database, require_current_schema
from store.failpoints import InvalidFailpoint, arm
from store.sending import Floor
from store.vault import Vault, make_key_file, read_key_file
from worker.addresses import Recently
from worker.cadence import Pace
from worker.clock import BusinessClock, Rhythm
from worker.facts import Patience
from worker.heartbeat import Heart
from worker.population import PopulationWatch
from worker.settings import FAILPOINT, Configuration, Settings, SettingsInvalid, SourceSettings
from worker.sources.gate import Gate, Limits
from worker.sources.rivta.settings import RivtaSettings
from worker.sources.rivta.source import RivtaSource
from worker.sync import Syncing


@runtime_checkable
class Closable(Protocol):
    """A source or channel that keeps connections."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a process has at hand."""

    configuration: Configuration
    sessions: Sessions
    vault: Vault
    clock: BusinessClock
    channels: Channels
    population: PopulationWatch
    syncing: Syncing
    pace: SendingPace
    floor: Floor
    heart: Heart
    judging: Rhythm  # of how messages are shared between providers

    @property
    def settings(self) -> Settings:
        return self.configuration.settings

    @property
    def lease(self) -> timedelta:
        return self.configuration.lease

    @property
    def population_stale_after(self) -> timedelta:
        return timedelta(hours=self.settings.population_stale_hours)

    @property
    def planning(self) -> PlanningSettings:
        return PlanningSettings(
            channels=frozenset(self.channels),
            limits=SpacingLimits(cap=self.settings.messages_per_day, clinic_cap=self.settings.clinic_messages_per_day),
            lease=self.lease,
            population_age=self.population_stale_after,
        )

    @property
    def dispatching(self) -> DispatchSettings:
        timeout = self.settings.provider_connect_seconds + self.settings.provider_read_seconds
        return DispatchSettings(
            link=self.settings.way_to_1177,
            site=self.settings.public_url,
            lease=self.lease,
            timeout=timedelta(seconds=timeout),
            pace=self.pace,
            floor=self.floor,
            patience=self.patience,
            population_age=self.population_stale_after,
        )

    @property
    def patience(self) -> UncertainPatience:
        settings = self.settings
        return UncertainPatience(
            first_look=timedelta(seconds=settings.uncertain_seconds),
            second_proof=timedelta(seconds=settings.second_proof_seconds),
            give_up=timedelta(seconds=settings.give_up_seconds),
            receipt=timedelta(seconds=settings.receipt_seconds),
        )

    @property
    def poll_timeout(self) -> timedelta:
        return timedelta(seconds=self.settings.poll_timeout_seconds)

    def now(self) -> datetime:
        return self.clock.now()

    def close(self) -> None:
        """Closes connections to sources, providers and the database."""
        for one in (*self.syncing.sources.values(), *set(self.channels.values())):
            if isinstance(one, Closable):
                one.close()
        self.sessions.close()


def wire(configuration: Configuration, clock: BusinessClock | None = None) -> Wiring:
    """Everything a process needs. Raises SettingsInvalid, KeysUnusable or DatabaseUnusable, each naming the remedy."""
    settings = configuration.settings
    _arm(configuration.failpoint)
    sessions = open_database(settings.database_url, pool_size=settings.worker_threads + 4)
    require_current_schema(sessions)
    vault = Vault(read_key_file(configuration.key_file))
    clock = clock or BusinessClock()
    return Wiring(
        configuration=configuration,
        sessions=sessions,
        vault=vault,
        clock=clock,
        channels=open_channels(settings),
        population=PopulationWatch(settings.population, clock.now),
        syncing=_syncing(configuration, sessions, vault, clock),
        pace=SendingPace(settings.messages_per_second),
        floor=Floor(),
        heart=Heart(sessions),
        judging=Rhythm(timedelta(seconds=settings.weights_seconds)),
    )


def _arm(failpoint: str) -> None:
    try:
        arm(failpoint)
    except InvalidFailpoint as error:
        raise SettingsInvalid(f"{FAILPOINT}: {error}") from None


def open_vault(configuration: Configuration) -> Vault:
    """The vault of a database just brought up; in the embedded mode its key file is made beside it."""
    path = configuration.key_file
    if configuration.settings.keys is None:
        with suppress(FileExistsError):
            make_key_file(path)
    return Vault(read_key_file(path))


def open_channels(settings: Settings) -> dict[str, Channel | Providers]:
    """The channels the settings describe. Paper, where set, stands in for all of them: a dry run."""
    if settings.paper_folder is not None:
        paper = _paper(settings.paper_folder)
        return {"sms": paper, "email": paper, "paper": paper}
    channels: dict[str, Channel | Providers] = {}
    try:
        sms = _sms(settings)
        if sms is not None:
            channels["sms"] = sms
        if settings.smtp_host:
            channels["email"] = SmtpEmail(_smtp_settings(settings))
    except ValueError as error:
        raise SettingsInvalid(f"KALLELSE_TWILIO_..., KALLELSE_ELKS_... or KALLELSE_SMTP_...: {error}") from None
    return channels


def _sms(settings: Settings) -> Channel | Providers | None:
    """One provider as it is, or both with their weights."""
    made: list[Channel] = []
    if settings.twilio_account_sid:
        made.append(TwilioSms(_twilio_settings(settings)))
    if settings.elks_username:
        made.append(ElksSms(_elks_settings(settings)))
    if len(made) < 2:
        return made[0] if made else None
    twilio, elks = (one.provider for one in made)
    return Providers("sms", tuple(made), {twilio: settings.twilio_share, elks: 100 - settings.twilio_share})


def _paper(folder: Path) -> Paper:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # what is written there is for the addressee alone
    except OSError as error:
        raise SettingsInvalid(f"KALLELSE_PAPER_FOLDER cannot be made or is no folder ({error.strerror})") from None
    return Paper(folder)


def calendar_rules(settings: Settings) -> CalendarRules:
    return CalendarRules(
        population_fresh=timedelta(hours=settings.population_stale_hours), way_back=settings.way_to_1177
    )


def _syncing(configuration: Configuration, sessions: Sessions, vault: Vault, clock: BusinessClock) -> Syncing:
    settings = configuration.settings
    gates = {one.name: Gate(_limits(one)) for one in configuration.sources}
    return Syncing(
        sessions=sessions,
        vault=vault,
        sources={one.name: _source(one, settings) for one in configuration.sources},
        gates=gates,
        index_gates={one.name: Gate(_limits(one), within=gates[one.name]) for one in configuration.sources},
        now=clock.now,
        spread=random.random,
        patience=Patience(second_look=timedelta(seconds=settings.second_look_seconds)),
        pace=_pace(settings),
        settle=timedelta(seconds=settings.settle_seconds),
        calendar_rules=calendar_rules(settings),
        recently=Recently(),
    )


def _source(source: SourceSettings, settings: Settings) -> RivtaSource:
    try:
        return RivtaSource(
            RivtaSettings(
                name=source.name,
                url=source.url,
                logical_address=source.logical_address,
                direct=source.direct,
                index_logical_address=source.index_logical_address,
                certificate=source.certificate,
                key=source.key,
                trust=source.trust,
                read=timedelta(seconds=settings.poll_timeout_seconds),
            )
        )
    except (OSError, ValueError) as error:
        raise SettingsInvalid(f"KALLELSE_SOURCES: source {source.name}: {_without_path(error)}") from None


def _without_path(error: OSError | ValueError) -> str:
    return str(error) if isinstance(error, ValueError) else f"a certificate file: {error.strerror or 'not usable'}"


def _limits(source: SourceSettings) -> Limits:
    return Limits(
        at_once=source.calls_at_once,
        per_second=source.calls_per_second,
        burst=max(1, int(source.calls_per_second)),
        per_hour=source.calls_per_hour,
    )


def _pace(settings: Settings) -> Pace:
    near = timedelta(seconds=settings.poll_near_seconds)
    return Pace(
        near=near,
        usual=timedelta(seconds=settings.poll_usual_seconds),
        far=timedelta(seconds=settings.poll_far_seconds),
        invitations=timedelta(seconds=settings.invitations_seconds),
        backoff_first=min(near, timedelta(minutes=1)),
        backoff_most=max(near, timedelta(hours=1)) if near >= timedelta(minutes=1) else 4 * near,
    )


def _twilio_settings(settings: Settings) -> TwilioSettings:
    return TwilioSettings(
        account_sid=settings.twilio_account_sid,
        auth_token=settings.twilio_auth_token.get_secret_value(),
        messaging_service_sid=settings.twilio_messaging_service_sid,
        sender=settings.twilio_sender,
        public_url=settings.public_url,
        api_base_url=settings.twilio_api_base_url,
        connect_timeout=timedelta(seconds=settings.provider_connect_seconds),
        read_timeout=timedelta(seconds=settings.provider_read_seconds),
    )


def _elks_settings(settings: Settings) -> ElksSettings:
    return ElksSettings(
        username=settings.elks_username,
        password=settings.elks_password.get_secret_value(),
        sender=settings.elks_sender,
        hook_secret=settings.elks_hook_secret.get_secret_value(),
        public_url=settings.public_url,
        api_base_url=settings.elks_api_base_url,
        connect_timeout=timedelta(seconds=settings.provider_connect_seconds),
        read_timeout=timedelta(seconds=settings.provider_read_seconds),
    )


def _smtp_settings(settings: Settings) -> SmtpSettings:
    return SmtpSettings(
        host=settings.smtp_host,
        port=settings.smtp_port,
        sender=settings.smtp_sender,
        sender_name=settings.smtp_sender_name,
        starttls=settings.smtp_starttls,
        username=settings.smtp_username,
        password=settings.smtp_password.get_secret_value(),
        timeout=timedelta(seconds=settings.provider_read_seconds),
    )
