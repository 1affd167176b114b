"""What `kallelse check` tries: each connection a deployment needs, and what to do where one is missing."""

import shutil
import socket
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from store.database import DatabaseUnusable, open_database
from store.vault import KeysUnusable, read_key_file
from worker import broker, certificates
from worker.finding import Finding
from worker.health import of_database, population
from worker.settings import Configuration, Settings, SettingsInvalid
from worker.sources.population import InvalidPopulation, PopulationFile
from worker.wiring import open_channels

_CONNECT_SECONDS = 3.0
_MEGABYTE = 1_000_000
_LITTLE, _TOO_LITTLE = 1000 * _MEGABYTE, 100 * _MEGABYTE


def findings(configuration: Configuration) -> Iterator[Finding]:
    """Everything tried, one after the other; the last ones are those of `/health/ready`."""
    yield _keys(configuration)
    yield _broker(configuration)
    yield from _sources(configuration)
    yield _population(configuration)
    yield from _channels(configuration)
    yield _public_url(configuration.settings)
    yield from _database(configuration)


def _database(configuration: Configuration) -> Iterator[Finding]:
    file = configuration.database_file
    if file is not None and not file.exists():
        yield Finding("database", is_well=False, meaning=f"there is no {file} yet: `kallelse migrate` makes it")
        return
    if file is not None:
        yield _disk(file)
    try:
        with closing(open_database(configuration.settings.database_url)) as sessions:
            yield from of_database(sessions, configuration, datetime.now(UTC), may_rest=True)
    except DatabaseUnusable as error:
        yield Finding("database", is_well=False, meaning=str(error))


def _disk(file: Path) -> Finding:
    free = shutil.disk_usage(file.absolute().parent).free
    meaning = f"{free // _MEGABYTE} MB are free where the database lies"
    if free > _LITTLE:
        return Finding("disk", is_well=True, meaning=meaning)
    return Finding("disk", is_well=free > _TOO_LITTLE, meaning=f"{meaning}: make room", warns=True)


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
    try:
        if broker.answers(url):
            return Finding("broker", is_well=True, meaning="answers")
    except SettingsInvalid as error:
        return Finding("broker", is_well=False, meaning=str(error))
    return Finding("broker", is_well=False, meaning="no answer: see KALLELSE_BROKER_URL, and that the broker runs")


def _sources(configuration: Configuration) -> Iterator[Finding]:
    if not configuration.sources:
        yield Finding("sources", is_well=False, meaning="none: set KALLELSE_SOURCES, or nobody is asked about")
    for source in configuration.sources:
        yield certificates.reached(source)
        lasting = certificates.lasting(source, datetime.now(UTC))
        if lasting is not None:
            yield lasting


def _population(configuration: Configuration) -> Finding:
    """By its first line as ever, and then read through, which takes its time."""
    found = population(configuration, datetime.now(UTC))
    if not found.is_well or configuration.settings.population is None:
        return found
    try:
        PopulationFile(configuration.settings.population)
    except InvalidPopulation as error:
        return Finding("population", is_well=False, meaning=f"KALLELSE_POPULATION: {error}")
    return found


def _channels(configuration: Configuration) -> Iterator[Finding]:
    settings = configuration.settings
    try:
        channels = open_channels(settings)
    except SettingsInvalid as error:
        yield Finding("channels", is_well=False, meaning=str(error))
        return
    if not channels:
        meaning = "none: set KALLELSE_TWILIO_..., KALLELSE_ELKS_... or KALLELSE_SMTP_..."
        yield Finding("channels", is_well=False, meaning=meaning)
    if settings.paper_folder is not None:
        meaning = "a dry run: every message is written to KALLELSE_PAPER_FOLDER, and none is sent"
        yield Finding("channels", is_well=True, meaning=meaning, warns=True)
        return
    if settings.twilio_account_sid:
        yield _reached_at("sms (Twilio)", settings.twilio_api_base_url, "KALLELSE_TWILIO_API_BASE_URL")
    if settings.elks_username:
        yield _reached_at("sms (46elks)", settings.elks_api_base_url, "KALLELSE_ELKS_API_BASE_URL")
    if "email" in channels:
        yield _reached("email (SMTP)", settings.smtp_host, settings.smtp_port, "KALLELSE_SMTP_HOST")


def _public_url(settings: Settings) -> Finding:
    parts = urlsplit(settings.public_url)
    if parts.hostname in ("localhost", "127.0.0.1", "::1"):
        meaning = "KALLELSE_PUBLIC_URL is this very machine: no citizen and no provider reaches it"
        return Finding("public url", is_well=True, meaning=meaning, warns=True)
    if parts.scheme != "https":
        meaning = "KALLELSE_PUBLIC_URL must begin with https://: calendar addresses are secrets"
        return Finding("public url", is_well=False, meaning=meaning)
    return Finding("public url", is_well=True, meaning="https, as others see us")


def _reached_at(what: str, address: str, setting: str) -> Finding:
    parts = urlsplit(address)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return _reached(what, parts.hostname or "", port, setting)


def _reached(what: str, host: str, port: int, setting: str) -> Finding:
    is_well = _connects(host, port)
    return Finding(what, is_well, "takes connections" if is_well else f"no connection: see {setting}, and the network")


def _connects(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=_CONNECT_SECONDS).close()
    except OSError:
        return False
    return True
