"""Thunderbird, without a window: its own account search, calendar and cache."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.clients.conftest import Account
from tests.clients.readers import missing
from tests.clients.thunderbird import thunderbird


def starts(shown: dict[str, str]) -> dict[str, datetime]:
    return {uid: datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) for uid, text in shown.items()}


def test_it_finds_the_calendar_marks_it_read_only_follows_a_change_and_loses_nothing(
    account: Account, tmp_path: Path
) -> None:
    if why := missing("thunderbird"):
        pytest.skip(why)
    with thunderbird(tmp_path) as program:
        found = program.does("open", account.url, account.user, account.password)
        assert found["name"] == "Bokade tider"
        assert starts(found["events"]) == account.starts()
        assert found["readOnly"]

        moved = account.move_a_visit()
        synced = program.does("sync")
        assert starts(synced) == account.starts()
        assert [uid for uid in synced if synced[uid] != found["events"][uid]] == [moved]

        before = account.feed().content
        tried = program.does("write")
        assert all(tried["refused"][attempt] for attempt in ("create", "update", "delete"))
        assert "403" in tried["refused"]["update"][0]
        titles = [str(event["SUMMARY"]) for event in account.visits().values()]
        assert sorted(tried["titles"]) == sorted(titles)
        assert account.feed().content == before
