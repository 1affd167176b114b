"""Wiring: from settings to what a process works with, refusing what would not work, and no sooner than it must."""

from datetime import timedelta
from pathlib import Path

import pytest

from notifier.channels.elks_sms import ElksSms
from notifier.channels.paper import Paper
from notifier.channels.smtp_email import SmtpEmail
from notifier.channels.twilio_sms import TwilioSms
from notifier.providers import Providers
from store.database import DatabaseUnusable
from store.vault import KeysUnusable, make_key_file, read_key_file
from tests.conftest import NOW
from worker.clock import BusinessClock
from worker.settings import Configuration, SettingsInvalid, read_settings
from worker.wiring import open_channels, open_vault, wire

TWILIO = {"twilio_account_sid": "AC" + "0" * 32, "twilio_auth_token": "hemligt", "twilio_sender": "Kallelse"}

ELKS = {
    "elks_username": "u1", "elks_password": "hemligt", "elks_sender": "Kallelse",
    "elks_hook_secret": "Hemlig-del-av-adressen",
}  # fmt: skip


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    make_key_file(tmp_path / "k.keys")
    return tmp_path / "k.keys"


def configuration(**settings: object) -> Configuration:
    return read_settings({}, **settings)


def test_everything_is_wired_from_settings(database_url: str, keys: Path, tmp_path: Path) -> None:
    (tmp_path / "sources.toml").write_text(
        '[[source]]\nname = "region"\nurl = "http://127.0.0.1:9/vp"\nlogical_address = "5565594230"\ndirect = false\n'
    )
    clock = BusinessClock(NOW)
    wiring = wire(
        configuration(
            database_url=database_url,
            keys=keys,
            sources=tmp_path / "sources.toml",
            population_stale_hours=24,
            messages_per_day=3,
            second_look_seconds=60,
            **TWILIO,
        ),
        clock,
    )
    try:
        assert set(wiring.syncing.sources) == set(wiring.syncing.gates) == {"region"}
        assert not wiring.syncing.sources["region"].can_ask_directly
        assert wiring.syncing.patience.second_look == timedelta(minutes=1)
        assert wiring.planning.channels == {"sms"}
        assert wiring.planning.limits.cap == 3
        assert wiring.population_stale_after == wiring.syncing.calendar_rules.population_fresh == timedelta(days=1)
        assert abs(wiring.now() - NOW) < timedelta(minutes=1)
    finally:
        wiring.close()


def test_a_process_does_not_start_on_a_database_without_our_schema(tmp_path: Path, keys: Path) -> None:
    with pytest.raises(DatabaseUnusable, match="kallelse migrate"):
        wire(configuration(database_url=f"sqlite:///{tmp_path}/empty.db", keys=keys))


def test_a_process_does_not_make_keys_for_a_database_that_had_others(sqlite_url: str, tmp_path: Path) -> None:
    with pytest.raises(KeysUnusable, match="key file cannot be read"):
        wire(configuration(database_url=sqlite_url))
    assert list(tmp_path.glob("*.keys")) == []


def test_keys_are_made_beside_a_new_database_for_its_owner_only_and_kept(sqlite_url: str) -> None:
    made = configuration(database_url=sqlite_url)
    open_vault(made)
    first = read_key_file(made.key_file)
    open_vault(made)

    assert read_key_file(made.key_file) == first
    assert made.key_file.stat().st_mode & 0o777 == 0o600


def test_a_key_file_that_is_named_is_never_made(sqlite_url: str, tmp_path: Path) -> None:
    with pytest.raises(KeysUnusable):
        open_vault(configuration(database_url=sqlite_url, keys=tmp_path / "elsewhere.keys"))
    assert not (tmp_path / "elsewhere.keys").exists()


def test_without_providers_there_is_no_channel() -> None:
    assert open_channels(configuration().settings) == {}


def test_a_channel_for_each_provider_that_is_set() -> None:
    channels = open_channels(configuration(**TWILIO, smtp_host="127.0.0.1", smtp_sender="a@example.se").settings)

    assert {name: type(one) for name, one in channels.items()} == {"sms": TwilioSms, "email": SmtpEmail}
    for one in channels.values():
        getattr(one, "close", lambda: None)()


def test_one_sms_provider_has_it_all_and_two_share_by_their_resting_points() -> None:
    alone = open_channels(configuration(**ELKS).settings)["sms"]
    both = open_channels(configuration(**TWILIO, **ELKS, twilio_share=70).settings)["sms"]

    assert isinstance(alone, ElksSms)
    assert isinstance(both, Providers)
    assert both.resting == {"twilio": 70, "46elks": 30}
    alone.close()
    both.close()


def test_a_dry_run_sends_nothing_for_real_whatever_else_is_set(tmp_path: Path) -> None:
    channels = open_channels(configuration(**TWILIO, paper_folder=tmp_path / "paper").settings)

    assert {type(one) for one in channels.values()} == {Paper}
    assert (tmp_path / "paper").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "settings",
    [
        {**TWILIO, "twilio_auth_token": ""},
        {**TWILIO, "twilio_messaging_service_sid": "MG" + "0" * 32},
        {**ELKS, "elks_password": ""},
        {**ELKS, "elks_hook_secret": ""},
        {"smtp_host": "h", "smtp_sender": ""},
        {"smtp_host": "h", "smtp_sender": "a@example.se", "smtp_sender_name": "x\nBcc: y@example.se"},
    ],
)
def test_a_provider_set_by_halves_stops_the_start_instead_of_every_message(settings: dict[str, object]) -> None:
    with pytest.raises(SettingsInvalid, match="KALLELSE_") as refused:
        open_channels(configuration(**settings).settings)
    assert "hemligt" not in str(refused.value)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ('url = "http://platform.example/vp"', "must begin with https://"),
        ('url = "https://platform.example/vp"\ncertificate = "none.pem"', "a certificate file"),
        ('url = "https://platform.example/vp"\ntrust = "none.pem"', "a certificate file"),
    ],
)
def test_a_source_that_could_not_be_asked_safely_stops_the_start(
    sqlite_url: str, keys: Path, tmp_path: Path, lines: str, told: str
) -> None:
    path = tmp_path / "sources.toml"
    path.write_text(f'[[source]]\nname = "region"\nlogical_address = "5565594230"\n{lines}\n')
    with pytest.raises(SettingsInvalid, match=r"KALLELSE_SOURCES: source region: ") as refused:
        wire(configuration(database_url=sqlite_url, keys=keys, sources=path))
    assert told in str(refused.value)
