"""The product's programs as real processes, each in a process group of its own, so that none outlives its test."""

import itertools
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]
KALLELSE = str(Path(sys.executable).with_name("kallelse"))
_STOP_SECONDS = 30.0
_SLICE = 1000


def _own_ports() -> Iterator[int]:
    """Below those that the system gives to whoever calls out; each of the suite's test processes has its own."""
    place = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 16
    ports = range(15_000 + place * _SLICE, 15_000 + (place + 1) * _SLICE)
    begin = os.getpid() % _SLICE  # elsewhere than another run of the suite
    return itertools.cycle([*ports[begin:], *ports[:begin]])


_ports = _own_ports()


class Program:
    """A running program. What it says lies in `log`."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.log = log
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("KALLELSE_")}
        with log.open("ab") as said:
            self._process = subprocess.Popen(  # noqa: S603 - our own programs
                command,
                cwd=ROOT,
                env={**inherited, **environment},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def last_words(self) -> str:
        """The end of what it said, for a test that failed."""
        return self.said()[-2000:]

    def kill(self) -> None:
        """kill -9, for the whole group: nobody gets to say goodbye. Harmless when all have ended."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(_STOP_SECONDS)

    def tell_to_stop(self) -> None:
        """SIGTERM to the program alone, without waiting for its end."""
        self._process.terminate()

    def wait(self) -> int:
        """Its exit code, once it has ended."""
        return self._process.wait(_STOP_SECONDS)

    def terminate(self) -> int:
        """SIGTERM to the program alone; its exit code."""
        self.tell_to_stop()
        return self.wait()


@contextmanager
def running(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Iterator[Program]:
    """A program for as long as this lasts; then it is killed if it still runs."""
    program = Program(command, environment, log)
    try:
        yield program
    finally:
        program.kill()


def free_port() -> int:
    """A port that nobody has now, and that nobody gets by chance until its program starts."""
    while True:
        port = next(_ports)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def is_listening(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
