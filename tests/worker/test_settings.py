"""Settings: what is wrong is refused by name, and no secret shows anywhere."""

from pathlib import Path

import pytest

from worker.settings import SettingsInvalid, read_settings, without_password

SECRET = "hemligt-4711"


def refusal(environment: dict[str, str]) -> str:
    with pytest.raises(SettingsInvalid) as refused:
        read_settings(environment)
    return str(refused.value)


def written(folder: Path, content: str | bytes) -> str:
    path = folder / "sources.toml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def test_a_misspelt_setting_is_not_silently_without_effect() -> None:
    assert "KALLELSE_POTR is not a setting" in refusal({"KALLELSE_POTR": "8000"})


def test_other_programs_variables_are_none_of_ours() -> None:
    assert read_settings({"PORT": "1", "TWILIO_AUTH_TOKEN": "x"}).settings.port == 8000


def test_an_empty_value_counts_as_none() -> None:
    configuration = read_settings({"KALLELSE_SOURCES": "", "KALLELSE_PORT": " "})

    assert configuration.sources == ()
    assert configuration.settings.port == 8000
    assert configuration.origins == {}


def test_a_secret_may_stand_in_a_file_and_its_origin_is_told(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{SECRET}\n")
    configuration = read_settings({"KALLELSE_TWILIO_AUTH_TOKEN_FILE": str(tmp_path / "token"), "KALLELSE_PORT": "81"})

    assert configuration.settings.twilio_auth_token.get_secret_value() == SECRET
    assert configuration.origins == {"twilio_auth_token": "file", "port": "environment"}


def test_a_value_that_is_set_twice_is_refused_rather_than_one_of_them_ignored(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(SECRET)
    names = {"KALLELSE_SMTP_PASSWORD": "one", "KALLELSE_SMTP_PASSWORD_FILE": str(tmp_path / "token")}

    assert "KALLELSE_SMTP_PASSWORD is set twice" in refusal(names)


def test_a_secret_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    assert "KALLELSE_SMTP_PASSWORD_FILE" in refusal({"KALLELSE_SMTP_PASSWORD_FILE": str(tmp_path / "none")})
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    assert "not text" in refusal({"KALLELSE_SMTP_PASSWORD_FILE": str(tmp_path / "binary")})


def test_what_the_command_line_says_wins_and_is_shown_as_its_own() -> None:
    configuration = read_settings({"KALLELSE_PORT": "81"}, port=82)

    assert configuration.settings.port == 82
    assert configuration.origins["port"] == "command line"


def test_no_secret_shows_in_any_repr(tmp_path: Path) -> None:
    configuration = read_settings(
        {
            "KALLELSE_DATABASE_URL": f"postgresql://kallelse:{SECRET}@db.example/kallelse",
            "KALLELSE_BROKER_URL": f"redis://:{SECRET}@redis.example/0",
            "KALLELSE_TWILIO_AUTH_TOKEN": SECRET,
            "KALLELSE_SMTP_PASSWORD": SECRET,
        }
    )

    for shown in (configuration, configuration.settings):
        assert SECRET not in f"{shown!r} {shown}"


@pytest.mark.parametrize(
    "name", ["PORT", "TICK_SECONDS", "LEASE_SECONDS", "WORKER_THREADS", "SMTP_STARTTLS", "LOG_FORMAT", "PUBLIC_URL"]
)
def test_a_secret_pasted_into_the_wrong_setting_is_not_repeated(name: str) -> None:
    told = refusal({f"KALLELSE_{name}": SECRET})

    assert f"KALLELSE_{name}: " in told
    assert SECRET not in told


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://u:hemligt@db/x", "postgresql://u:***@db/x"),
        ("redis://:hemligt@r:6379/0", "redis://:***@r:6379/0"),
        (
            "postgresql://db/x?user=u&password=hemligt&sslmode=require",
            "postgresql://db/x?user=u&password=***&sslmode=require",
        ),
        ("postgresql://db:5432/x", "postgresql://db:5432/x"),
        ("sqlite:///kallelse.db", "sqlite:///kallelse.db"),
    ],
)
def test_an_address_is_shown_without_its_password(address: str, shown: str) -> None:
    assert without_password(address) == shown


SECONDS = (
    "TICK_SECONDS",
    "POLL_NEAR_SECONDS",
    "POLL_USUAL_SECONDS",
    "POLL_FAR_SECONDS",
    "POLL_TIMEOUT_SECONDS",
    "SECOND_LOOK_SECONDS",
    "LEASE_SECONDS",
    "PROVIDER_CONNECT_SECONDS",
    "PROVIDER_READ_SECONDS",
)


@pytest.mark.parametrize("name", [*SECONDS, "POPULATION_STALE_HOURS"])
@pytest.mark.parametrize("value", ["0", "-1", "inf", "nan", "1e300", "soon"])
def test_a_duration_that_would_stop_or_break_the_work_is_refused(name: str, value: str) -> None:
    assert f"KALLELSE_{name}: " in refusal({f"KALLELSE_{name}": value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "-1"),
        ("PORT", "65536"),
        ("PORT", "80.5"),
        ("SMTP_PORT", "0"),
        ("SMTP_PORT", "65536"),
        ("SETTLE_SECONDS", "-0.1"),
        ("SETTLE_SECONDS", "inf"),
        ("MESSAGES_PER_DAY", "0"),
        ("MESSAGES_PER_DAY", "1001"),
        ("WORKER_THREADS", "1"),
        ("WORKER_THREADS", "257"),
        ("SMTP_STARTTLS", "perhaps"),
        ("LOG_FORMAT", "xml"),
        ("PUBLIC_URL", "kallelse.example"),
        ("PUBLIC_URL", "ftp://kallelse.example"),
        ("PUBLIC_URL", "https://"),
        ("PUBLIC_URL", "https://kallelse.example:99999"),
        ("PUBLIC_URL", "https://u:p@kallelse.example"),
        ("WAY_TO_1177", "1177.se"),
        ("TWILIO_API_BASE_URL", "api.twilio.com"),
    ],
)
def test_a_value_out_of_bounds_is_refused_by_name(name: str, value: str) -> None:
    assert f"KALLELSE_{name}: " in refusal({f"KALLELSE_{name}": value})


def test_the_bounds_themselves_are_taken() -> None:
    given = {"PORT": "0", "SMTP_PORT": "65535", "SETTLE_SECONDS": "0", "MESSAGES_PER_DAY": "1", "WORKER_THREADS": "2"}
    settings = read_settings({f"KALLELSE_{name}": value for name, value in given.items()}).settings

    assert (settings.port, settings.smtp_port, settings.settle_seconds) == (0, 65535, 0)


def test_a_lease_too_short_for_any_message_to_go_out_is_refused() -> None:
    names = {"LEASE_SECONDS": "26", "PROVIDER_CONNECT_SECONDS": "3", "PROVIDER_READ_SECONDS": "10"}

    assert "KALLELSE_LEASE_SECONDS must be more than twice" in refusal({f"KALLELSE_{n}": v for n, v in names.items()})


def test_a_trailing_slash_does_not_break_addresses_and_signatures() -> None:
    assert read_settings({"KALLELSE_PUBLIC_URL": "https://k.example/"}).settings.public_url == "https://k.example"


def test_the_key_file_lies_beside_an_sqlite_database(tmp_path: Path) -> None:
    configuration = read_settings({"KALLELSE_DATABASE_URL": f"sqlite:///{tmp_path}/k.db"})

    assert configuration.database_file == tmp_path / "k.db"
    assert configuration.key_file == tmp_path / "k.keys"


def test_with_postgresql_the_key_file_must_be_named() -> None:
    configuration = read_settings({"KALLELSE_DATABASE_URL": f"postgresql://u:{SECRET}@db.example/k"})

    assert configuration.database_file is None
    with pytest.raises(SettingsInvalid, match=r"KALLELSE_KEYS is not set.*kallelse keys make") as refused:
        _ = configuration.key_file
    assert SECRET not in str(refused.value)


SOURCE = '[[source]]\nname = "nationella"\nurl = "https://platform.example/vp"\nlogical_address = "5565594230"\n'


def test_a_sources_file_is_read(tmp_path: Path) -> None:
    (source,) = read_settings({"KALLELSE_SOURCES": written(tmp_path, SOURCE)}).sources

    assert (source.name, source.kind, source.direct, source.calls_at_once) == ("nationella", "rivta", True, 8)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("source = ", "is not TOML"),
        (b"\xff\xfe", "is not TOML"),
        ("", "write each source under a line [[source]]"),
        ('source = "x"', "write each source under a line [[source]]"),
        ('[source]\nname = "x"', "write each source under a line [[source]]"),
        (SOURCE + '[[sorce]]\nname = "x"\n', "and nothing else"),
        ("source = [1]\n", "source 1: "),
        (SOURCE.replace("nationella", "Nationella!"), "source 1: name: "),
        (SOURCE.replace("https://platform.example/vp", "platform"), "source 1: url: "),
        (SOURCE.replace("https://", "https://u:hemligt-4711@"), "source 1: url: must hold no user name"),
        (SOURCE.replace("5565594230", ""), "source 1: logical_address: "),
        (SOURCE + SOURCE, "two sources have the same name"),
        (SOURCE + 'direct = false\nindex_logical_address = "5565594230"\n', "source 1: index_logical_address needs"),
        (SOURCE + 'kind = "soap"\n', "source 1: kind: "),
        (SOURCE + "calls_per_second = 0\n", "source 1: calls_per_second: "),
        (SOURCE + "calls_per_second = inf\n", "source 1: calls_per_second: "),
        (SOURCE + "calls_at_once = 0\n", "source 1: calls_at_once: "),
        (SOURCE + "calls_per_hour = 0\n", "source 1: calls_per_hour: "),
        (SOURCE + "calls_per_minute = 5\n", "source 1: calls_per_minute: "),
        (SOURCE + SOURCE.replace('name = "nationella"\n', ""), "source 2: name: "),
    ],
)
def test_a_fault_in_the_sources_file_is_named_by_source_and_field(
    tmp_path: Path, content: str | bytes, told: str
) -> None:
    said = refusal({"KALLELSE_SOURCES": written(tmp_path, content)})

    assert said.startswith("KALLELSE_SOURCES: ")
    assert told in said
    assert SECRET not in said


def test_a_sources_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "cannot be read (No such file" in refusal({"KALLELSE_SOURCES": str(tmp_path / "none.toml")})
