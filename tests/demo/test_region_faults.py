"""Each fault state, aggregated and direct: what went wrong must look as it does on the real platform."""

import time
from datetime import datetime, timedelta

import httpx
import pytest
from lxml import etree

from tests.demo.conftest import AGGREGATOR, PATH, QUESTION, Asker, texts
from worker.demo.region import Waits, start_region

SUBJECT = "204001011234"
SICK = "SE2321000016-1A01"
WELL = "SE2321000016-2B20"
START = "2026-12-01T13:30:00"


@pytest.fixture(autouse=True)
def bookings(asker: Asker) -> None:
    asker.book(id="sick", subject=SUBJECT, facility=SICK, start=START)
    asker.book(id="well", subject=SUBJECT, facility=WELL, start=START)


@pytest.mark.parametrize(
    ("fault", "status", "listed", "code"),
    [
        ("ok", "DataFromSource", ["sick", "well"], []),
        ("timeout", "NoDataSynchFailed", ["well"], ["504"]),
        ("fault", "NoDataSynchFailed", ["well"], ["43000"]),
        ("truncated", "NoDataSynchFailed", ["well"], ["43000"]),
        ("empty", "DataFromSource", ["well"], []),
        ("nostatus", None, ["well"], []),
        ("denied", None, ["well"], []),
    ],
)
def test_one_sick_time_book_in_an_aggregated_answer(
    asker: Asker, fault: str, status: str | None, listed: list[str], code: list[str]
) -> None:
    asker.set_faults(**{SICK: fault})
    answer = asker.ask(SUBJECT)
    assert sorted(texts(answer, "bookingId")) == listed
    assert texts(answer, "code") == code
    assert asker.statuses(SUBJECT) == {WELL: "DataFromSource"} | ({SICK: status} if status else {})


@pytest.mark.parametrize(("fault", "listed"), [("ok", ["sick"]), ("empty", []), ("nostatus", ["sick"])])
def test_direct_answers_that_are_well_formed(asker: Asker, fault: str, listed: list[str]) -> None:
    asker.set_faults(**{SICK: fault})
    assert asker.ids(SUBJECT, SICK) == listed
    assert texts(asker.ask(SUBJECT, SICK), "statusCode") == []


@pytest.mark.parametrize(("fault", "text"), [("fault", "Tekniskt fel"), ("denied", "VP007 ")])
def test_direct_answers_that_are_faults(asker: Asker, fault: str, text: str) -> None:
    asker.set_faults(**{SICK: fault})
    answer = asker.ask(SUBJECT, SICK)
    assert texts(answer, "faultstring")[0].startswith(text)
    assert asker.raw is not None
    assert asker.raw.status_code == 500


@pytest.mark.parametrize(("fault", "text"), [("fault", "VP009 "), ("denied", "VP007 ")])
def test_the_aggregating_service_itself_can_answer_a_fault(asker: Asker, fault: str, text: str) -> None:
    asker.set_faults(**{"*": fault})
    assert texts(asker.ask(SUBJECT), "faultstring")[0].startswith(text)


def test_an_empty_aggregating_service_has_no_records_and_one_without_status_has_no_header(asker: Asker) -> None:
    asker.set_faults(**{"*": "empty"})
    answer = asker.ask(SUBJECT)
    assert (texts(answer, "bookingId"), texts(answer, "statusCode")) == ([], [])
    asker.set_faults(**{"*": "nostatus"})
    answer = asker.ask(SUBJECT)
    assert (len(texts(answer, "bookingId")), texts(answer, "ProcessingStatus")) == (2, [])


@pytest.mark.parametrize(("fault_at", "asked"), [("*", AGGREGATOR), (SICK, SICK), (SICK, SICK.lower())])
def test_an_answer_can_be_cut_off_in_the_middle(asker: Asker, fault_at: str, asked: str) -> None:
    asker.set_faults(**{fault_at: "truncated"})
    with pytest.raises(etree.XMLSyntaxError):
        asker.ask(SUBJECT, asked)


@pytest.mark.parametrize(("fault_at", "asked"), [("*", AGGREGATOR), (SICK, SICK)])
def test_a_silent_connection_breaks_without_an_answer_at_its_limit(asker: Asker, fault_at: str, asked: str) -> None:
    asker.set_faults(**{fault_at: "timeout"})
    began = time.monotonic()
    with pytest.raises(httpx.RemoteProtocolError):
        asker.ask(SUBJECT, asked)
    assert time.monotonic() - began >= 0.5


def test_a_caller_who_gives_up_on_a_silent_connection_does_not_disturb_the_next(asker: Asker) -> None:
    asker.set_faults(**{"*": "timeout"})
    with pytest.raises(httpx.ReadTimeout):
        asker.http.post(PATH, content=QUESTION.format(address=AGGREGATOR, subject=SUBJECT), timeout=0.1)
    asker.set_faults(**{"*": "ok"})
    assert asker.ids(SUBJECT) == ["sick", "well"]


def test_a_region_can_be_stopped_while_callers_are_kept_waiting(now: datetime) -> None:
    running = start_region(lambda: now, citizens=1, waits=Waits(connection=timedelta(seconds=120)))
    with httpx.Client(base_url=running.url, trust_env=False) as client:
        client.put("/control/faults", json={"*": "timeout"})
        with pytest.raises(httpx.ReadTimeout):
            client.post(PATH, content=QUESTION.format(address=AGGREGATOR, subject=SUBJECT), timeout=0.1)
        began = time.monotonic()
        running.stop()
    assert time.monotonic() - began < 5
