"""Synchronizing a calendar (RFC 6578): no program misses a change, whatever token it holds; quiet costs nothing."""

from datetime import timedelta
from uuid import UUID

import pytest

from store import calendars
from store.standing import Standing
from tests.feeds.caldav.account import Account
from tests.feeds.world import DAY


def test_a_first_sync_tells_of_all_that_is_there_and_of_nothing_that_is_not(account: Account) -> None:
    gone = account.world.add(account.world.now + 4 * DAY)
    account.world.rewrite(gone)
    account.world.change(gone, standing=Standing.GONE, stands_since=account.world.now - 30 * DAY)

    said = account.sync()

    assert set(said.statuses()) == set(account.hrefs())
    assert len(said.statuses()) == 3
    assert all(not status for status in said.statuses().values())


def test_the_same_token_while_nothing_changes(account: Account) -> None:
    """A fresh token for an unchanged calendar makes programs fetch it all again at every poll."""
    first = account.sync()
    again = account.sync(first.token)

    assert again.token == first.token
    assert again.statuses() == {}


def test_one_changed_visit_is_one_event(account: Account) -> None:
    token = account.sync().token
    moved = account.world.booking(_id(account.hrefs()[1]))
    account.world.change(moved.id, start_at=moved.start_at + timedelta(hours=1), sequence=1)

    said = account.sync(token, prop="<D:getetag/><C:calendar-data/>")

    (href,) = said.statuses()
    assert href.endswith(f"{moved.id.hex}.ics")
    assert b"SEQUENCE:1" in said.content
    assert account.sync(said.token).statuses() == {}


def test_a_visit_that_left_is_told_as_404(account: Account) -> None:
    token = account.sync().token
    left = account.hrefs()[0]
    account.world.change(_id(left), standing=Standing.GONE, stands_since=account.world.now - 30 * DAY)

    assert account.sync(token).statuses() == {left: "HTTP/1.1 404 Not Found"}


def test_pages_together_tell_of_everything_and_say_that_there_is_more(account: Account) -> None:
    told: list[str] = []
    said = account.sync(limit=2)
    while "507" in said.statuses().get(account.visits, ""):
        assert said.texts("//D:error/*") == [""]
        told += [href for href in said.statuses() if href != account.visits]
        said = account.sync(said.token, limit=2)
    told += said.statuses()

    assert sorted(told) == sorted(account.hrefs())
    assert said.token == account.sync().token


def test_what_changes_between_two_pages_is_not_lost(account: Account) -> None:
    first = account.sync(limit=1)
    (seen,) = [href for href in first.statuses() if href != account.visits]
    booking = account.world.booking(_id(seen))
    account.world.change(booking.id, start_at=booking.start_at + timedelta(hours=1), sequence=1)

    said = account.sync(first.token)

    assert set(said.statuses()) == set(account.hrefs())


@pytest.mark.parametrize(
    "bend",
    [
        lambda token: "urn:nothing",
        lambda token: token + "9",  # from the future
        lambda token: token.replace("visit", "invitation"),
        lambda token: token.replace("sync:0", "sync:7"),  # from before a restored backup
        lambda token: token.replace("sync:0.0", "sync:0.1"),  # another calendar's
        lambda token: "http://evil.example/" + token,
        lambda token: token + "." + "0" * 32,
    ],
)
def test_a_token_that_we_never_gave_is_refused_as_programs_understand_it(account: Account, bend: object) -> None:
    """Any other answer makes Thunderbird switch the calendar off."""
    token = account.sync().token

    said = account.sync(bend(token))  # type: ignore[operator]

    assert (said.status, said.condition()) == (403, ["valid-sync-token"])


def test_after_a_restored_backup_old_tokens_are_refused(account: Account) -> None:
    token = account.sync().token
    with account.world.sessions.writing() as session:
        calendars.begin_epoch(session, account.world.now)

    assert account.sync(token).condition() == ["valid-sync-token"]
    assert len(account.sync().statuses()) == 3


def test_open_invitations_have_a_token_of_their_own(account: Account) -> None:
    before = account.sync(path=account.invitations).token
    booking = account.world.booking(_id(account.hrefs()[0]))
    account.world.change(booking.id, start_at=booking.start_at + timedelta(hours=1), sequence=1)

    assert account.sync(path=account.invitations).token == before


@pytest.mark.parametrize("depth", ["0", "1", ""])
def test_thunderbirds_depth_is_taken_too(account: Account, depth: str) -> None:
    said = account.report(
        account.visits, "D:sync-collection", "<D:sync-token/><D:sync-level>1</D:sync-level>", depth=depth
    )
    assert said.status == 207


@pytest.mark.parametrize(
    ("content", "depth"),
    [
        ("<D:sync-token/><D:sync-level>2</D:sync-level><D:prop/>", "0"),
        ("<D:sync-token/><D:sync-level>1</D:sync-level><D:limit><D:nresults>0</D:nresults></D:limit><D:prop/>", "0"),
        ("<D:sync-token/><D:sync-level>1</D:sync-level><D:limit><D:nresults>x</D:nresults></D:limit><D:prop/>", "0"),
        ("<D:sync-token/><D:sync-level>1</D:sync-level><D:limit/><D:prop/>", "0"),
        ("<D:sync-token/><D:sync-level>1</D:sync-level><D:prop/>", "infinity"),
    ],
)
def test_what_cannot_be_meant_is_a_bad_request(account: Account, content: str, depth: str) -> None:
    assert account.report(account.visits, "D:sync-collection", content, depth=depth).status == 400


def _id(href: str) -> UUID:
    return UUID(href.rpartition("/")[2].removesuffix(".ics"))
