"""Many rows like one that is there, copied by the database itself: a million takes seconds."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import CTE, ColumnElement, Connection, Table, Uuid, cast, func, literal, select

from store.database import Sessions

Number = ColumnElement[int]


def numbered(first: int, last: int) -> CTE:
    """The numbers from `first` to `last`, as column `n`."""
    numbers = select(literal(first).label("n")).cte("numbers", recursive=True)
    return numbers.union_all(select(numbers.c.n + 1).where(numbers.c.n < last))


def id_of(number: Number, sessions: Sessions) -> ColumnElement[Any]:
    """`UUID(int=number)`, as the database writes it."""
    if sessions.on_postgresql:
        return cast(func.lpad(func.to_hex(number), 32, "0"), Uuid())
    return func.printf("%032x", number)


def only_row(connection: Connection, table: Table) -> Mapping[str, Any]:
    """The one row that is there."""
    return dict(connection.execute(select(table)).mappings().one())


def copy_rows(
    connection: Connection, table: Table, pattern: Mapping[str, Any], numbers: CTE, changes: Mapping[str, Any]
) -> None:
    """One row for each number: as the one row `pattern`, which is there, but for `changes`."""
    (key,) = table.primary_key
    values = [changes.get(column.name, column) for column in table.columns]
    copied = select(*values).select_from(table.join(numbers, literal(value=True))).where(key == pattern[key.name])
    connection.execute(table.insert().from_select([column.name for column in table.columns], copied))


def settle_down(sessions: Sessions) -> None:
    """Has the database tidy up now what it would later in the middle of a measurement."""
    with sessions.engine.connect() as connection:
        if sessions.on_postgresql:
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("vacuum analyze")
        else:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
