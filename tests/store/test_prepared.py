"""Prepared reads: they survive a server that closes connections, and a broken database is told apart from "no row"."""

import threading

import pytest
from sqlalchemy import text

from store.database import Sessions, open_database
from store.prepared import PreparedReads, ReadFailed


def test_a_missing_row_is_no_failure(sessions: Sessions) -> None:
    reads = PreparedReads(sessions)
    assert reads.one("select id from clinics where name = ?", "nobody") is None
    assert reads.one("select 1 where 'a' = ?", "a") == (1,)
    reads.close()


def test_a_failure_names_nothing_that_was_asked_for(sessions: Sessions) -> None:
    reads = PreparedReads(sessions)
    with pytest.raises(ReadFailed) as caught:
        reads.one("select 1 from no_such_table where a = ?", "secret")
    assert "secret" not in f"{caught.value!r}{caught.value.__cause__!r}"
    reads.close()


def test_a_connection_that_the_server_closed_is_replaced(postgresql_url: str) -> None:
    sessions = open_database(postgresql_url)
    reads = PreparedReads(sessions)
    assert reads.one("select 1 where 'a' = ?", "a") == (1,)
    with sessions.writing() as session:
        session.execute(
            text(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where pid <> pg_backend_pid() and datname = current_database()"
            )
        )
    assert reads.one("select 1 where 'a' = ?", "a") == (1,)
    reads.close()
    sessions.close()


def test_a_read_sees_what_was_committed_meanwhile(sessions: Sessions) -> None:
    reads = PreparedReads(sessions)
    count = "select count(*) from clinics where name = ?"
    assert reads.one(count, "Ny") == (0,)
    with sessions.writing() as session:
        from store.clinics import Clinic
        from tests.conftest import NOW

        session.add(Clinic(name="Ny", created_at=NOW))
    assert reads.one(count, "Ny") == (1,)
    reads.close()


def test_threads_do_not_share_a_connection(sessions: Sessions) -> None:
    reads = PreparedReads(sessions)
    wrong: list[object] = []

    def read(number: int) -> None:
        for _ in range(50):
            if reads.one("select cast(? as integer)", number) != (number,):
                wrong.append(number)

    threads = [threading.Thread(target=read, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    reads.close()
    assert wrong == []
