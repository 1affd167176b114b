"""Which statements go to the database, and how it goes about them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event, text

from store.database import Session


@contextmanager
def asked(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    """The statements that go to a database, with their values."""
    statements: list[tuple[str, Any]] = []

    def keep(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        statements.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", keep)
    yield statements
    event.remove(engine, "before_cursor_execute", keep)


def plan(session: Session, statement: str, parameters: Any) -> str:
    """How the database goes about it, whatever it thinks of so small a table."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.execute(text("set local enable_seqscan = off"))
        rows = connection.exec_driver_sql(f"explain {statement}", parameters)
        return "\n".join(str(row[0]) for row in rows)
    rows = connection.exec_driver_sql(f"explain query plan {statement}", parameters)
    return "\n".join(str(row[3]) for row in rows)


def scans(plans: str, table: str) -> Iterator[str]:
    for line in plans.splitlines():
        if f"Seq Scan on {table} " in line or line.strip() == f"SCAN {table}":
            yield line.strip()
