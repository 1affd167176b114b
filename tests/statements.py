"""Each test has an engine of its own, which would compile every statement anew: a third of what tests with a database
cost. Here all engines of one kind share what they have compiled."""

from functools import cache, wraps
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

from store import database

_MOST = 3000  # statements


def share_compiled_statements() -> None:
    """For all engines that `store.database` opens from now on in this process."""
    for kind in (PGDialect_psycopg, SQLiteDialect_pysqlite):  # what is compiled is remembered by its dialect
        kind.__eq__ = lambda self, other: type(self) is type(other)  # type: ignore[method-assign,assignment]
        kind.__hash__ = lambda self: hash(type(self))  # type: ignore[method-assign,assignment]
    create = database.create_engine

    @wraps(create)
    def sharing(*arguments: Any, **options: Any) -> Engine:
        engine = create(*arguments, **options)
        engine._compiled_cache = _compiled(type(engine.dialect))
        return engine

    database.create_engine = sharing  # type: ignore[assignment,attr-defined]


@cache
def _compiled(_kind: type) -> LRUCache[Any, Any]:
    return LRUCache(_MOST)
