"""Conditional requests and content coding, as tables."""

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest

from feeds.conditional import accepts_gzip, gzip_etag, http_date, is_unmodified, matching_etag, prefers_html

ETAG = '"7-1"'
CHANGED = datetime(2026, 11, 24, 8, 0, 0, tzinfo=UTC)
NOW = datetime(2026, 11, 24, 9, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "matched"),
    [
        ('"7-1"', ETAG),
        ('W/"7-1"', ETAG),
        ('"7-1-gz"', '"7-1-gz"'),
        ('W/"7-1-gz"', '"7-1-gz"'),
        ('"x", "7-1"', ETAG),
        ('"x","7-1-gz" ', '"7-1-gz"'),
        ("*", ETAG),
        (" * ", ETAG),
        ('"6-1"', None),
        ("7-1", None),
        ('"7-1', None),
        ("", None),
        ('"7-1-gz-gz"', None),
        ("garbage", None),
    ],
)
def test_only_a_tag_of_ours_confirms(header: str, matched: str | None) -> None:
    assert matching_etag(header, ETAG) == matched


def test_the_two_representations_have_different_strong_tags() -> None:
    assert gzip_etag(ETAG) == '"7-1-gz"'


@pytest.mark.parametrize(
    ("header", "unmodified"),
    [
        (http_date(CHANGED), True),
        (http_date(CHANGED + timedelta(minutes=5)), True),
        ("Tuesday, 24-Nov-26 08:00:00 GMT", True),
        ("Tue Nov 24 08:00:00 2026", True),
        (http_date(CHANGED - timedelta(seconds=1)), False),
        (http_date(NOW + timedelta(days=1)), False),
        ("Thu, 01 Jan 1970 00:00:00 GMT", False),
        ("garbage", False),
        ("", False),
        ("Tue, 31 Feb 2026 08:00:00 GMT", False),
        ("Tue, 24 Nov 99999 08:00:00 GMT", False),
        ("0", False),
    ],
)
def test_check_28_garbage_old_and_future_dates_do_not_freeze_a_calendar(header: str, unmodified: bool) -> None:  # noqa: FBT001
    assert is_unmodified(header, CHANGED, NOW) is unmodified


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip", True),
        ("GZIP, deflate, br", True),
        ("x-gzip", True),
        ("deflate, gzip;q=0.5", True),
        ("gzip;q=0.001", True),
        ("*", True),
        ("*;q=0.1", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("*, gzip;q=0", False),
        ("*;q=0", False),
        ("identity", False),
        ("gzip;q=junk", False),
        ("", False),
        ("gzipped", False),
        (",,;;q=,", False),
    ],
)
def test_gzip_only_where_it_is_accepted(header: str, accepted: bool) -> None:  # noqa: FBT001
    assert accepts_gzip(header) is accepted


def test_only_browsers_get_a_page() -> None:
    assert prefers_html("text/html,application/xhtml+xml,*/*;q=0.8")
    assert not prefers_html("*/*")
    assert not prefers_html("text/calendar")
    assert not prefers_html("")


@pytest.mark.parametrize("month", range(1, 13))
def test_a_date_is_written_as_the_standard_library_writes_it(month: int) -> None:
    """A program that cannot read Last-Modified fetches everything, every time."""
    at = datetime(2026, month, month, 3 + month, 7, 9, 999_999, tzinfo=timezone(timedelta(hours=2)))
    assert http_date(at) == format_datetime(at.astimezone(UTC), usegmt=True)
