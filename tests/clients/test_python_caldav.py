"""python-caldav, the library that programs in Python reach calendars with."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import caldav
import pytest
from caldav.lib.error import AuthorizationError

from tests.clients.conftest import Account


@pytest.fixture
def client(account: Account) -> Iterator[caldav.DAVClient]:
    with caldav.DAVClient(account.url, username=account.user, password=account.password) as opened:
        yield opened


@pytest.fixture
def calendar(client: caldav.DAVClient) -> caldav.Calendar:
    return next(one for one in client.principal().calendars() if "VEVENT" in one.get_supported_components())


def starts(calendar: caldav.Calendar) -> dict[str, datetime]:
    return {str(one.component["UID"]): one.component["DTSTART"].dt.astimezone(UTC) for one in calendar.events()}


def test_it_finds_the_calendar_and_lists_what_the_feed_lists(account: Account, calendar: caldav.Calendar) -> None:
    assert calendar.get_display_name() == "Bokade tider"
    assert starts(calendar) == account.starts()


def test_a_month_is_searched_and_holds_its_visits_only(account: Account, calendar: caldav.Calendar) -> None:
    first = min(account.starts().values())
    found = calendar.search(start=first, end=first + timedelta(days=30), event=True, expand=False)

    wanted = {uid for uid, at in account.starts().items() if at < first + timedelta(days=30)}
    assert {str(one.component["UID"]) for one in found} == wanted


def test_an_open_invitation_is_a_to_do_in_a_list_of_its_own(client: caldav.DAVClient) -> None:
    calendars = client.principal().calendars()
    tasks = next(one for one in calendars if "VTODO" in one.get_supported_components())

    (invitation,) = tasks.todos()
    assert tasks.get_display_name() == "Kallelser utan tid"
    assert invitation.component["STATUS"] == "NEEDS-ACTION"
    assert "DTSTART" not in invitation.component
    assert tasks.events() == []


def test_after_a_change_it_is_given_what_changed_and_nothing_else(account: Account, calendar: caldav.Calendar) -> None:
    known = calendar.get_objects_by_sync_token(load_objects=True)
    moved = account.move_a_visit()
    changed = list(calendar.get_objects_by_sync_token(known.sync_token, load_objects=True))

    assert [str(one.component["UID"]) for one in changed] == [moved]
    assert changed[0].component["DTSTART"].dt == account.visits()[moved]["DTSTART"].dt


def test_writing_is_refused_as_a_lack_of_rights_and_changes_nothing(
    account: Account, calendar: caldav.Calendar
) -> None:
    before = account.feed().content
    event = calendar.events()[0]
    text = event.data
    with pytest.raises(AuthorizationError):
        calendar.save_event(dtstart=datetime(2027, 1, 1, tzinfo=UTC), summary="Eget", uid="eget")
    event.component["SUMMARY"] = "Ändrad"
    with pytest.raises(AuthorizationError):
        event.save()
    with pytest.raises(AuthorizationError):
        event.delete()
    with pytest.raises(AuthorizationError):
        calendar.delete()

    assert account.feed().content == before
    event.load()
    assert event.data == text
