"""A deployment as an operator makes it: files imported by commands, processes of their own for the region and the
provider, business time that begins on a weekday at 09.55. The product itself is started by `procfile`."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from tests.faults.procfile import ahead, forward, release, settings_for
from tests.faults.programs import ROOT, running
from tests.faults.waiting import wait_until
from worker.demo.care_units import facilities_csv
from worker.demo.facilities import FACILITIES
from worker.demo.people import Person, people, population_csv, subjects_csv
from worker.demo.run import next_weekday_morning

_ID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_READY = re.compile(r"ready (http://\S+)")
_START_SECONDS = 60.0
_FAST = {f"poll_{how}_seconds": 0.5 for how in ("near", "usual", "far")}


@dataclass
class Deployment:
    """What its operator, its citizens and its clinics can reach."""

    folder: Path
    environment: Mapping[str, str]
    began_at: datetime
    region_url: str
    provider_url: str
    outside: httpx.Client

    @property
    def public_url(self) -> str:
        return self.environment["KALLELSE_PUBLIC_URL"]

    def operate(self, *arguments: str, typed: str = "") -> str:
        """What `kallelse ARGUMENTS` prints; it must end well."""
        command = [str(self.folder / "bin" / "kallelse"), *arguments]
        return _output(command, {**_inherited(), **self.environment}, typed)

    def enrol(self, citizens: int, clinic: str) -> list[Person]:
        """Imports all facilities, one clinic's decision, so that it may tell people, and the first so many citizens."""
        self.operate("facilities", "import", str(self.folder / "facilities.csv"))
        decided = ["--reference", "PROV-1", "--by", "Provregionen", "--on", f"{self.began_at:%Y-%m-%d}"]
        self.operate("facilities", "decide", clinic, *decided)
        self.operate("subjects", "import", str(self.folder / "subjects.csv"))
        return list(people(citizens))

    def feed_url(self, person: Person) -> str:
        """A new subscription address, as the operator hands it to the person."""
        (subject,) = _ID.findall(self.operate("subjects", "find", typed=f"{person.identity}\n"))
        return self.operate("subjects", "link", subject, "--level", "full").strip()

    def feed(self, url: str) -> str:
        """The calendar as served, unfolded; empty while nobody serves it."""
        try:
            return self.outside.get(url).text.replace("\r\n ", "")
        except httpx.TransportError:
            return ""

    def care(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        """What a clinic's staff do in their time book."""
        answer = self.outside.request(method, f"{self.region_url}/control/{path}", json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def told(self, person: Person) -> list[str]:
        """The texts that reached the person's phone, oldest first."""
        listed = self.outside.get(f"{self.provider_url}/messages").json()
        return [one["body"] for one in listed if one["to"] == person.phone]

    def ledger(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.operate("ledger").splitlines()]

    def forward(self, to: datetime) -> None:
        forward(self.folder, to)


@contextmanager
def deployment(folder: Path, database_url: str, broker_url: str, citizens: int) -> Iterator[Deployment]:
    """A released schema, seeded files, a region and a provider that run. Nothing of the product runs yet."""
    began_at = next_weekday_morning(datetime.now(UTC))
    with ExitStack() as parts:
        region = _started(parts, folder, "region", ["--citizens", str(citizens), "--now", began_at.isoformat()])
        provider = _started(parts, folder, "providers", ["--dir", str(folder / "providers")])
        _seed(folder, region, citizens)
        files = {"sources": folder / "sources.toml", "population": folder / "population.csv"}
        pace = {**_FAST, "settle_seconds": 0.5, "second_look_seconds": 2}
        environment = ahead(settings_for(folder, database_url, broker_url, provider, **files, **pace), folder, began_at)
        release(environment, folder)
        outside = parts.enter_context(httpx.Client(trust_env=False, timeout=10))
        yield Deployment(folder, environment, began_at, region, provider, outside)


def _started(parts: ExitStack, folder: Path, what: str, options: list[str]) -> str:
    """The address of a simulated system, in a process of its own."""
    command = [sys.executable, "-m", f"worker.demo.{what}", *options]
    program = parts.enter_context(running(command, {}, folder / f"{what}.log"))
    wait_until(lambda: _READY.search(program.said()) is not None, f"{what} to start", seconds=_START_SECONDS)
    ready = _READY.search(program.said())
    assert ready is not None
    return ready[1]


def _seed(folder: Path, region_url: str, citizens: int) -> None:
    """The files of `kallelse seed`, with the region's own address, and no limit to speak of for its calls."""
    now = datetime.now(UTC)
    (folder / "facilities.csv").write_text(facilities_csv(FACILITIES))
    (folder / "subjects.csv").write_text(subjects_csv(people(citizens), now))
    (folder / "population.csv").write_text(population_csv(people(citizens), now))
    (folder / "sources.toml").write_text(
        f'[[source]]\nname = "region"\nurl = "{region_url}/vp"\nlogical_address = "5565594230"\n'
        "calls_per_second = 1000\ncalls_at_once = 16\ncalls_per_hour = 1000000\n"
    )


def _output(command: list[str], environment: Mapping[str, str], typed: str = "") -> str:
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        input=typed,
        capture_output=True,
        text=True,
        timeout=_START_SECONDS,
        check=False,
    )
    assert done.returncode == 0, (command, done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout


def _inherited() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("KALLELSE_")}
