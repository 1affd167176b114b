"""A copy of a SQLite database that is whole although processes go on writing. PostgreSQL has its own: pg_dump."""

import sqlite3
from contextlib import closing
from pathlib import Path

from store.database import DatabaseUnusable, Sessions


def copy(sessions: Sessions, file: Path) -> None:
    """Writes the database as it is now to a new file that its owner alone can read, and reads it through.

    Raises FileExistsError, OSError where it cannot be written, DatabaseUnusable where the copy is not whole.
    """
    file.touch(mode=0o600, exist_ok=False)
    with sessions.engine.connect() as connection, closing(sqlite3.connect(file)) as target:
        source = connection.connection.driver_connection
        if not isinstance(source, sqlite3.Connection):
            raise TypeError("only SQLite is copied like this")
        source.backup(target)
        (verdict,) = target.execute("PRAGMA integrity_check").fetchone()
    if verdict != "ok":
        raise DatabaseUnusable("the copy is not whole, so the database itself may not be: restore an earlier backup")
