"""`kallelse seed`: files to try a deployment with."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from worker.commands.exits import Refused
from worker.demo.care_units import facilities_csv
from worker.demo.facilities import FACILITIES
from worker.demo.people import MOST_CITIZENS, people, population_csv, subjects_csv

_REGION_PORT = 8081
_SOURCES = f"""\
[[source]]
name = "region"
url = "http://127.0.0.1:{_REGION_PORT}/vp"  # python -m worker.demo.region --port {_REGION_PORT}
logical_address = "5565594230"
"""
_NEXT = """\
Wrote {names} for {citizens} invented citizens. To try a deployment with them, in this order:

  export KALLELSE_SOURCES={folder}/sources.toml KALLELSE_POPULATION={folder}/population.csv
  export KALLELSE_PAPER_FOLDER={folder}/paper        # messages are written there, nothing is sent
  python -m worker.demo.region --citizens {citizens} --port {port} &   # a simulated region
  kallelse migrate
  kallelse facilities import {folder}/facilities.csv
  kallelse subjects import {folder}/subjects.csv
  kallelse check
  kallelse poll
  kallelse subjects list
"""


def register(app: typer.Typer) -> None:
    app.command()(seed)


def seed(
    folder: Annotated[Path, typer.Argument(help="Where to write them; made if it is not there.", file_okay=False)],
    citizens: Annotated[int, typer.Option(help="How many invented citizens.", min=1, max=MOST_CITIZENS)] = 25,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Write over files that are there.")] = False,
) -> None:
    """Writes files to try the imports with: facilities.csv, subjects.csv, population.csv and sources.toml.

    Use it to rehearse a deployment before real files exist, or to see what they must look like. Clinics are invented,
    identity numbers are published test numbers, phones are set aside for fiction.

    Example: `kallelse seed try --citizens 10`, then the commands it prints.
    """
    now = datetime.now(UTC)
    cast = people(citizens)
    files = {
        "facilities.csv": facilities_csv(FACILITIES),
        "subjects.csv": subjects_csv(cast, now),
        "population.csv": population_csv(cast, now),
        "sources.toml": _SOURCES,
    }
    try:
        _write(folder, files, overwrite=overwrite)
    except OSError as error:
        raise Refused(f"{folder} cannot be written to ({error.strerror}): name another folder") from None
    typer.echo(_NEXT.format(names=", ".join(files), citizens=citizens, folder=folder, port=_REGION_PORT))


def _write(folder: Path, files: dict[str, str], *, overwrite: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    there = [name for name in files if (folder / name).exists()]
    if there and not overwrite:
        raise Refused(f"{folder} holds {', '.join(there)} already: name another folder, or give --overwrite")
    for name, content in files.items():
        (folder / name).write_text(content)
