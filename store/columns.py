"""Column types and constraints that every table shares. Knows no table."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BindParameter, CheckConstraint, DateTime, Dialect, Float, String, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import Field, SQLModel

SEALED_PREFIX = "k1."

SQLModel.metadata.naming_convention = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant. SQLite keeps one fixed text format with six decimals, so that text order is time order."""

    impl = String(27)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(DateTime(timezone=True))
        return dialect.type_descriptor(String(27))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:  # noqa: ANN401 - driver's own type
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant without a zone cannot be stored")
        return stored_instant(value, on_postgresql=dialect.name == "postgresql")

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ANN401 - driver's own type
        if value is None:
            return None
        if isinstance(value, datetime):
            return value.astimezone(UTC)
        return datetime.fromisoformat(value)


def stored_instant(at: datetime, *, on_postgresql: bool) -> datetime | str:
    """An aware instant as a UtcDateTime column keeps it, for reads that go past the column's type."""
    utc = at.astimezone(UTC)
    return utc if on_postgresql else utc.isoformat(timespec="microseconds")[:26] + "Z"


class lease_clock(FunctionElement[datetime]):  # noqa: N801 - reads as the SQL function it is
    """The database's own real clock, `seconds` from now. On PostgreSQL it moves within a transaction (unlike now())."""

    type = UtcDateTime()
    inherit_cache = True  # the seconds are a bound value: a statement is compiled once, not each time

    def __init__(self, seconds: float | BindParameter[float] = 0.0) -> None:
        super().__init__(literal(float(seconds), Float()) if isinstance(seconds, int | float) else seconds)


@compiles(lease_clock)
def _lease_clock_on_sqlite(element: lease_clock, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401
    seconds = compiler.process(element.clauses, **options)
    return f"strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', printf('%+.3f seconds', {seconds}))"


@compiles(lease_clock, "postgresql")
def _lease_clock_on_postgresql(element: lease_clock, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401
    return f"clock_timestamp() + make_interval(secs => {compiler.process(element.clauses, **options)})"


def one_of(column: str, allowed: type[StrEnum]) -> CheckConstraint:
    """A CHECK that the column holds one of the enum's values."""
    values = ", ".join(f"'{member.value}'" for member in allowed)
    return CheckConstraint(f"{column} in ({values})", name=f"{column}_known")


def sealed(column: str) -> CheckConstraint:
    """A CHECK that keeps plain text out of a column that holds sealed content."""
    return CheckConstraint(f"{column} like '{SEALED_PREFIX}%'", name=f"{column}_sealed")


class Claimable(SQLModel):
    """What a row needs that waits and is worked on: taken until, how many times taken, how many times woken.

    `claimed_until` is lease time. `wakes` rises whenever somebody makes the row due, so that whoever finishes it can
    tell a wake-up that came during the work (see store.claims).
    """

    claimed_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    fence: int = Field(default=0)
    wakes: int = Field(default=0)
