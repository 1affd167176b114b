"""The product as its Procfile describes it: each process by itself, to be killed and started again, or all by honcho.

`Product` stands for a service manager that runs each line of the Procfile as a unit of its own; `by_honcho` for
`honcho start`. Both are told the same settings, made by `settings_for`.
"""

import os
import re
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from honcho.environ import expand_processes, parse_procfile

from store.vault import make_key_file
from tests.faults.ahead import AHEAD
from tests.faults.programs import KALLELSE, ROOT, Program, free_port, running
from tests.faults.waiting import wait_until
from worker.demo.twilio_api import TwilioAccount

START_SECONDS = 90.0  # of a loaded machine
RUNNING = '"event": "running"'
# honcho kills what has not ended five seconds after the first: a loaded machine may need longer for an idle worker.
_PATIENT = "from honcho import command, manager; manager.KILL_WAIT = 60; command.main()"
_HONCHO_PID = re.compile(r"system +\| (\S+) started \(pid=(\d+)\)")
_HONCHO_END = re.compile(r"system +\| (\S+) stopped \(rc=(-?\d+)\)")


def settings_for(
    folder: Path, database_url: str, broker_url: str, provider_url: str, /, **more: object
) -> dict[str, str]:
    """The environment of all processes: one database, broker and provider, a fast clock, short leases; `more` by the
    settings' names in small letters. Makes the key file."""
    account, port = TwilioAccount(), free_port()
    keys = folder / "keys.json"
    if not keys.exists():
        make_key_file(keys)
    settings = {
        "database_url": database_url,
        "broker_url": broker_url,
        "keys": keys,
        "public_url": f"http://127.0.0.1:{port}",
        "port": port,
        "twilio_account_sid": account.sid,
        "twilio_auth_token": account.token,
        "twilio_sender": account.sender,
        "twilio_api_base_url": provider_url,
        "tick_seconds": 0.2,
        "lease_seconds": 4,
        "provider_connect_seconds": 0.5,
        "provider_read_seconds": 1,
        **more,
    }
    return {f"KALLELSE_{name.upper()}": str(value) for name, value in settings.items()}


@dataclass
class Product:
    """Processes of the Procfile under their names: `web.1`, `worker.1`, `worker.2`, `clock.1`. What one says lies in
    `<name>-<start>.log` of the folder."""

    environment: Mapping[str, str]
    folder: Path
    workers: int = 2
    _programs: dict[str, Program] = field(default_factory=dict)
    _starts: int = 0

    def names(self) -> list[str]:
        return list(commands(self.workers))

    def program(self, name: str) -> Program:
        """The process of that name, running or ended."""
        return self._programs[name]

    def start(self, name: str) -> Program:
        """Starts one; it does not wait until it runs."""
        self._starts += 1
        log = self.folder / f"{name}-{self._starts}.log"
        command = ["/bin/sh", "-c", commands(self.workers)[name]]
        self._programs[name] = Program(command, {**self.environment, **_path(self.folder)}, log)
        return self._programs[name]

    def start_all(self) -> None:
        """Starts all that do not run, and waits until they do."""
        for name in self.names():
            if name not in self._programs or self._programs[name].exit_code is not None:
                self.start(name)
        self.await_running()

    def kill(self, name: str) -> None:
        """kill -9. Harmless when it has ended."""
        self._programs[name].kill()

    def restart(self, name: str) -> None:
        """kill -9, and a new one; it does not wait until that runs."""
        self.kill(name)
        self.start(name)

    def await_running(self) -> None:
        """Waits until each that was started does its work; one that has ended instead fails with its last words."""
        wait_until(lambda: all(map(is_running, self._programs.values())), "the processes to run", seconds=START_SECONDS)

    def require_alive(self) -> None:
        """Fails with the last words of a process that ended by itself."""
        for name, program in self._programs.items():
            assert program.exit_code is None, f"{name} ended ({program.exit_code}): {program.last_words()}"

    def terminate(self) -> dict[str, int]:
        """SIGTERM to all at once; their exit codes, once all have ended."""
        alive = {name: program for name, program in self._programs.items() if program.exit_code is None}
        for program in alive.values():
            program.tell_to_stop()
        return {name: program.wait() for name, program in alive.items()}

    def kill_all(self) -> None:
        for program in self._programs.values():
            program.kill()


@contextmanager
def product(environment: Mapping[str, str], folder: Path, workers: int = 2) -> Iterator[Product]:
    """The released schema, then all processes, running; whatever still runs at the end is killed."""
    release(environment, folder)
    here = Product(environment, folder, workers)
    try:
        here.start_all()
        yield here
    finally:
        here.kill_all()


def release(environment: Mapping[str, str], folder: Path) -> None:
    """The Procfile's release process, to its end."""
    command = ["/bin/sh", "-c", _processes()["release"]]
    with running(command, {**environment, **_path(folder)}, folder / "release.log") as program:
        wait_until(lambda: program.exit_code is not None, "the release to end", seconds=START_SECONDS)
        assert program.exit_code == 0, program.last_words()


@dataclass(frozen=True)
class Honcho:
    """`honcho start`, running."""

    program: Program

    def pids(self) -> dict[str, int]:
        """Each process's id by its name."""
        return {name: int(pid) for name, pid in _HONCHO_PID.findall(self.program.said())}

    def ends(self) -> dict[str, int]:
        """The exit codes of those that have ended, negative for a signal."""
        return {name: int(code) for name, code in _HONCHO_END.findall(self.program.said())}

    def is_running(self) -> bool:
        """Whether all its processes do their work."""
        assert self.program.exit_code is None, self.program.last_words()
        return self.program.said().count(RUNNING) == len(self.pids()) > 0

    def terminate(self) -> dict[str, int]:
        """SIGTERM to honcho, which tells all others; their exit codes."""
        self.program.terminate()
        return self.ends()


@contextmanager
def by_honcho(environment: Mapping[str, str], folder: Path, workers: int = 2) -> Iterator[Honcho]:
    """web, worker and clock under one honcho, running; the release has to be done before."""
    counts = f"web=1,clock=1,worker={workers}"
    command = [sys.executable, "-c", _PATIENT, "-f", str(ROOT / "Procfile"), "--no-colour", "start", "-c", counts]
    names = ("web", "worker", "clock")
    log = folder / "honcho.log"
    with running([*command, *names], {**environment, **_path(folder)}, log) as program:
        honcho = Honcho(program)
        try:
            wait_until(honcho.is_running, "honcho's processes to run", seconds=START_SECONDS)
            yield honcho
        finally:
            _kill_groups(honcho)


def is_running(program: Program) -> bool:
    """Whether a process of the Procfile does its work; one that has ended fails with its last words."""
    assert program.exit_code is None, program.last_words()
    return RUNNING in program.said()


def commands(workers: int) -> dict[str, str]:
    """What honcho would run, by name, without the release."""
    counts = {"release": 0, "worker": workers}
    return {one.name: one.cmd for one in expand_processes(_processes(), concurrency=counts)}


def forward(folder: Path, to: datetime) -> None:
    """Moves business time of all processes that `ahead` gave a clock."""
    _write_whole(folder / "ahead.txt", str((to - datetime.now(UTC)).total_seconds()))


def ahead(environment: Mapping[str, str], folder: Path, at: datetime) -> dict[str, str]:
    """The environment in which `kallelse` has a movable business time, which is `at` now. See `tests.faults.ahead`."""
    forward(folder, at)
    script = folder / "bin" / "kallelse"
    script.parent.mkdir(exist_ok=True)
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tests.faults.ahead "$@"\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return {**environment, AHEAD: str(folder / "ahead.txt")}


def _processes() -> dict[str, str]:
    return dict(parse_procfile((ROOT / "Procfile").read_text()).processes)


def _path(folder: Path) -> dict[str, str]:
    """Where the Procfile's commands are found: first those of the test's own folder."""
    return {"PATH": os.pathsep.join([str(folder / "bin"), str(Path(KALLELSE).parent), os.environ["PATH"]])}


def _kill_groups(honcho: Honcho) -> None:
    """honcho gives each process a group of its own, which would outlive honcho's."""
    honcho.program.kill()
    for pid in honcho.pids().values():
        with suppress(ProcessLookupError):
            os.killpg(pid, 9)


def _write_whole(path: Path, text: str) -> None:
    """Never half of it, as processes read it meanwhile."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.replace(path)
