"""Eight independent readers understand the same of every calendar, and exactly what was meant."""

import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from feeds.ical import Happening, calendar, component, lines, one_line
from feeds.levels import Mode, Place, Shown, Visit, shown
from store.leaflets import from_plain
from store.level import Level
from store.standing import Standing
from tests.clients.conftest import Account
from tests.clients.readers import READERS, Found, Meaning, Reader, calcurse_keeps, missing
from tests.feeds.test_ical import HOSTILE, happening

STOCKHOLM = ZoneInfo("Europe/Stockholm")
HOUR = timedelta(hours=1)
WORDS = (
    *(
        "Bokad",
        "tid",
        "Läkarbesök;",
        "Ekens",
        "vårdcentral,",
        "plan",
        "3",
        ":kolon=",
        "100%",
        "<b>",
        "&amp;",
        "'",
        "🩺",
    ),
    *("ﬁ", "a\u0308", '"citat"', "^n", "\\", "C:\\new\\Norr", "\\,", "\\;", "\\\\n", "\\\\\\N"),
)
BEGUN = datetime(2026, 1, 1, 7, tzinfo=UTC)
CLOCK_CHANGES = (
    datetime(2026, 3, 29, 0, 59, tzinfo=UTC), datetime(2026, 3, 29, 1, tzinfo=UTC),
    datetime(2026, 10, 24, 23, 30, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
    datetime(2026, 10, 25, 1, tzinfo=UTC), datetime(2027, 3, 28, 1, 30, tzinfo=UTC),
)  # fmt: skip


def words(draw: random.Random, longest: int) -> str:
    breaks = draw.choices([" ", " ", " ", "\n", "\r\n"], k=longest)
    return "".join(draw.choice(WORDS) + breaks[place] for place in range(draw.randrange(1, longest)))


def any_happening(draw: random.Random, number: int) -> Happening:
    start_at = draw.choice((*CLOCK_CHANGES, BEGUN + timedelta(minutes=5 * draw.randrange(200_000))))
    length = draw.choice((None, timedelta(minutes=15), timedelta(minutes=45), timedelta(days=3)))
    return happening(
        start_at,
        uid=f"d{number}:{draw.randrange(10**9)}@kallelse",
        sequence=draw.randrange(12),
        end_at=None if length is None else start_at + length,
        standing=draw.choice([Standing.BOOKED, *Standing]),
        is_confirmed_gone=draw.random() < 0.5,
        shown=Shown(
            f"Bokad tid, {words(draw, 8)}",  # as ours do: node-ical takes quotes around a whole text away
            f"Mottagning {words(draw, 6)}" * draw.randrange(2),
            f"Avboka {words(draw, 60)}",
            "https://www.1177.se",
        ),
        alarms=draw.choice([(), (HOUR,), (timedelta(days=1), timedelta(minutes=30)), (timedelta(days=14),)]),
    )


def hostile(text: str, number: int) -> Happening:
    """Everything that a clinic may fill in, filled in with this."""
    visit = Visit(
        Standing.BOOKED, Mode.ON_SITE, time_type=text, performer=text, resource=text, preparations=from_plain(text)
    )
    place = Place(text, text, text, is_sensitive=False)
    return happening(
        uid=f"h{number}", shown=shown(visit, place, Level.FULL, "sv", "https://www.1177.se"), alarms=(HOUR,)
    )


def whole(happenings: list[Happening]) -> bytes:
    return calendar("Bokade tider", "Tider kan saknas, här; och där.", HOUR, [component(one) for one in happenings])


def meant(one: Happening) -> Meaning:
    """Worked out without reading a calendar."""
    ended = one.standing in (Standing.CANCELLED, Standing.GONE)
    status = "CONFIRMED"
    if ended:
        status = "CANCELLED" if one.standing is Standing.CANCELLED or one.is_confirmed_gone else "TENTATIVE"
    return Meaning(
        one.uid,
        one.start_at,
        one.end_at,
        one_line(one.shown.summary),
        one_line(one.shown.location),
        lines(one.shown.description),
        status,
        one.sequence,
        () if ended else tuple(sorted(round(-before.total_seconds()) for before in one.alarms)),
    )


@pytest.fixture(scope="module")
def calendars() -> Mapping[str, list[Happening]]:
    draw = random.Random(29)
    made = [any_happening(draw, number) for number in range(120)]
    tried = [hostile(text, number) for number, text in enumerate(HOSTILE)]
    alone = {f"alone-{number}": [one] for number, one in enumerate(made[:40] + tried)}
    in_clock_changes = [happening(at, uid=f"c{at}", end_at=at + HOUR) for at in CLOCK_CHANGES]
    return {**alone, "whole": made, "hostile": tried, "none": [], "clock-changes": in_clock_changes}


@pytest.fixture(scope="module")
def folder(calendars: Mapping[str, list[Happening]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    made = tmp_path_factory.mktemp("calendars")
    for name, happenings in calendars.items():
        (made / name).write_bytes(whole(happenings))
    return made


def found_by(reader: Reader, folder: Path) -> Found:
    if why := reader.missing():
        pytest.skip(why)
    return reader.read(folder)


def test_there_are_eight_readers() -> None:
    assert len({one.name for one in READERS}) == 8


@pytest.mark.parametrize("reader", READERS, ids=lambda one: one.name)
def test_b29_b34_every_reader_understands_what_was_meant(
    reader: Reader, calendars: Mapping[str, list[Happening]], folder: Path
) -> None:
    found = found_by(reader, folder)

    assert {name: sorted(found.get(name, [])) for name in calendars} == {
        name: sorted(meant(one) for one in happenings) for name, happenings in calendars.items()
    }


def test_two_thousand_events_are_read_by_all(tmp_path: Path) -> None:
    """By all but ics.py, whose time grows with the square: 14 seconds."""
    many = [happening(BEGUN + timedelta(hours=number), uid=f"d{number}", alarms=(HOUR,)) for number in range(2000)]
    (tmp_path / "many").write_bytes(whole(many))
    expected = sorted(meant(one) for one in many)
    asked = [one for one in READERS if one.name != "ics.py" and not one.missing()]

    assert [one.name for one in asked if sorted(one.read(tmp_path)["many"]) != expected] == []


def test_each_visit_of_the_account_alone_says_what_the_feed_says(account: Account, tmp_path: Path) -> None:
    whole, alone = (tmp_path / name for name in ("whole", "alone"))
    for folder, files in ((whole, {"feed": account.feed().content}), (alone, account.objects())):
        folder.mkdir()
        for name, body in files.items():
            (folder / name).write_bytes(body)
    (expected,) = READERS[0].read(whole).values()

    assert len(expected) > 5
    assert any("ATTENDEE:mailto" in one.description for one in expected)  # the clinic's words, as words
    for reader in READERS:
        if not reader.missing():
            assert sorted(reader.read(whole)["feed"]) == sorted(expected), reader.name
            assert sorted(one for (one,) in reader.read(alone).values()) == sorted(expected), reader.name


def test_calcurse_imports_every_event_with_its_time_and_words(
    calendars: Mapping[str, list[Happening]], folder: Path, tmp_path: Path
) -> None:
    """A ninth reader, which keeps only a part: no UID, no status, no number; a cancelled visit shows by its summary."""
    if why := missing("calcurse"):
        pytest.skip(why)
    for name in ("whole", "hostile", "clock-changes"):
        kept = calcurse_keeps(folder / name, tmp_path / name)
        asked = [meant(one) for one in calendars[name]]

        assert sorted(kept) == sorted(
            (one.start, one.end or one.start, one.summary, one.location, one.description) for one in asked
        )
