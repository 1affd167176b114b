"""The environment, read once into one frozen object. Nothing else in the product reads an environment variable."""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_core import PydanticCustomError

PREFIX = "KALLELSE_"
FAILPOINT = f"{PREFIX}FAILPOINT"
_MONTH = 31 * 24 * 3600.0
_SQLITE_FILE = "sqlite:///"
_PASSWORD = re.compile(r"(?<=:)[^:@/]*(?=@)|(?<=password=)[^&]*", re.IGNORECASE)


class SettingsInvalid(Exception):
    """A setting is missing, unknown or wrong; the message names it and the remedy, never a secret's value."""


def _web_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise PydanticCustomError("web_address", "must be an address such as https://kallelse.example")
    if parts.username or parts.password:
        raise PydanticCustomError("web_address", "must hold no user name and no password")
    return text.rstrip("/")


_WebAddress = Annotated[str, AfterValidator(_web_address)]


class Settings(BaseModel):
    """Every setting. The description is what README's table says of it (a test compares the two)."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    database_url: str = Field("sqlite:///kallelse.db", repr=False, description="`sqlite:///FILE` or `postgresql://...`")
    broker_url: str = Field(
        "",
        repr=False,
        description="`redis://...` or `amqp://...` when there are several processes; empty: inside the process",
    )
    public_url: _WebAddress = Field(
        "http://127.0.0.1:8000", description="the address citizens and providers reach us at"
    )
    host: str = Field("127.0.0.1", description="address the web process listens on")
    port: int = Field(8000, ge=0, le=65535, description="port the web process listens on")
    keys: Path | None = Field(None, description="key file; by default beside the SQLite database, required elsewhere")
    sources: Path | None = Field(None, description="TOML file of booking sources, see *Adding a source*")
    population: Path | None = Field(None, description="population register file: who is protected or has died")
    population_stale_hours: float = Field(
        168, gt=0, le=100_000, description="after that an older register holds all messages"
    )
    way_to_1177: _WebAddress = Field("https://www.1177.se", description="where `((länk))` and calendar events lead")

    link_hosts: str = Field(
        "1177.se www.1177.se", description="hosts that links in clinics' texts may lead to, with spaces between"
    )
    health_words: Path | None = Field(
        None,
        description="list of further words that no text may hold, one a line; `-word` allows one of the shipped list",
    )
    sms_part_price: float = Field(
        0.5, ge=0, le=100, description="what one part of an SMS costs, in kronor: previews reckon by it"
    )

    twilio_account_sid: str = Field("", description="Twilio account; empty: no SMS")
    twilio_auth_token: SecretStr = Field(SecretStr(""), description="Twilio's primary auth token")
    twilio_messaging_service_sid: str = Field("", description="Twilio messaging service, or a sender below")
    twilio_sender: str = Field("", description="number or name (at most 11 letters) that SMS come from")
    twilio_api_base_url: _WebAddress = Field(
        "https://api.twilio.com", description="Twilio's address; another one for tests"
    )
    twilio_share: int = Field(
        50, ge=0, le=100, description="with 46elks beside it: of 100 SMS, those by Twilio while both do well"
    )
    elks_username: str = Field("", description="46elks API user name; empty: no SMS by 46elks")
    elks_password: SecretStr = Field(SecretStr(""), description="46elks API password")
    elks_sender: str = Field("", description="number or name (3 to 11 letters and digits) that its SMS come from")
    elks_hook_secret: SecretStr = Field(
        SecretStr(""), description="part of the address that 46elks reports to: 22 to 128 letters, digits, `-`, `_`"
    )
    elks_api_base_url: _WebAddress = Field(
        "https://api.46elks.com", description="46elks' address; another one for tests"
    )
    smtp_host: str = Field("", description="e-mail relay; empty: no e-mail")
    smtp_port: int = Field(587, ge=1, le=65535, description="its port")
    smtp_starttls: bool = Field(default=True, description="whether to encrypt by STARTTLS")
    smtp_username: str = Field("", description="login at the relay; empty: none")
    smtp_password: SecretStr = Field(SecretStr(""), description="password at the relay")
    smtp_sender: str = Field("", description="address that e-mail comes from")
    smtp_sender_name: str = Field("Kallelse", description="name that e-mail comes from")
    paper_folder: Path | None = Field(None, description="writes every message here instead of sending it (a dry run)")
    letter_weekdays: int = Field(
        3,
        ge=1,
        le=20,
        description="Swedish weekdays from printing a letter to its being read, the post's days included",
    )

    tick_seconds: float = Field(5, gt=0, le=_MONTH, description="how often the clock looks for due rows")
    poll_near_seconds: float = Field(
        900, gt=0, le=_MONTH, description="between polls with a visit within 48 h, or after a change"
    )
    poll_usual_seconds: float = Field(3600, gt=0, le=_MONTH, description="between polls with a visit within 14 days")
    poll_far_seconds: float = Field(21600, gt=0, le=_MONTH, description="between polls otherwise")
    invitations_seconds: float = Field(
        21600,
        gt=0,
        le=_MONTH,
        description="between looks for open invitations, besides those that a changed answer calls for",
    )
    poll_timeout_seconds: float = Field(35, gt=0, le=_MONTH, description="longest wait for a source's answer")
    second_look_seconds: float = Field(600, gt=0, le=_MONTH, description="from a missing booking to the second look")
    settle_seconds: float = Field(120, ge=0, le=_MONTH, description="a change undone within this is not told")
    lease_seconds: float = Field(
        60, gt=0, le=_MONTH, description="how long a worker may keep a row; a dead one's is free after it"
    )
    provider_connect_seconds: float = Field(
        3, gt=0, le=_MONTH, description="longest wait for a connection to a provider"
    )
    provider_read_seconds: float = Field(10, gt=0, le=_MONTH, description="longest wait for a provider's answer")
    uncertain_seconds: float = Field(
        120, gt=0, le=_MONTH, description="from a message nobody knows the end of to the first question about it"
    )
    second_proof_seconds: float = Field(
        60, gt=0, le=_MONTH, description="to the second, before a message that is not there is sent again"
    )
    give_up_seconds: float = Field(
        600, gt=0, le=_MONTH, description="after that, without any answer, it is told as *failed (unknown)*"
    )
    receipt_seconds: float = Field(
        900, gt=0, le=_MONTH, description="without a receipt, the provider is asked; again at 8, 96 and 288 times this"
    )
    weights_seconds: float = Field(
        30, gt=0, le=_MONTH, description="with two SMS providers: how often it is judged how they share the messages"
    )
    messages_per_second: float = Field(20, gt=0, description="most messages a worker hands a provider in a second")
    messages_per_day: int = Field(8, ge=1, le=1000, description="most reminders to one person in 24 h; the rest wait")
    clinic_messages_per_day: int = Field(
        250_000,
        ge=1,
        description="most messages of a clinic in a day, if it has set no cap itself; the rest wait",
    )
    worker_threads: int = Field(8, ge=2, le=256, description="threads of a worker; polls use at most half of them")
    metrics_token: SecretStr = Field(
        SecretStr(""), description="what opens `/metrics` to other machines, as `Authorization: Bearer`; empty: nothing"
    )
    log_format: Literal["json", "console"] = Field("json", description="`json`, or `console` for reading by eye")

    @model_validator(mode="after")
    def _a_lease_outlasts_a_message(self) -> "Settings":
        """Nothing is sent in a lease's last two provider time-outs: a shorter lease would never send anything."""
        if self.lease_seconds <= 2 * (self.provider_connect_seconds + self.provider_read_seconds):
            raise PydanticCustomError(
                "short_lease",
                "KALLELSE_LEASE_SECONDS must be more than twice KALLELSE_PROVIDER_CONNECT_SECONDS and"
                " KALLELSE_PROVIDER_READ_SECONDS together",
            )
        return self


class SourceSettings(BaseModel):
    """One `[[source]]` of the sources file."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,30}$")
    kind: Literal["rivta"] = "rivta"
    url: _WebAddress  # ends in /vp: the contracts' paths follow
    logical_address: str = Field(min_length=1)  # of the aggregating service
    direct: bool = True  # whether facilities may be asked themselves
    index_logical_address: str | None = Field(None, min_length=1)  # of the engagement index; none: no open invitations
    certificate: Path | None = None
    key: Path | None = None
    trust: Path | None = None
    calls_per_second: float = Field(5, gt=0)
    calls_at_once: int = Field(8, ge=1)
    calls_per_hour: int = Field(10_000, ge=1)

    @model_validator(mode="after")
    def _the_index_only_says_where_to_ask(self) -> "SourceSettings":
        if self.index_logical_address is not None and not self.direct:
            raise PydanticCustomError(
                "index_without_direct",
                "index_logical_address needs direct = true: open invitations are known from the facilities alone",
            )
        return self


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a process is started with, and where each setting came from."""

    settings: Settings
    sources: tuple[SourceSettings, ...]
    origins: Mapping[str, str] = field(default_factory=dict)  # setting -> "environment", "file", "default"
    failpoint: str = ""  # where a test wants this process to die, see store.failpoints

    @property
    def lease(self) -> timedelta:
        return timedelta(seconds=self.settings.lease_seconds)

    @property
    def database_file(self) -> Path | None:
        """The SQLite file; None with PostgreSQL."""
        url = self.settings.database_url
        return Path(url.removeprefix(_SQLITE_FILE)) if url.startswith(_SQLITE_FILE) else None

    @property
    def key_file(self) -> Path:
        """The key file in use. Raises SettingsInvalid where there is no safe default."""
        if self.settings.keys is not None:
            return self.settings.keys
        if self.database_file is None:
            raise SettingsInvalid(
                "KALLELSE_KEYS is not set: with PostgreSQL the key file must be named, and lie apart from the database."
                " `kallelse keys make FILE` makes one"
            )
        return self.database_file.with_suffix(".keys")


def read_settings(environment: Mapping[str, str] | None = None, **overrides: Any) -> Configuration:  # noqa: ANN401
    """The configuration in `environment` (by default the process's own); an empty value counts as none.

    Raises SettingsInvalid.
    """
    given = {
        name: value
        for name, value in (os.environ if environment is None else environment).items()
        if name.startswith(PREFIX) and value.strip()
    }
    failpoint = given.pop(FAILPOINT, "")
    origins: dict[str, str] = {}
    values: dict[str, Any] = {**dict(_named_values(given, origins)), **overrides}
    origins.update(dict.fromkeys(overrides, "command line"))
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsInvalid(_in_words(error)) from None
    if failpoint and not _is_all_on_loopback(settings):
        raise SettingsInvalid(f"{FAILPOINT} is for tests: it is refused unless every address here is on 127.0.0.1")
    return Configuration(settings, _read_sources(settings.sources), origins, failpoint)


def without_password(address: str) -> str:
    """A database's or broker's address as it may be shown."""
    return _PASSWORD.sub("***", address)


def _is_all_on_loopback(settings: Settings) -> bool:
    """Whether nobody but this machine can be reached: by address, or as an address for others."""
    addresses = (
        settings.public_url,
        settings.twilio_api_base_url if settings.twilio_account_sid else "",
        settings.elks_api_base_url if settings.elks_username else "",
    )
    hosts = [urlsplit(one).hostname for one in addresses if one]
    return {settings.host, settings.smtp_host or "127.0.0.1", *hosts} <= {"127.0.0.1", "localhost"}


def _named_values(given: Mapping[str, str], origins: dict[str, str]) -> list[tuple[str, str]]:
    values = []
    for name, value in given.items():
        written = name.removeprefix(PREFIX).lower()
        setting = written if written in Settings.model_fields else written.removesuffix("_file")
        if setting not in Settings.model_fields:
            raise SettingsInvalid(f"{name} is not a setting: README's settings table lists them all")
        if setting in origins:
            raise SettingsInvalid(f"{PREFIX}{setting.upper()} is set twice, the second time by {name}: keep one")
        origins[setting] = "environment" if setting == written else "file"
        values.append((setting, value if setting == written else _content(name, value)))
    return values


def _content(name: str, path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError as error:
        raise SettingsInvalid(f"{name} names a file that cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise SettingsInvalid(f"{name} names a file that is not text") from None


def _read_sources(path: Path | None) -> tuple[SourceSettings, ...]:
    if path is None:
        return ()
    try:
        content = tomllib.loads(path.read_text())
    except OSError as error:
        raise SettingsInvalid(f"KALLELSE_SOURCES: {path} cannot be read ({error.strerror})") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsInvalid(f"KALLELSE_SOURCES: {path} is not TOML ({error})") from None
    written = content.get("source")
    if content.keys() != {"source"} or not isinstance(written, list):
        raise SettingsInvalid(f"KALLELSE_SOURCES: {path}: write each source under a line [[source]], and nothing else")
    sources = tuple(_source(path, number, one) for number, one in enumerate(written, start=1))
    if len({source.name for source in sources}) < len(sources):
        raise SettingsInvalid(f"KALLELSE_SOURCES: {path}: two sources have the same name")
    return sources


def _source(path: Path, number: int, written: object) -> SourceSettings:
    try:
        return SourceSettings.model_validate(written)
    except ValidationError as error:
        raise SettingsInvalid(f"KALLELSE_SOURCES: {path}, source {number}: {_in_words(error)}") from None


def _in_words(error: ValidationError) -> str:
    """Names and faults, never values: they may be secrets."""
    faults = error.errors(include_input=False, include_url=False, include_context=False)
    return "; ".join(f"{_named(fault['loc'])}{fault['msg']}" for fault in faults)


def _named(place: tuple[int | str, ...]) -> str:
    name = ".".join(map(str, place))
    if name in Settings.model_fields:
        return f"{PREFIX}{name.upper()}: "
    return f"{name}: " if name else ""
