"""tsdav, the library that web programs reach calendars with."""

from collections.abc import Iterator
from datetime import UTC, datetime

import icalendar
import pytest

from tests.clients.conftest import Account
from tests.clients.readers import HERE, javascript_missing
from tests.clients.sitting import Sitting, sitting


@pytest.fixture
def tsdav(account: Account) -> Iterator[Sitting]:
    if why := javascript_missing():
        pytest.skip(why)
    with sitting(["node", HERE / "tsdav_session.mjs", account.url], account.environment()) as made:
        yield made


def starts(objects: dict[str, str]) -> dict[str, datetime]:
    events = [event for body in objects.values() for event in icalendar.Calendar.from_ical(body).events]
    return {str(event["UID"]): event["DTSTART"].dt.astimezone(UTC) for event in events}


def test_it_lists_syncs_what_changed_and_is_told_that_it_may_not_write(account: Account, tsdav: Sitting) -> None:
    expected = account.starts()
    assert tsdav.found["name"] == "Bokade tider"
    assert starts(tsdav.found["objects"]) == expected
    assert tsdav.told("sync") == {"created": {}, "updated": {}, "deleted": {}}

    moved = account.move_a_visit()
    changes = tsdav.told("sync")
    assert starts(changes["updated"]) == {moved: account.starts()[moved]}
    assert changes["created"] == changes["deleted"] == {}

    before = account.feed().content
    assert tsdav.told("write") == {"create": 403, "update": 403, "delete": 403}
    assert account.feed().content == before
