"""The product's programs as real processes that need not be loaded anew each time: forked from one that stands ready.

They can be killed, stopped and armed as any other; a start costs a tenth of a second instead of seconds.
"""

import importlib
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.faults.business_time import BusinessTime, RunningClock
from tests.faults.waiting import wait_until
from worker import wiring

PRODUCT = "worker.__main__"
PROVIDERS = "worker.demo.providers"
_STOP_SECONDS = 40.0
_STILL = frozenset("TtZX")  # stopped, traced, ended
_context = multiprocessing.get_context("forkserver")
# multiprocessing reads a program's exit code from a pipe, once, and looks at all programs whenever one is started:
# two threads that look at the same moment would find that it has ended, and one of them that its code is gone.
_one_at_a_time = threading.Lock()
_context.set_forkserver_preload([PRODUCT, PROVIDERS, "pytest", __name__])


class Forked:
    """A running program. What it says lies in `log`. `time`: by its business clock; None: the real one."""

    def __init__(
        self,
        main: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        time: BusinessTime | None = None,
    ) -> None:
        self.log = log
        log.touch()
        self._process = _context.Process(target=_run, args=(main, list(arguments), dict(environment), log, time))
        with _one_at_a_time:
            self._process.start()

    @property
    def exit_code(self) -> int | None:
        """None while it runs; of one killed by a signal, that signal's number below zero."""
        with _one_at_a_time:
            return self._process.exitcode

    @property
    def was_killed(self) -> bool:
        return self.exit_code == -signal.SIGKILL

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def last_words(self) -> str:
        """The end of what it said, for a test that failed."""
        return self.said()[-2000:]

    def kill(self) -> None:
        """kill -9. Harmless when it has ended."""
        self._process.kill()
        self._has_ended()

    def stop(self) -> None:
        """SIGSTOP: it stands still until `go_on`; returns when it does, as its threads stop one after the other."""
        self._signal(signal.SIGSTOP)
        wait_until(lambda: _stands_still(self._process.pid), "the program to stand still")

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    def terminate(self) -> int | None:
        """SIGTERM; its exit code. Raises NotInTime when it does not end."""
        self._process.terminate()
        self._has_ended()
        return self.exit_code

    def _has_ended(self) -> None:
        wait_until(lambda: self.exit_code is not None, "the program to end", seconds=_STOP_SECONDS)

    def _signal(self, number: int) -> None:
        assert self._process.pid is not None
        with suppress(ProcessLookupError):
            os.kill(self._process.pid, number)


@contextmanager
def forked(
    main: str, arguments: Sequence[str], environment: Mapping[str, str], log: Path, time: BusinessTime | None = None
) -> Iterator[Forked]:
    """A program for as long as this lasts; then it is killed if it still runs."""
    program = Forked(main, arguments, environment, log, time)
    try:
        yield program
    finally:
        program.go_on()
        program.kill()


def printed(arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> str:
    """What one of the product's commands prints."""
    log.unlink(missing_ok=True)
    with forked(PRODUCT, arguments, environment, log) as command:
        wait_until(lambda: command.exit_code is not None, f"{arguments[0]} to end", seconds=120)
        assert command.exit_code == 0, command.last_words()
        return command.said()


def _run(main: str, arguments: list[str], environment: dict[str, str], log: Path, time: BusinessTime | None) -> None:
    """In the new process: becomes the program."""
    os.setsid()
    threading.Thread(target=_end_with_its_test, daemon=True).start()
    with log.open("ab") as said:
        for number in (1, 2):
            os.dup2(said.fileno(), number)
    for name in [name for name in os.environ if name.startswith("KALLELSE_")]:
        del os.environ[name]
    os.environ.update(environment)
    if time is not None:
        wiring.BusinessClock = lambda: RunningClock(time)  # type: ignore[assignment,misc,attr-defined]
    sys.argv = [main, *arguments]
    importlib.import_module(main).main()


def _stands_still(pid: int | None) -> bool:
    """Whether every thread is stopped or gone, by /proc; a system without one is taken at its word."""
    return all(_state(one) in _STILL for one in Path(f"/proc/{pid}/task").glob("*/stat"))


def _state(stat: Path) -> str:
    """The letter behind the name, which stands in brackets and may hold spaces (proc_pid_stat(5))."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return stat.read_text().rpartition(")")[2].split()[0]
    return "X"


def _end_with_its_test() -> None:
    """A test run that is killed itself leaves nothing running."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    multiprocessing.connection.wait([parent.sentinel])
    os.kill(os.getpid(), signal.SIGKILL)
