"""What `kallelse check` finds: each thing tried, what is so, and what to do."""

import shutil
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from store.vault import make_key_file
from tests.wire.certificates import Authority, demanding
from worker import certificates
from worker.checking import findings
from worker.finding import Finding
from worker.settings import read_settings

CERTIFICATE = "certificate.pem"


@contextmanager
def listening() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield int(taken.getsockname()[1])


def closed_port() -> int:
    with listening() as port:
        return port


def found(**settings: object) -> dict[str, Finding]:
    return {one.what: one for one in findings(read_settings({}, **settings))}


def sources(folder: Path, url: str, *lines: str) -> Path:
    path = folder / "sources.toml"
    path.write_text(
        "\n".join(["[[source]]", 'name = "region"', f'url = "{url}"', 'logical_address = "5565594230"', *lines])
    )
    return path


def register(folder: Path, as_of: datetime) -> Path:
    path = folder / "population.csv"
    path.write_text(f"# as_of: {as_of.isoformat()}\nidentity,protected,deceased_on,guardians\n")
    return path


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


def test_nothing_set_is_told_thing_by_thing_with_the_setting_to_set(tmp_path: Path) -> None:
    all_found = found(database_url=f"sqlite:///{tmp_path}/none.db")

    assert {what for what, one in all_found.items() if not one.is_well} == {
        "database",
        "keys",
        "sources",
        "population",
        "channels",
    }
    assert "KALLELSE_SOURCES" in all_found["sources"].meaning
    assert "KALLELSE_POPULATION" in all_found["population"].meaning
    assert "KALLELSE_TWILIO_" in all_found["channels"].meaning
    assert list(tmp_path.iterdir()) == [], "looking made something"


def test_a_current_database_and_its_keys_are_well(database_url: str, tmp_path: Path) -> None:
    make_key_file(tmp_path / "k.keys")
    all_found = found(database_url=database_url, keys=tmp_path / "k.keys")

    assert all_found["database"].is_well
    assert all_found["keys"].is_well


def test_a_database_without_our_schema_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()

    assert "kallelse migrate" in found(database_url=f"sqlite:///{tmp_path}/empty.db")["database"].meaning


def test_a_database_that_does_not_answer_is_told_without_its_password() -> None:
    one = found(database_url=f"postgresql://u:hemligt@127.0.0.1:{closed_port()}/x")["database"]

    assert not one.is_well
    assert "KALLELSE_DATABASE_URL" in one.meaning
    assert "hemligt" not in one.meaning


def test_keys_that_others_can_read_are_told(tmp_path: Path) -> None:
    make_key_file(tmp_path / "k.keys")
    (tmp_path / "k.keys").chmod(0o640)

    assert "chmod 600" in found(keys=tmp_path / "k.keys")["keys"].meaning


@pytest.mark.parametrize(("url", "told"), [("kafka://x", "or as redis://HOST"), ("", "inside the process")])
def test_a_broker_that_will_not_do_is_told(url: str, told: str) -> None:
    assert told in found(broker_url=url)["broker"].meaning


def test_with_postgresql_a_broker_inside_the_process_is_not_well() -> None:
    assert not found(database_url=f"postgresql://127.0.0.1:{closed_port()}/x")["broker"].is_well


@pytest.mark.parametrize("login", ["redis://:hemligt", "amqp://kallelse:hemligt"])
def test_a_broker_that_does_not_answer_is_told_without_its_password(login: str) -> None:
    one = found(broker_url=f"{login}@127.0.0.1:{closed_port()}/0")["broker"]

    assert (one.is_well, "KALLELSE_BROKER_URL" in one.meaning, "hemligt" in one.meaning) == (False, True, False)


def test_a_source_that_takes_connections_is_well_and_another_is_not(tmp_path: Path) -> None:
    with listening() as port:
        assert found(sources=sources(tmp_path, f"http://127.0.0.1:{port}/vp"))["source region"].is_well
    one = found(sources=sources(tmp_path, f"http://127.0.0.1:{port}/vp"))["source region"]

    assert not one.is_well
    assert "url" in one.meaning


def test_a_sources_missing_certificate_is_named(tmp_path: Path) -> None:
    with listening() as port:
        path = sources(tmp_path, f"http://127.0.0.1:{port}/vp", f'certificate = "{tmp_path / CERTIFICATE}"')
        one = found(sources=path)["source region"]

    assert (one.is_well, one.meaning) == (False, "cannot read its certificate")


def test_a_fresh_register_is_well(tmp_path: Path, now: datetime) -> None:
    assert found(population=register(tmp_path, now - timedelta(days=6)))["population"].is_well


@pytest.mark.parametrize(
    ("age", "told"), [(timedelta(days=8), "stale"), (-timedelta(days=1), "as_of: lies in the future")]
)
def test_a_register_that_holds_everything_back_is_told(
    tmp_path: Path, now: datetime, age: timedelta, told: str
) -> None:
    one = found(population=register(tmp_path, now - age))["population"]

    assert not one.is_well
    assert told in one.meaning


def test_a_register_that_cannot_be_read_is_told_by_line(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("x")

    assert "KALLELSE_POPULATION: line 1" in found(population=tmp_path / "p.csv")["population"].meaning
    assert "cannot be read" in found(population=tmp_path / "none.csv")["population"].meaning


TWILIO = {"twilio_account_sid": "AC" + "0" * 32, "twilio_auth_token": "hemligt", "twilio_sender": "Kallelse"}


def test_providers_are_reached_or_named() -> None:
    with listening() as port:
        well = found(**TWILIO, twilio_api_base_url=f"http://127.0.0.1:{port}", smtp_host="127.0.0.1", smtp_port=port,
                     smtp_sender="a@example.se")  # fmt: skip
    ill = found(**TWILIO, twilio_api_base_url=f"http://127.0.0.1:{port}", smtp_host="127.0.0.1", smtp_port=port,
                smtp_sender="a@example.se")  # fmt: skip

    assert [well[what].is_well for what in ("sms (Twilio)", "email (SMTP)")] == [True, True]
    assert "KALLELSE_TWILIO_API_BASE_URL" in ill["sms (Twilio)"].meaning
    assert "KALLELSE_SMTP_HOST" in ill["email (SMTP)"].meaning


@pytest.mark.parametrize(
    "settings",
    [
        {**TWILIO, "twilio_auth_token": ""},
        {**TWILIO, "twilio_sender": ""},
        {"smtp_host": "h", "smtp_sender": "not an address"},
        {"smtp_host": "h", "smtp_sender": "a@example.se", "smtp_username": "u", "smtp_starttls": False},
    ],
)
def test_a_provider_set_by_halves_is_told(settings: dict[str, object]) -> None:
    one = found(**settings)["channels"]

    assert not one.is_well
    assert "KALLELSE_" in one.meaning
    assert "hemligt" not in one.meaning


def test_a_dry_run_is_told_as_one(tmp_path: Path) -> None:
    one = found(**TWILIO, paper_folder=tmp_path / "paper")["channels"]

    assert (one.is_well, "dry run" in one.meaning) == (True, True)


def test_a_paper_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "paper").write_text("a file")

    assert "KALLELSE_PAPER_FOLDER" in found(paper_folder=tmp_path / "paper")["channels"].meaning


def test_a_server_with_tls_is_believed_or_told_why_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates, "_CONNECT_SECONDS", 60)  # however slow this machine is
    ours, theirs = Authority(tmp_path, "ours"), Authority(tmp_path, "theirs")
    server, client = ours.signed("server"), theirs.signed("client")
    own = [f'certificate = "{client.certificate}"', f'key = "{client.key}"']
    with greeting(demanding(server, theirs.certificate)) as port:
        url = f"https://127.0.0.1:{port}/vp"
        well = found(sources=sources(tmp_path, url, *own, f'trust = "{ours.certificate}"'))["source region"]
        strange = found(sources=sources(tmp_path, url, *own, f'trust = "{theirs.certificate}"'))["source region"]
        unnamed = found(sources=sources(tmp_path, url, f'trust = "{ours.certificate}"'))["source region"]

    assert well.is_well, well.meaning
    assert "TLSv1.2" in well.meaning
    assert (strange.is_well, "see `trust`" in strange.meaning) == (False, True)
    assert (unnamed.is_well, "see `certificate` and `key`" in unnamed.meaning) == (False, True)


@pytest.mark.parametrize(
    ("valid_for", "graded", "told"),
    [
        (timedelta(days=90), (True, False), "holds until"),
        (timedelta(days=29, hours=1), (True, True), "within 30 days"),
        (timedelta(days=13, hours=1), (True, True), "within 14 days"),
        (timedelta(days=6, hours=1), (False, True), "within 7 days"),
        (timedelta(hours=23), (False, True), "within 1 days"),
        (-timedelta(hours=1), (False, False), "has expired"),
    ],
)
def test_our_certificates_end_is_told_in_time(
    tmp_path: Path,
    valid_for: timedelta,
    graded: tuple[bool, bool],
    told: str,
) -> None:
    client = Authority(tmp_path, "authority").signed("client", valid_for=valid_for)
    path = sources(tmp_path, f"http://127.0.0.1:{closed_port()}/vp", f'certificate = "{client.certificate}"')
    one = found(sources=path)["certificate region"]

    assert (one.is_well, one.warns) == graded
    assert told in one.meaning


def test_a_certificate_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / CERTIFICATE).write_text("nothing of the kind")
    path = sources(tmp_path, f"http://127.0.0.1:{closed_port()}/vp", f'certificate = "{tmp_path / CERTIFICATE}"')

    assert "no certificate in PEM" in found(sources=path)["certificate region"].meaning


@pytest.mark.parametrize(
    ("url", "graded"),
    [
        ("https://kallelse.example.se", (True, False)),
        ("http://127.0.0.1:8000", (True, True)),
        ("http://kallelse.example.se", (False, False)),
    ],
)
def test_the_address_others_see_is_judged(url: str, graded: tuple[bool, bool]) -> None:
    one = found(public_url=url)["public url"]

    assert (one.is_well, one.warns) == graded


@pytest.mark.parametrize(("free", "graded"), [(5000, (True, False)), (500, (True, True)), (50, (False, True))])
def test_room_where_the_database_lies_is_told(
    sqlite_url: str,
    monkeypatch: pytest.MonkeyPatch,
    free: int,
    graded: tuple[bool, bool],
) -> None:
    usage = shutil.disk_usage("/")._replace(free=free * 1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    one = found(database_url=sqlite_url)["disk"]

    assert (one.is_well, one.warns) == graded


@contextmanager
def greeting(context: ssl.SSLContext) -> Iterator[int]:
    """A server that shakes hands and says no more."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_greet, args=(listener, context))
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(20)


def _greet(listener: socket.socket, context: ssl.SSLContext) -> None:
    with suppress(OSError):  # of the listener: it has been shut
        while True:
            caller, _ = listener.accept()
            with caller, suppress(OSError), context.wrap_socket(caller, server_side=True) as greeted:
                greeted.unwrap()
