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


def test_links_that_people_have_got_still_lead_somewhere_once_their_table_has_been_made_anew(sqlite_url: str) -> None:
    """SQLite alters no CHECK, so 0014 copies the table: whoever got a link last week presses it today."""
    database = open_database(sqlite_url + ".links")
    config, (subject, link, visit) = _migration_config(), ("1" * 32, "2" * 32, "3" * 32)
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0013")
        values = {"subject": subject, "link": link, "visit": visit, "at": "2026-11-25T00:00:00.000000Z"}
        for statement in (
            "insert into subjects (id, pseudonym, oid, sealed_number, language, created_at, fence, wakes)"
            " values (:subject, 'p', 'o', 'k1.x', 'sv', :at, 0, 0)",
            "insert into action_links (id, digest, action, recipient_id, contact_digest, channel, made_at, expires_at)"
            " values (:link, 'd', 'cancel', :subject, 'c', 'sms', :at, :at)",
            "insert into action_link_visits values (:link, :visit, 2)",
        ):
            connection.execute(text(statement), values)
        command.upgrade(config, "0014")
        kept = connection.execute(text("select digest, action, channel, used_at from action_links")).one()
        about = connection.execute(text("select booking_id, time_version from action_link_visits")).one()
        assert (tuple(kept), tuple(about)) == (("d", "cancel", "sms", None), (visit, 2))
        named = inspect(connection).get_foreign_keys("action_link_visits")
        assert [one["referred_table"] for one in named] == ["action_links"]
    database.close()
