"""An operator's shell for tests: the commands run in this process or as real ones, in a folder and environment of their
own."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

from worker.__main__ import app
from worker.demo.region import RunningRegion


@dataclass(frozen=True)
class Said:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def all(self) -> str:
        return self.out + self.err


@dataclass
class Shell:
    folder: Path
    environment: dict[str, str]

    def __call__(self, *words: str, typed: str | None = None) -> Said:
        """Runs a command in this process. Anything but an orderly end fails the test."""
        result = CliRunner().invoke(app, words, input=typed, env=self.environment)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Said(result.exit_code, result.stdout, result.stderr)

    def done(self, *words: str, typed: str | None = None) -> str:
        """Runs a command that is to succeed; what it printed."""
        said = self(*words, typed=typed)
        assert said.code == 0, said.all
        return said.out

    def process(self, *words: str) -> Said:
        """Runs a command as a process of its own."""
        ended = subprocess.run(  # noqa: S603 - our own command
            self.command(*words),
            env=self.whole_environment(),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Said(ended.returncode, ended.stdout, ended.stderr)

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "worker", *words]

    def whole_environment(self) -> dict[str, str]:
        return {**os.environ, **self.environment, "PYTHONPATH": str(Path(__file__).parents[2])}

    def seeded(self, citizens: int = 4) -> None:
        """A deployment brought up from seeded files, nobody asked about yet."""
        self.done("seed", "files", "--citizens", str(citizens))
        self.done("migrate")
        self.done("facilities", "import", "files/facilities.csv")
        self.done("subjects", "import", "files/subjects.csv")

    def ids(self) -> list[str]:
        """Our ids, as the list shows them."""
        return [line.split()[0] for line in self.done("subjects", "list").splitlines()[1:]]


def sources_file(folder: Path, region: RunningRegion) -> str:
    path = folder / "sources.toml"
    path.write_text(f'[[source]]\nname = "region"\nurl = "{region.url}/vp"\nlogical_address = "5565594230"\n')
    return str(path)
