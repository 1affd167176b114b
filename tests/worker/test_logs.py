"""Logs: what is not on the list is not written, whoever writes it."""

import json
import logging
from collections.abc import Callable, Iterator

import pytest
import structlog

from tests.people import ANNA
from worker.logs import configure_logs

Lines = Callable[[], list[dict[str, object]]]


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("apscheduler").setLevel(logging.NOTSET)


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    configure_logs("json")
    return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_field_that_is_not_listed_is_not_written(lines: Lines) -> None:
    structlog.get_logger().info("worked", kind="poll", count=3, phone=ANNA.phone, text="Din tid", subject_number=1)

    (line,) = lines()
    assert {name: line[name] for name in ("event", "kind", "count", "level")} == {
        "event": "worked",
        "kind": "poll",
        "count": 3,
        "level": "info",
    }
    assert set(line) == {"event", "kind", "count", "level", "timestamp"}


def test_a_listed_field_takes_plain_values_only(lines: Lines) -> None:
    structlog.get_logger().error("work_failed", error=ValueError("x"), kind=["poll"], reason={"a": 1})

    assert set(lines()[0]) == {"event", "level", "timestamp"}


@pytest.mark.parametrize(
    "personal",
    [
        ANNA.number,
        f"{ANNA.number[:8]}-{ANNA.number[8:]}",
        f"{ANNA.number[2:8]}-{ANNA.number[8:]}",
        f"{ANNA.number[2:8]}+{ANNA.number[8:]}",
        "+46701740605",
        "070-174 06 05",
        "0701740605",
        "anna@example.se",
    ],
)
def test_a_person_in_a_listed_field_is_caught_by_the_net(lines: Lines, personal: str) -> None:
    structlog.get_logger().warning("odd", meaning=f"no answer for {personal}, try later")

    (line,) = lines()
    assert line["meaning"] in ("no answer for [removed], try later", "no answer for [removed] try later")


@pytest.mark.parametrize(
    "ours", ["SE2321000016-1A01", "01a206b5-ca55-7cf9-8036-32bf2ca86384", "VP007", "/f/<token>.ics", "2026-11-23"]
)
def test_our_own_ids_pass_the_net(lines: Lines, ours: str) -> None:
    structlog.get_logger().warning("odd", address=ours)

    assert lines()[0]["address"] == ours


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_value_cannot_forge_a_line_or_steer_a_terminal(capsys: pytest.CaptureFixture[str], log_format: str) -> None:
    configure_logs(log_format)
    structlog.get_logger().warning("odd", meaning='x\n{"event": "all_is_well"}\r\x1b[2J\u202e\u2028' + "y" * 5000)

    written = capsys.readouterr().err
    assert written.count("\n") == 1
    assert not {"\r", "\x1b", "\u202e", "\u2028"} & set(written)
    assert len(written) < 600


def test_a_librarys_line_keeps_its_name_and_loses_its_text(lines: Lines) -> None:
    log = logging.getLogger("httpx")
    try:
        raise ConnectionError(f"no route to {ANNA.phone}")
    except ConnectionError:
        log.exception("POST /Messages To=%s", ANNA.phone)
    log.warning("retrying %s", ANNA.email)
    log.info("HTTP Request: POST https://api.example/%s", ANNA.number)

    failed, warned = lines()
    assert (failed["event"], failed["logger"], failed["error"]) == ("library_error", "httpx", "ConnectionError")
    assert (warned["event"], warned["logger"], warned["error"]) == ("library_warning", "httpx", "")


def test_debug_lines_are_not_written(lines: Lines) -> None:
    structlog.get_logger().debug("detail", kind="poll")

    assert lines() == []
