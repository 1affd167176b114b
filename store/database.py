"""Engines and sessions for SQLite and PostgreSQL, and the check that the schema is the one this code needs."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.exc import DatabaseError as DatabaseError  # named here for the layers above
from sqlalchemy.exc import IntegrityError as IntegrityError
from sqlalchemy.exc import OperationalError as OperationalError
from sqlalchemy.exc import SQLAlchemyError as SQLAlchemyError
from sqlmodel import Session as Session  # named here for the layers above, which must not know the library

CONFLICTS = (OperationalError, IntegrityError)
"""What a transaction may meet that ran beside another: a deadlock, or the same new row. Trying it again can help."""

MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY_MILLISECONDS = 10_000


class DatabaseUnusable(Exception):
    """The database cannot be used as it is; the message names the remedy."""


class Sessions:
    """Opens transactions. `writing` commits at the end and, on SQLite, takes the write lock at its beginning."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writing = engine.execution_options(writing=True)

    @property
    def on_postgresql(self) -> bool:
        return self.engine.dialect.name == "postgresql"

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """One transaction that may write: committed at the end, rolled back on an exception."""
        with Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """One transaction that only reads."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    def close(self) -> None:
        self.engine.dispose()


def open_database(url: str, *, pool_size: int = 10) -> Sessions:
    """Sessions on `sqlite:///path` or `postgresql://...`. Connects to nothing yet. Raises DatabaseUnusable."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise DatabaseUnusable("KALLELSE_DATABASE_URL is no address (sqlite:///... or postgresql://...)") from error
    if parsed.get_backend_name() == "sqlite":
        return Sessions(_sqlite_engine(parsed.render_as_string(hide_password=False)))
    if parsed.get_backend_name() == "postgresql":
        address = parsed.set(drivername="postgresql+psycopg")
        return Sessions(create_engine(address, pool_size=pool_size, max_overflow=pool_size, pool_pre_ping=True))
    raise DatabaseUnusable(f"KALLELSE_DATABASE_URL names {parsed.get_backend_name()}; use SQLite or PostgreSQL")


def migrate(sessions: Sessions) -> None:
    """Brings the schema to the newest version."""
    with sessions.engine.begin() as connection:
        config = _migration_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def require_current_schema(sessions: Sessions) -> None:
    """Raises DatabaseUnusable when the schema is older than this code. A newer one serves: versions only add, so that
    yesterday's code goes on while tomorrow's is being brought in."""
    wanted = _newest_schema()
    with sessions.engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    if found is None or found < wanted:
        raise DatabaseUnusable(
            f"the database's schema is {found or 'not there'}, this code needs {wanted}: run `kallelse migrate`"
        )


@cache
def _newest_schema() -> str:
    return str(ScriptDirectory.from_config(_migration_config()).get_current_head())


def _migration_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config


def _sqlite_engine(url: str) -> Engine:
    engine = create_engine(url, pool_size=20, max_overflow=20)
    event.listen(engine, "connect", _prepare_sqlite_connection)
    event.listen(engine, "begin", _begin_on_sqlite)
    return engine


def _prepare_sqlite_connection(connection: sqlite3.Connection, _record: Any) -> None:  # noqa: ANN401 - SQLAlchemy's own
    connection.isolation_level = None  # the driver's own BEGIN would come too late and of the wrong kind
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={_BUSY_MILLISECONDS}"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_on_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
