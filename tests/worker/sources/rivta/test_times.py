"""Swedish local times without a zone: whatever is written, one documented rule says the instant."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.sources import TimeFlag
from worker.sources.rivta.times import read_time

SWEDEN = ZoneInfo("Europe/Stockholm")
INSTANTS = st.datetimes(
    datetime(1980, 1, 1),  # noqa: DTZ001 - hypothesis wants naive bounds
    datetime(2200, 12, 30),  # noqa: DTZ001
    timezones=st.just(UTC),
).map(lambda instant: instant.replace(microsecond=0))


@pytest.mark.parametrize(
    ("written", "instant", "flag"),
    [
        ("20261124093000", datetime(2026, 11, 24, 8, 30, tzinfo=UTC), TimeFlag.NONE),
        ("202611240930", datetime(2026, 11, 24, 8, 30, tzinfo=UTC), TimeFlag.NONE),
        ("20260701093000", datetime(2026, 7, 1, 7, 30, tzinfo=UTC), TimeFlag.NONE),
        ("20270328015959", datetime(2027, 3, 28, 0, 59, 59, tzinfo=UTC), TimeFlag.NONE),
        ("20270328020000", datetime(2027, 3, 28, 1, 0, tzinfo=UTC), TimeFlag.MISSING_HOUR),
        ("20270328023000", datetime(2027, 3, 28, 1, 30, tzinfo=UTC), TimeFlag.MISSING_HOUR),
        ("20270328030000", datetime(2027, 3, 28, 1, 0, tzinfo=UTC), TimeFlag.NONE),
        ("20261025015959", datetime(2026, 10, 24, 23, 59, 59, tzinfo=UTC), TimeFlag.NONE),
        ("20261025023000", datetime(2026, 10, 25, 0, 30, tzinfo=UTC), TimeFlag.REPEATED_HOUR),
        ("20261025030000", datetime(2026, 10, 25, 2, 0, tzinfo=UTC), TimeFlag.NONE),
        ("20280229120000", datetime(2028, 2, 29, 11, 0, tzinfo=UTC), TimeFlag.NONE),
    ],
)
def test_b36_a_written_time_is_one_instant(written: str, instant: datetime, flag: TimeFlag) -> None:
    read = read_time(written)
    assert (read.at, read.flag) == (instant, flag)
    assert read.at.tzinfo is UTC


@pytest.mark.parametrize(
    "written",
    [
        "",
        "20260229120000",
        "20261301120000",
        "20261200120000",
        "20261124240000",
        "20261124096000",
        "20261124093060",
        "2026112409300",
        "202611240930000",
        "20261124T093000",
        "2026-11-24T09:30:00Z",
        "20261124093000+0100",
        "20261124093000 CEST",
        "TZID=../../etc/passwd:20261124093000",
        "20261124093000.123456789",
        "20261124T",
        "2026W484093000",
        "00010101000000",
        " 0261124093000",
        "18991231235959",
        "22010101000000",
        "99991231235959",
        "２０２６１１２４０９３０００",
    ],
)
def test_b35_b37_b38_an_impossible_time_is_never_guessed_at(written: str) -> None:
    with pytest.raises(ValueError, match=r"^(is|lies)") as caught:
        read_time(written)
    assert not written or written not in str(caught.value)


@given(INSTANTS)
def test_every_instant_comes_back_or_is_the_first_of_its_hour(instant: datetime) -> None:
    read = read_time(instant.astimezone(SWEDEN).strftime("%Y%m%d%H%M%S"))
    if read.flag is TimeFlag.REPEATED_HOUR:
        assert instant - read.at in (timedelta(0), timedelta(hours=1))
    else:
        assert (read.at, read.flag) == (instant, TimeFlag.NONE)


@given(st.datetimes(datetime(1980, 1, 1), datetime(2200, 12, 30)))  # noqa: DTZ001
def test_a_local_time_that_does_not_exist_is_moved_forward_within_its_day(local: datetime) -> None:
    read = read_time(local.strftime("%Y%m%d%H%M%S"))
    shown = read.at.astimezone(SWEDEN).replace(tzinfo=None)
    moved = timedelta(hours=1) if read.flag is TimeFlag.MISSING_HOUR else timedelta(0)
    assert shown == local.replace(microsecond=0) + moved


@given(st.text(max_size=20))
def test_no_text_makes_reading_a_time_fail_in_another_way(text: str) -> None:
    try:
        assert read_time(text).at.tzinfo is UTC
    except ValueError as fault:
        assert str(fault)  # noqa: PT017 - a refusal is as good an answer as a time
