"""The migrations and the models say the same, constraints included, on both databases; an old schema is refused."""

import re

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlmodel import SQLModel

import store.migrations.env_tables  # noqa: F401 - fills the metadata
from store import subjects
from store.database import (
    MIGRATIONS,
    DatabaseUnusable,
    Sessions,
    _migration_config,
    open_database,
    require_current_schema,
)


def test_migrations_and_models_agree(sessions: Sessions) -> None:
    with sessions.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_every_check_in_the_models_stands_in_the_schema(sessions: Sessions) -> None:
    with sessions.engine.connect() as connection:
        found = inspect(connection)
        for table in SQLModel.metadata.tables.values():
            wanted = {str(one.name) for one in table.constraints if type(one).__name__ == "CheckConstraint"}
            stands = {one["name"] for one in found.get_check_constraints(table.name)}
            assert wanted <= stands, table.name


def test_plain_text_cannot_stand_in_a_sealed_column() -> None:
    for table in SQLModel.metadata.tables.values():
        for column in table.columns:
            if re.match("sealed_|wrapped$", column.name):
                names = {str(one.name) for one in table.constraints}
                assert f"ck_{table.name}_{column.name}_sealed" in names, f"{table.name}.{column.name}"


def test_a_process_refuses_a_database_without_our_schema(sqlite_url: str) -> None:
    empty = open_database(sqlite_url + ".empty")
    with pytest.raises(DatabaseUnusable, match="kallelse migrate"):
        require_current_schema(empty)
    empty.close()


def test_a_process_refuses_an_old_schema(sessions: Sessions) -> None:
    require_current_schema(sessions)
    with sessions.engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '0000'"))

    with pytest.raises(DatabaseUnusable, match="kallelse migrate"):
        require_current_schema(sessions)


def test_yesterdays_code_goes_on_under_a_newer_schema(sessions: Sessions) -> None:
    with sessions.engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))

    require_current_schema(sessions)
    with sessions.reading() as session:
        assert subjects.count(session) == 0  # and it reads on


def test_what_a_version_adds_yesterdays_code_need_not_name(sqlite_url: str) -> None:
    """A new column that must not be empty has a default: rows are still inserted that do not know of it."""
    database = open_database(sqlite_url + ".versions")
    config = _migration_config()
    known: dict[str, set[str]] = {}
    for version in sorted(path.stem[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*.py")):
        with database.engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, version)
            tables = {name: inspect(connection).get_columns(name) for name in inspect(connection).get_table_names()}
        for name, columns in tables.items():
            added = [one for one in columns if name in known and one["name"] not in known[name]]
            assert all(one["nullable"] or one["default"] is not None for one in added), (version, name)
        known = {name: {one["name"] for one in columns} for name, columns in tables.items()}
    database.close()
