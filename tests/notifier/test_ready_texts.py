"""What every clinic starts with: plain, whole, and one SMS part each, whatever the day and the name."""

import locale
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from time import tzname

import pytest

from notifier.offsets import parse_offset
from notifier.ready_texts import RULES, texts
from notifier.sms_text import cost
from notifier.swedish_days import wall_clock
from notifier.visit_words import ToldVisit, values
from notifier.wording import parse, render
from store.purposes import Purpose
from store.templates import Shipped

LINK = "https://www.1177.se"
CANCEL_LINK = "https://paminn.region.se/a/" + "x" * 22  # a longer public address may cost a part
LONGEST_NAME = "Å" * 30
SMS = [text for text in texts() if text.channel == "sms"]
# Every weekday and every month, with two-digit days: the longest dates are among them.
DAYS = [date(2026, 1, 20) + timedelta(days=step) for step in range(0, 366)]


def visit(on: date, clock: time = time(13, 30)) -> ToldVisit:
    start_at = wall_clock(on, clock)
    return ToldVisit(
        start_at=start_at,
        clinic=LONGEST_NAME,
        phone="010-123 45 67",
        deadline_at=start_at - timedelta(days=6),
        was_at=start_at - timedelta(days=7),
        has_preparations=True,
    )


def written(text: Shipped, visits: list[ToldVisit]) -> str:
    now = min(one.start_at for one in visits) - timedelta(days=30)
    return render(parse(text.text, text.purpose), values(visits, text.language, LINK, now, CANCEL_LINK, CANCEL_LINK))


def as_shown(text: Shipped, on: date) -> list[ToldVisit]:
    if not text.name.endswith("_merged"):
        return [visit(on)]
    return [visit(on, time(9)), visit(on, time(10, 30)), visit(on, time(13, 30))]


@pytest.mark.parametrize("text", SMS, ids=lambda text: f"{text.name}-{text.language}")
def test_every_shipped_sms_is_one_part_with_the_longest_values(text: Shipped) -> None:
    for on in DAYS:
        words = written(text, as_shown(text, on))
        assert cost(words).parts == 1, (cost(words).units, words)
        assert cost(words).costly == ()


@pytest.mark.parametrize(
    "text", [text for text in SMS if "obekräftad" in text.text], ids=lambda text: f"{text.name}-{text.language}"
)
def test_the_honest_sentence_fits_too(text: Shipped) -> None:
    for on in DAYS:
        visits = [replace(one, unconfirmed_since=one.start_at - timedelta(days=2)) for one in as_shown(text, on)]
        words = written(text, visits)
        assert cost(words).parts == 1, (cost(words).units, words)
        assert "bekräfta" in words or "confirm" in words


@pytest.mark.parametrize("text", texts(), ids=lambda text: f"{text.name}-{text.channel}-{text.language}")
def test_every_shipped_text_says_when_and_where_and_how_to_act(text: Shipped) -> None:
    words = written(text, as_shown(text, date(2026, 12, 1)))

    assert LINK in words or CANCEL_LINK in words
    assert LONGEST_NAME in words
    assert "1 december" in words.casefold()
    assert "((" not in words
    subject_line = render(parse(text.subject_line, text.purpose), values([visit(date(2026, 12, 1))], "sv", LINK, NOW))
    assert bool(subject_line) == (text.channel == "email")


NOW = datetime(2026, 11, 24, tzinfo=UTC)


def test_each_purpose_in_use_has_words_in_both_languages_and_channels() -> None:
    wanted = {
        Purpose.DEADLINE, Purpose.REMINDER, Purpose.PREPARATIONS, Purpose.CONFIRMATION, Purpose.MOVED, Purpose.GONE,
        Purpose.CANCELLED, Purpose.RESTORED,
    }  # fmt: skip
    for channel in ("sms", "email"):
        for language in ("sv", "en"):
            found = {text.purpose for text in texts() if (text.channel, text.language) == (channel, language)}
            assert found == wanted


def test_every_default_rule_has_words_for_one_and_for_several_visits() -> None:
    names = {text.name for text in texts()}
    for rule in RULES:
        parse_offset(rule.offset)
        words = rule.words or rule.name
        assert {words, f"{words}_merged"} <= names


def test_check_11_the_words_say_swedish_time_whatever_the_hosts_zone() -> None:
    assert (tzname[0], locale.setlocale(locale.LC_TIME)) == ("PST", "C")  # and the host speaks no language
    reminder = next(text for text in SMS if text.name == "day_before" and text.language == "sv")
    told = ToldVisit(datetime(2026, 12, 1, 12, 30, tzinfo=UTC), "Ekens vårdcentral")

    words = render(parse(reminder.text, reminder.purpose), values([told], "sv", LINK, NOW))

    assert words == "Påminnelse: tisdag 1 december kl. 13.30, Ekens vårdcentral. https://www.1177.se"


def test_english_is_said_in_english() -> None:
    gone = next(text for text in SMS if text.name == "gone" and text.language == "en")
    told = ToldVisit(datetime(2026, 12, 1, 12, 30, tzinfo=UTC), "Ekens vårdcentral", phone="010-123 45 67")

    words = render(parse(gone.text, gone.purpose), values([told], "en", LINK, NOW))

    assert words == (
        "Ekens vårdcentral no longer shows your visit Tuesday 1 December, 13:30. "
        "Check with them before you travel: 010-123 45 67. https://www.1177.se"
    )


@pytest.mark.parametrize("text", SMS, ids=lambda text: f"{text.name}-{text.language}")
def test_no_sms_has_two_colons_in_a_row_of_words(text: Shipped) -> None:
    """`..., the clinic: read how to prepare: https://...` reads as a fault."""
    words = written(text, as_shown(text, date(2026, 12, 1)))
    assert words.split(". ")[-1].replace("https://", "").count(": ") <= 1, words
