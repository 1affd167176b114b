"""Well-known calendar servers beside ours, each run its own way, without logins, the same visits in one collection."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.bench.servers import Served, program
from tests.faults.programs import free_port

RADICALE_PATH = "/bench/visits/"
XANDIKOS_PATH = "/user/calendars/calendar/"
_RADICALE_CONNECTIONS = 4  # its server closes each, and its listen queue is 5: with more, new ones wait a second
_RADICALE = """
[server]
hosts = 127.0.0.1:{port}
max_connections = 64
[auth]
type = none
[rights]
type = from_file
file = {folder}/rights
[storage]
filesystem_folder = {folder}/collections
[logging]
level = critical
"""
_RIGHTS = "[all]\nuser: .*\ncollection: .*\npermissions: RrWw\n"
_KIND = {"content-type": "text/calendar; charset=utf-8"}


@contextmanager
def radicale(content: bytes, folder: Path) -> Iterator[Served]:
    """Its own server, which takes the whole calendar at once."""
    port = free_port()
    (folder / "radicale.ini").write_text(_RADICALE.format(port=port, folder=folder))
    (folder / "rights").write_text(_RIGHTS)
    command = [sys.executable, "-m", "radicale", "--config", str(folder / "radicale.ini")]
    with program(command, {}, folder, port, _RADICALE_CONNECTIONS) as served:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            client.request("MKCOL", "/bench/").raise_for_status()
            client.put(RADICALE_PATH, content=content, headers=_KIND).raise_for_status()
        yield served


@contextmanager
def xandikos(content: bytes, folder: Path) -> Iterator[Served]:
    """Its own server, which takes one visit at a time."""
    port = free_port()
    command = [sys.executable, "-m", "xandikos", "serve", "--defaults", "--no-detect-systemd"]
    places = ["--directory", f"{folder}/xandikos", "--state-dir", f"{folder}/xandikos-state"]
    address = ["--listen-address", "127.0.0.1", "--port", str(port)]
    with program([*command, *places, *address], {}, folder, port) as served:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            for number, one in enumerate(_one_by_one(content)):
                client.put(f"{XANDIKOS_PATH}{number}.ics", content=one, headers=_KIND).raise_for_status()
        yield served


def _one_by_one(content: bytes) -> Iterator[bytes]:
    """Each visit of a calendar in a calendar of its own."""
    begins, ends = b"BEGIN:VEVENT\r\n", b"END:VEVENT\r\n"
    before, *events = content.split(begins)
    after = content.rpartition(ends)[2]
    for event in events:
        yield before + begins + event.partition(ends)[0] + ends + after
