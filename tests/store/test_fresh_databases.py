"""What the suite itself leans on: a database that an earlier test has used is as a new one."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Identifier

from store.database import open_database
from store.vault import Vault
from tests.conftest import NOW
from tests.databases import Databases
from tests.feeds.world import DAY, World


@pytest.fixture(scope="module")
def databases(postgresql_server: str) -> Iterator[Databases]:
    made = Databases(postgresql_server)
    yield made
    made.close()


def test_nothing_of_one_test_is_found_by_the_next_and_nobody_reaches_it_by_an_old_address(
    databases: Databases, vault: Vault
) -> None:
    first = databases.take()
    untouched, id = rows(first), oid(first)
    sessions = open_database(first)
    world = World(sessions, vault, NOW)
    world.add(world.now + DAY)
    world.open()
    with sessions.reading():  # a connection is left open
        assert rows(first) != untouched
        databases.give_back(first)
    second = databases.take()

    assert oid(second) == id
    assert rows(second) == untouched
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(first)
    sessions.close()


@pytest.mark.parametrize(
    "change",
    [
        "drop table heartbeats",
        "alter table deliveries add column also text",
        "alter table deliveries alter column purpose drop not null",
        "create index one_more on deliveries (purpose)",
        "create table more (id int)",
    ],
)
def test_a_database_whose_schema_a_test_has_changed_is_used_no_more(databases: Databases, change: str) -> None:
    address = databases.take()
    id = oid(address)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(change)
    databases.give_back(address)

    assert oid(databases.take()) != id


def rows(address: str) -> dict[str, int]:
    """How many each table has."""
    with psycopg.connect(address) as connection:
        tables = connection.execute(
            "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
        )
        counted = SQL("select count(*) from {}")
        return {
            name: connection.execute(counted.format(Identifier(name))).fetchone()[0] for (name,) in tables.fetchall()
        }


def oid(address: str) -> int:
    """What a database keeps when its name changes."""
    with psycopg.connect(address) as connection:
        found = connection.execute(
            "select oid from pg_database where datname = %s", (conninfo_to_dict(address)["dbname"],)
        ).fetchone()
    assert found is not None
    return int(found[0])
