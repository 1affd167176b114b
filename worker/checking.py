"""What `kallelse check` tries: each connection a deployment needs, and what to do where one is missing."""

import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import redis

from store.database import DatabaseUnusable, OperationalError, open_database, require_current_schema
from store.vault import KeysUnusable, read_key_file
from worker.population import require_not_ahead
from worker.settings import Configuration, SettingsInvalid, SourceSettings
from worker.sources.population import InvalidPopulation, PopulationFile
from worker.wiring import open_channels

_CONNECT_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing tried. `meaning` says what is so and, where it is not well, what to do."""

    what: str
    is_well: bool
    meaning: str


def findings(configuration: Configuration) -> Iterator[Finding]:
    """Everything tried, one after the other."""
    yield _database(configuration)
    yield _keys(configuration)
    yield _broker(configuration)
    yield from _sources(configuration)
    yield _population(configuration)
    yield from _channels(configuration)


def _database(configuration: Configuration) -> Finding:
    file = configuration.database_file
    if file is not None and not file.exists():
        return Finding("database", is_well=False, meaning=f"there is no {file} yet: `kallelse migrate` makes it")
    try:
        with closing(open_database(configuration.settings.database_url)) as sessions:
            require_current_schema(sessions)
    except DatabaseUnusable as error:
        return Finding("database", is_well=False, meaning=str(error))
    except OperationalError:
        return Finding("database", is_well=False, meaning="no connection: see KALLELSE_DATABASE_URL, and that it runs")
    return Finding("database", is_well=True, meaning="answers, and its schema is current")


def _keys(configuration: Configuration) -> Finding:
    if configuration.settings.keys is None and configuration.database_file and not configuration.key_file.exists():
        meaning = f"there is no {configuration.key_file} yet: `kallelse migrate` makes it with the database"
        return Finding("keys", is_well=False, meaning=meaning)
    try:
        read_key_file(configuration.key_file)
    except (KeysUnusable, SettingsInvalid) as error:
        return Finding("keys", is_well=False, meaning=str(error))
    return Finding("keys", is_well=True, meaning="the key file is readable, by its owner only")


def _broker(configuration: Configuration) -> Finding:
    url = configuration.settings.broker_url
    if not url:
        on_sqlite = configuration.settings.database_url.startswith("sqlite")
        meaning = "inside the process: right for `kallelse up`, not for the Procfile's several processes"
        return Finding("broker", is_well=on_sqlite, meaning=meaning)
    if not url.startswith(("redis://", "rediss://")):
        return Finding("broker", is_well=False, meaning="KALLELSE_BROKER_URL must begin with redis:// or rediss://")
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=_CONNECT_SECONDS) as client:
            client.ping()
    except (redis.RedisError, ValueError):
        return Finding("broker", is_well=False, meaning="no answer: see KALLELSE_BROKER_URL, and that Redis runs")
    return Finding("broker", is_well=True, meaning="answers")


def _sources(configuration: Configuration) -> Iterator[Finding]:
    if not configuration.sources:
        yield Finding("sources", is_well=False, meaning="none: set KALLELSE_SOURCES, or nobody is asked about")
    for source in configuration.sources:
        yield _source(source)


def _source(source: SourceSettings) -> Finding:
    parts = urlsplit(source.url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    what = f"source {source.name}"
    if not _connects(parts.hostname or "", port):
        return Finding(what, is_well=False, meaning="no connection to its address: network, firewall or `url`")
    missing = [name for name in ("certificate", "key", "trust") if _is_unreadable(getattr(source, name))]
    if missing:
        return Finding(what, is_well=False, meaning=f"cannot read its {', '.join(missing)}")
    return Finding(what, is_well=True, meaning="its address takes connections")


def _population(configuration: Configuration) -> Finding:
    path = configuration.settings.population
    if path is None:
        return Finding("population", is_well=False, meaning="KALLELSE_POPULATION is not set: all messages are held")
    try:
        register = PopulationFile(path)
        require_not_ahead(register, datetime.now(UTC))
    except (OSError, InvalidPopulation) as error:
        meaning = str(error) if isinstance(error, InvalidPopulation) else "the file cannot be read"
        return Finding("population", is_well=False, meaning=f"KALLELSE_POPULATION: {meaning}")
    stale_after = timedelta(hours=configuration.settings.population_stale_hours)
    if datetime.now(UTC) - register.as_of > stale_after:
        return Finding(
            "population", is_well=False, meaning="the register is stale: all messages are held until a newer one"
        )
    return Finding("population", is_well=True, meaning=f"as of {register.as_of.isoformat(timespec='minutes')}")


def _channels(configuration: Configuration) -> Iterator[Finding]:
    settings = configuration.settings
    try:
        channels = open_channels(settings)
    except SettingsInvalid as error:
        yield Finding("channels", is_well=False, meaning=str(error))
        return
    if not channels:
        yield Finding("channels", is_well=False, meaning="none: set KALLELSE_TWILIO_... or KALLELSE_SMTP_...")
    if settings.paper_folder is not None:
        yield Finding("channels", is_well=True, meaning="a dry run: every message is written to KALLELSE_PAPER_FOLDER")
        return
    if "sms" in channels:
        parts = urlsplit(settings.twilio_api_base_url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        yield _reached("sms (Twilio)", parts.hostname or "", port, "KALLELSE_TWILIO_API_BASE_URL")
    if "email" in channels:
        yield _reached("email (SMTP)", settings.smtp_host, settings.smtp_port, "KALLELSE_SMTP_HOST")


def _reached(what: str, host: str, port: int, setting: str) -> Finding:
    is_well = _connects(host, port)
    return Finding(what, is_well, "takes connections" if is_well else f"no connection: see {setting}, and the network")


def _connects(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=_CONNECT_SECONDS).close()
    except OSError:
        return False
    return True


def _is_unreadable(path: Path | None) -> bool:
    return path is not None and not path.is_file()
