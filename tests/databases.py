"""PostgreSQL databases for the tests of one process. Making one costs more than most tests do, so the one before is
emptied and serves again under a new name: whoever still knows the old name finds nothing there."""

from uuid import uuid4

import psycopg
from psycopg.conninfo import conninfo_to_dict

from store.database import migrate, open_database

_USES = 50  # of one database: dead rows and what the server has learned of its tables stay few
_LARGE = 2**22  # bytes of rows: to drop them is cheaper than to delete them

# Every change of the schema writes to one of these, under a transaction's number of its own.
_SHAPE = """
select count(*), sum(id) from (
    select oid, xmin::text::bigint from pg_class union all select attrelid, xmin::text::bigint from pg_attribute
    union all select oid, xmin::text::bigint from pg_attrdef union all select oid, xmin::text::bigint from pg_constraint
    union all select oid, xmin::text::bigint from pg_trigger union all select oid, xmin::text::bigint from pg_proc
) as parts (of, id) where of >= 16384"""
_ROWS = """
select coalesce(sum(pg_total_relation_size(oid)), 0) from pg_class
where relnamespace = 'public'::regnamespace and relkind = 'r' and pg_relation_size(oid) > 0"""
_KEEP = """
do $$
declare one regclass; is_filled boolean;
begin
    create schema as_migrated;
    for one in select oid from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' loop
        execute format('select exists(select from %s)', one) into is_filled;
        if is_filled then execute format('create table as_migrated.%s as table %1$s', one); end if;
    end loop;
end $$"""
# In one statement, at whose end the foreign keys are looked at: in whatever order, none is broken then.
_EMPTY = """
do $$
declare one record; deletions text;
begin
    select string_agg(format('d%s as (delete from %s)', oid, oid::regclass), ', ') into deletions from pg_class
        where relnamespace = 'public'::regnamespace and relkind = 'r' and pg_relation_size(oid) > 0;
    execute format('with %s select', deletions);
    for one in select relname from pg_class where relnamespace = 'as_migrated'::regnamespace and relkind = 'r' loop
        execute format('insert into public.%I overriding system value table as_migrated.%1$I', one.relname);
    end loop;
    perform setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false) from pg_sequences
        where last_value is not null;
end $$"""


_HURRIES = ("fsync = off", "full_page_writes = off", "max_wal_size = '256MB'")


def let_it_hurry(server: str) -> None:
    """For the suite's own server, which nothing kills: it need not survive a loss of power."""
    with psycopg.connect(server, autocommit=True) as connection:
        for setting in _HURRIES:
            connection.execute(f"alter system set {setting}")  # type: ignore[call-overload]
        connection.execute("select pg_reload_conf()")


class Databases:
    """Copies of one migrated database. Each belongs to one test at a time."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._connection = psycopg.connect(server, autocommit=True)
        self._template = f"template_{uuid4().hex}"
        self._spare: list[tuple[str, int]] = []
        self._uses: dict[str, int] = {}
        self._make_template()

    def take(self) -> str:
        """The address of a migrated database in which nothing is."""
        name = f"test_{uuid4().hex}"
        if self._spare:
            spare, self._uses[name] = self._spare.pop()
            self._run(f'alter database "{spare}" rename to "{name}"')
        else:
            self._uses[name] = 0
            self._run(f'create database "{name}" template "{self._template}"')
        return named(self._server, name)

    def give_back(self, address: str) -> None:
        """Ends whatever connections there are. A database that is large, changed or much used goes."""
        name = conninfo_to_dict(address)["dbname"]
        uses = self._uses.pop(name) + 1
        self._connection.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = %s", (name,)
        )
        if uses < _USES and self._is_emptied(address):
            spare = f"spare_{uuid4().hex}"
            self._run(f'alter database "{name}" rename to "{spare}"')
            self._spare.append((spare, uses))
        else:
            self._drop(name)

    def close(self) -> None:
        for name in (*self._uses, *(name for name, _ in self._spare), self._template):
            self._drop(name)
        self._connection.close()

    def _make_template(self) -> None:
        self._run(f'create database "{self._template}"')
        address = named(self._server, self._template)
        sessions = open_database(address)
        migrate(sessions)
        sessions.close()
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(_KEEP)
            self._shape = connection.execute(_SHAPE).fetchone()

    def _is_emptied(self, address: str) -> bool:
        with psycopg.connect(address, autocommit=True) as connection:
            rows = connection.execute(_ROWS).fetchone()
            if rows is None or rows[0] > _LARGE or connection.execute(_SHAPE).fetchone() != self._shape:
                return False
            connection.execute(_EMPTY)
        return True

    def _drop(self, name: str) -> None:
        self._run(f'drop database if exists "{name}" with (force)')

    def _run(self, statement: str) -> None:
        self._connection.execute(statement)  # type: ignore[call-overload]


def named(address: str, database: str) -> str:
    """The address of another database of the same server."""
    base, _, query = address.partition("?")
    return f"{base.rsplit('/', 1)[0]}/{database}" + (f"?{query}" if query else "")
