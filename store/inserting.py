"""Adding a row once, on both databases. Knows no table."""

from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel


def insert_unless_there(session: Session, row: SQLModel) -> bool:
    """False if a row with the same unique values stood there before. Counts returned rows: a driver's row count after
    ON CONFLICT is not to be relied on."""
    statement = insert_of(session, row).on_conflict_do_nothing().returning(_table(row).c.id)
    return session.connection().execute(statement).first() is not None


def insert_of(session: Session, row: SQLModel) -> Any:  # noqa: ANN401 - either database's own insert
    """The row's INSERT, to which the caller adds what is to be done on a conflict."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    return dialect.insert(_table(row)).values({name: getattr(row, name) for name in type(row).model_fields})


def _table(row: SQLModel) -> Table:
    return SQLModel.metadata.tables[str(type(row).__tablename__)]
