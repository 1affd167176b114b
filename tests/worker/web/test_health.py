"""What a monitor sees of a whole town: red when something stands still, figures that add up, and nobody's data."""

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from sqlmodel import text

from store import heartbeats, pauses
from store.heartbeats import Part
from store.identifiers import new_id
from tests.faults.waiting import wait_until
from tests.stories.conftest import here as here
from tests.stories.test_bookings import at
from tests.stories.town import Town
from tests.stories.town import get as get_from
from worker.actors import Kind
from worker.demo.region_state import Fault
from worker.kept import Kept, NoAnswer
from worker.web.app import build_app
from worker.wiring import Wiring

TOKEN = "hemligt-4711-hemligt"


def get(wiring: Wiring, path: str, **headers: str) -> httpx.Response:
    """As asked from this very machine, by a process that has just been started."""
    app = build_app(wiring)
    try:
        return get_from(app, path, **headers)
    finally:
        app.close()


def living(here: Town, *parts: Part) -> None:
    with here.wiring.sessions.writing() as session:
        for part in parts:
            heartbeats.note(session, new_id(), part, "1.0")


def ill(here: Town) -> dict[str, str]:
    answer = get(here.wiring, "/health/ready")
    found = {one["what"]: one["meaning"] for one in answer.json()["findings"] if not one["is_well"]}
    assert (answer.status_code, answer.json()["is_well"]) == ((503, False) if found else (200, True))
    return found


def samples(wiring: Wiring) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(get(wiring, "/metrics").text)
    return {(one.name, tuple(sorted(one.labels.items()))): one.value for each in families for one in each.samples}


@pytest.fixture
def lived(here: Town) -> Town:
    """A town in which somebody has been told of a visit."""
    anna, *_ = here.enrol(2)
    here.book(anna, at(9, 10), "OLD")
    here.poll()
    here.book(anna, at(10, 13), "NEW")
    here.poll()
    here.wait(timedelta(minutes=3))
    assert here.told(anna)
    return here


def test_a_process_that_answers_is_live_whatever_the_database_does(here: Town) -> None:
    here.wiring.sessions.close()
    with here.wiring.sessions.engine.begin() as connection:
        connection.execute(text("drop table heartbeats"))
    answer = get(here.wiring, "/health/live")

    assert (answer.status_code, answer.text, answer.headers["cache-control"]) == (200, "ok\n", "no-store")


def test_a_town_at_rest_is_ready_and_each_process_that_is_missing_makes_it_red(lived: Town) -> None:
    assert ill(lived).keys() == set(Part)
    living(lived, *Part)
    assert ill(lived) == {}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_monitors_may_ask_by_head_and_nobody_keeps_the_answer(here: Town, method: str) -> None:
    app = build_app(here.wiring)

    async def fetch() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://kallelse.test") as client:
            return await client.request(method, "/health/ready")

    answer = asyncio.run(fetch())
    app.close()
    assert (answer.status_code, answer.headers["cache-control"]) == (503, "no-store")


def test_a_dead_source_is_red_until_it_answers_again(lived: Town) -> None:
    lived.fail("*", Fault.FAULT)
    lived.poll()
    lived.wait(timedelta(minutes=2))
    living(lived, *Part)
    assert ill(lived).keys() == {"answers: region"}

    lived.fail("*", Fault.OK)
    lived.wait(timedelta(hours=2))
    assert "answers: region" not in ill(lived)


def test_what_is_due_and_not_done_is_red(lived: Town) -> None:
    anna = lived.enrol(1)[0]
    lived.book(anna, at(27, 9), "B2")
    lived.poll()
    lived.clock.forward(lived.now + timedelta(days=1))

    assert {"due: poll", "due: plan"} <= ill(lived).keys()


def test_a_pause_is_said_and_is_no_alarm(lived: Town) -> None:
    living(lived, *Part)
    with lived.wiring.sessions.writing() as session:
        pauses.pause(session, lived.now)
    answer = get(lived.wiring, "/health/ready").json()

    assert answer["is_well"]
    assert "sending" in [one["what"] for one in answer["findings"] if one["warns"]]
    assert samples(lived.wiring)["kallelse_paused", ()] == 1


def test_a_database_that_cannot_be_read_and_a_schema_that_is_too_old_are_red(here: Town) -> None:
    with here.wiring.sessions.engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '0001'"))
    assert "kallelse migrate" in ill(here)["database"]
    with here.wiring.sessions.engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
        connection.execute(text("alter table engagements rename to lost"))

    assert "KALLELSE_DATABASE_URL" in ill(here)["database"]
    assert get(here.wiring, "/metrics").status_code == 503


def test_the_figures_add_up_to_what_was_planned(lived: Town) -> None:
    found = samples(lived.wiring)
    stand = {labels: value for (name, labels), value in found.items() if name == "kallelse_deliveries_last_day"}

    assert sum(stand.values()) == found["kallelse_planned_last_day", ()] == len(lived.deliveries()) > 0
    tried = sum(value for (name, _), value in found.items() if name == "kallelse_attempts_last_hour")
    assert tried == len(lived.providers.messages())
    assert found["kallelse_due_unsent_oldest_seconds", ()] == 0
    assert found["kallelse_source_silent_seconds", (("source", "region"),)] == 0


def test_labels_take_only_values_of_ours(lived: Town) -> None:
    labels = {label for _, labels in samples(lived.wiring) for label in labels}
    names = {name for name, _ in labels}

    assert names - {"reason"} == {"kind", "purpose", "state", "provider", "outcome", "source", "finding", "version"}
    assert {value for name, value in labels if name == "kind"} <= {*map(str, Kind), *map(str, Part)}
    assert {value for name, value in labels if name == "provider"} <= {"twilio", "46elks", "smtp", "paper"}
    assert {value for name, value in labels if name == "source"} == {"region"}


def test_nobodys_data_is_in_the_figures_or_findings(lived: Town) -> None:
    people = lived.enrol(2)
    token = lived.address(people[0]).removeprefix("/f/").removesuffix(".ics")
    shown = get(lived.wiring, "/metrics").text + get(lived.wiring, "/health/ready").text

    for person in people:
        for personal in (person.identity, person.identity[2:], person.phone, person.phone[3:], person.email):
            assert not personal or personal not in shown
    assert token not in shown
    assert str(lived.subject_id(people[0])) not in shown


@pytest.mark.parametrize(
    "header", [{"x-forwarded-for": "127.0.0.1"}, {"forwarded": "for=127.0.0.1"}, {"via": "1.1 proxy"}]
)
def test_whoever_comes_by_a_proxy_sees_only_whether_all_is_well(here: Town, header: dict[str, str]) -> None:
    ready = get(here.wiring, "/health/ready", **header)

    assert (ready.status_code, ready.json()) == (503, {"is_well": False})
    assert get(here.wiring, "/metrics", **header).status_code == 404


def test_with_a_token_it_alone_opens(here: Town) -> None:
    configuration = here.wiring.configuration
    settings = configuration.settings.model_copy(update={"metrics_token": SecretStr(TOKEN)})
    guarded = replace(here.wiring, configuration=replace(configuration, settings=settings))

    refused = get(guarded, "/metrics")
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
    assert get(guarded, "/metrics", authorization="Bearer nearly").status_code == 401
    assert get(guarded, "/health/ready").json() == {"is_well": False}
    shown = get(guarded, "/metrics", authorization=f"Bearer {TOKEN}", **{"x-forwarded-for": "10.1.2.3"})
    assert shown.status_code == 200
    assert TOKEN not in shown.text


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    may_go_on = threading.Event()
    yield may_go_on
    may_go_on.set()


def test_a_storm_of_probes_asks_once(gate: threading.Event) -> None:
    asked: list[float] = []

    def find() -> int:
        asked.append(time.monotonic())
        gate.wait(20)
        return len(asked)

    kept = Kept(find, seconds=3600)
    answers: list[int] = []
    probes = [threading.Thread(target=lambda: answers.append(kept())) for _ in range(20)]
    for probe in probes:
        probe.start()
    wait_until(lambda: bool(asked), "the first to ask")
    gate.set()
    for probe in probes:
        probe.join(20)
    assert answers == [1] * 20


def test_an_old_answer_is_not_kept() -> None:
    now, asked = [0.0], iter(range(10))
    kept = Kept(lambda: next(asked), seconds=1, monotonic=lambda: now[0])

    assert (kept(), kept()) == (0, 0)
    now[0] = 1.0
    assert kept() == 1


def test_nobody_waits_for_ever_for_a_database_that_hangs(gate: threading.Event) -> None:
    begun = threading.Event()

    def hang() -> None:
        begun.set()
        gate.wait(20)

    kept = Kept(hang, patience=0.01)
    first = threading.Thread(target=kept)
    first.start()
    assert begun.wait(20)
    with pytest.raises(NoAnswer):
        kept()
    gate.set()
    first.join(20)
