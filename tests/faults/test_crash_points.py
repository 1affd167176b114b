"""Each place in a delivery's life where a program can die: killed there, and what follows. `tests/README.md` has the
table. All run at once: they mostly wait for leases to run out."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlmodel import select

from store.bookings import Booking
from tests import build
from tests.conftest import NOW
from tests.faults.business_time import BusinessTime
from tests.faults.crash_points import CASES, comes_to, dies_and_is_mended, is_well, killed, left, receipts
from tests.faults.forked import Forked
from tests.faults.ground import Ground, ground
from tests.faults.programs import free_port, is_listening
from tests.faults.promises import engagement
from tests.faults.waiting import wait_until
from tests.faults.wired import set_faults
from tests.stories.town import CENTRE, SWEDEN
from worker.demo.people import MOST_CITIZENS, people
from worker.demo.region import RunningRegion, start_region
from worker.demo.region_state import Booking as CareBooking

pytestmark = pytest.mark.fault

SECONDS = 120.0
PAUSE_SECONDS = 8
COUNT = 2


def a_request_that_the_provider_never_took(folder: Path) -> None:
    """C7: the bytes are out, nobody took them, and then the program dies too."""
    with ground(folder, COUNT, {"uncertain_seconds": 3}) as here:
        set_faults(here.provider_url, drop=1)
        program = here.start("up")
        wait_until(lambda: here.counts().get("uncertain") == COUNT, "nobody to know", seconds=SECONDS)
        program.kill()
        assert here.seen.look() == []
        set_faults(here.provider_url, ok=1)
        here.start("up")
        comes_to(here, {"delivered": COUNT})
        is_well(here, COUNT)


def an_email_after_a_lost_sms_while_programs_die(folder: Path) -> None:
    """C8: a relay cannot be asked, so a reminder that it may have is not sent again, and is said to be unknown."""
    with ground(folder, COUNT, {"by_email": True}) as here:
        first = here.start("up", smtp_port=free_port())
        comes_to(here, {"delivered": 1, "failed": 1, "queued": 1})
        first.kill()
        killed(here, here.start("up", failpoint="C8:kill"))
        here.start("up")
        comes_to(here, {"delivered": 1, "failed": 2})
        assert sorted((one.channel, one.reason) for one in here.promises() if one.state == "failed") == [
            ("email", "unknown"), ("sms", "not_delivered"),
        ]  # fmt: skip
        assert sorted(one.channel for one in here.seen.look()) == ["email", "sms", "sms"]


def a_provider_that_takes_nothing_while_programs_die(folder: Path) -> None:
    """C10: the first attempt was clearly refused, so the other provider may take over, whoever's attempt it becomes."""
    with ground(folder, COUNT, {"sms_by": "both", "twilio_share": 100}) as here:
        set_faults(here.provider_url, provider="twilio", **{"429": 1})
        killed(here, here.start("up", failpoint="C10:kill"))
        assert left(here).tries == ("unreachable",)
        here.start("up")
        comes_to(here, {"delivered": COUNT})
        is_well(here, COUNT)


def a_receipt_whose_web_process_dies(point: str, stored: int, folder: Path) -> None:
    """C11, C12: the provider reports again, and one copy counts."""
    with ground(folder, COUNT, {"receipt_seconds": 30}) as here:  # else a question finds out before
        web = here.start("web", failpoint=f"{point}:kill")
        wait_until(lambda: is_listening(here.port), "the web process", seconds=SECONDS)
        worker = here.start("up", port=free_port())
        killed(here, web)
        worker.kill()
        assert receipts(here)[0] == stored
        here.start("web")
        here.start("up", port=free_port())
        comes_to(here, {"delivered": COUNT})
        is_well(here, COUNT)


def a_worker_dies_while_it_applies_a_receipt(folder: Path) -> None:
    """C13."""
    with ground(folder, COUNT) as here:
        killed(here, here.start("up", failpoint="C13:kill"))
        stored, due = receipts(here)
        assert stored == due > 0
        here.start("up")
        comes_to(here, {"delivered": COUNT})
        is_well(here, COUNT)


def a_worker_that_stands_still(point: str, at: dict[str, int], folder: Path, *, is_stopped: bool) -> None:
    """C14 and SIGSTOP: it outlives its lease, another one does its work, and then it goes on."""
    with ground(folder, COUNT) as here:
        slow = here.start("up", failpoint=f"{point}:pause={PAUSE_SECONDS}")
        wait_until(lambda: left(here).held > 0 and here.counts() == at, "it to stand still", seconds=SECONDS)
        if is_stopped:
            stopped(here, slow)
        port = free_port()
        here.start("up", port=port, public_url=f"http://127.0.0.1:{port}")
        wait_until(lambda: not here.is_moving(), "the other one to do the work", seconds=SECONDS)
        slow.go_on()
        comes_to(here, {"delivered": COUNT})
        wait_until(lambda: is_listening(here.port), "its web server", seconds=SECONDS)
        assert slow.terminate() == 0, slow.last_words()
        is_well(here, COUNT)


def stopped(here: Ground, program: Forked) -> None:
    """SIGSTOP, at a moment when it does not hold SQLite's one write lock: then nobody could work."""
    program.stop()
    while not may_write(here):
        program.go_on()
        wait_until(lambda: may_write(here), "it to let go of the write lock", seconds=SECONDS)
        program.stop()


def may_write(here: Ground) -> bool:
    with closing(sqlite3.connect(here.folder / "kallelse.db", timeout=0.2, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        return True


def an_answer_that_is_not_stored(folder: Path) -> None:
    """C0, C1: a booking that a source told of, and the confirmation planned for it."""
    with town(folder) as (here, region):
        known = here.start("up")
        wait_until(lambda: bookings(here) == 1, "the old booking to be known", seconds=SECONDS)
        known.kill()
        region.state.add(care_booking(here.time, "NEW", days=5))
        killed(here, here.start("up", failpoint="C0:kill"))
        assert (bookings(here), here.counts()) == (1, {})
        killed(here, here.start("up", failpoint="C1:kill"))
        assert (bookings(here), here.counts(), here.seen.look()) == (2, {"queued": 1}, [])
        here.start("up")
        comes_to(here, {"delivered": 1})
        assert bookings(here) == 2
        is_well(here, 1)


def a_visit_that_is_called_off_while_it_is_told(point: str, folder: Path, *, may_be_silent: bool) -> None:
    """C15: before its attempt it is not told at all, if that is known in time; after it, a correction follows."""
    with town(folder) as (here, region):
        known = here.start("up")
        wait_until(lambda: bookings(here) == 1, "the old booking to be known", seconds=SECONDS)
        known.kill()
        region.state.add(care_booking(here.time, "NEW", days=5))
        slow = here.start("up", failpoint=f"{point}:pause={PAUSE_SECONDS}", lease_seconds=30)
        wait_until(lambda: left(here).held == 1, "the confirmation to be in hand", seconds=SECONDS)
        region.state.cancel("NEW")
        ends = [{"delivered": 2}, *([{"skipped": 1}] if may_be_silent else [])]
        wait_until(lambda: here.counts() in ends, "it to be told with its correction, or not at all", seconds=SECONDS)
        assert slow.terminate() == 0, slow.last_words()
        is_well(here, sum(here.counts().values()), skipped=here.counts().get("skipped", 0))


SCENARIOS: dict[str, Callable[[Path], None]] = {
    **{name: partial(dies_and_is_mended, case) for name, case in CASES.items()},
    "C0 and C1": an_answer_that_is_not_stored,
    "C15, before its attempt": partial(a_visit_that_is_called_off_while_it_is_told, "C5", may_be_silent=True),
    "C15, after its attempt": partial(a_visit_that_is_called_off_while_it_is_told, "C8", may_be_silent=False),
    "C7": a_request_that_the_provider_never_took,
    "C8, the e-mail after a lost SMS": an_email_after_a_lost_sms_while_programs_die,
    "C10, the other provider takes over": a_provider_that_takes_nothing_while_programs_die,
    "C11": partial(a_receipt_whose_web_process_dies, "C11", 0),
    "C12": partial(a_receipt_whose_web_process_dies, "C12", 1),
    "C13": a_worker_dies_while_it_applies_a_receipt,
    "C14, stopped before its attempt": partial(a_worker_that_stands_still, "C5", {"queued": 2}, is_stopped=True),
    "C14, stopped after its attempt": partial(
        a_worker_that_stands_still, "C6", {"queued": 1, "sending": 1}, is_stopped=True
    ),
    "C14, asleep after its attempt": partial(
        a_worker_that_stands_still, "C6", {"queued": 1, "sending": 1}, is_stopped=False
    ),
}


def test_whoever_dies_wherever_nothing_is_lost_and_nobody_told_twice(tmp_path: Path, sqlite_template: Path) -> None:
    with ThreadPoolExecutor(len(SCENARIOS)) as pool:
        under_way = {
            name: pool.submit(act, _made(tmp_path / str(place), sqlite_template))
            for place, (name, act) in enumerate(SCENARIOS.items())
        }
    failed = {name: one.exception() for name, one in under_way.items() if one.exception() is not None}
    assert failed == {}


@contextmanager
def town(folder: Path) -> Iterator[tuple[Ground, RunningRegion]]:
    """One person with one booking in a region that is asked every second, and a clinic whose facility is known."""
    time = BusinessTime(NOW, datetime.now(UTC))
    region = start_region(time.now, citizens=1)
    for booking in region.cast.bookings:
        region.state.cancel(booking.id)
    region.state.add(care_booking(time, "OLD", days=4))
    (folder / "sources.toml").write_text(
        f'[[source]]\nname = "region"\nurl = "{region.url}/vp"\nlogical_address = "5565594230"\n'
    )
    settings = {
        "sources": folder / "sources.toml",
        "poll_near_seconds": 1,
        "poll_usual_seconds": 1,
        "poll_timeout_seconds": 1,
        "settle_seconds": 0,
        "second_look_seconds": 1,
    }
    try:
        with ground(folder, 0, settings, time=time) as here:
            with here.sessions.writing() as session:
                clinic = build.clinic(session, time.now())
                build.facility(session, clinic_id=clinic.id, cancel_deadline="")
                engagement(session, here.vault, time.now(), 0).next_poll_at = time.now()
            yield here, region
    finally:
        region.stop()


def care_booking(time: BusinessTime, name: str, *, days: int) -> CareBooking:
    start_at = time.now().astimezone(SWEDEN) + timedelta(days=days)
    return CareBooking(
        id=name, subject=people(MOST_CITIZENS)[0].identity, facility=CENTRE, start_at=start_at,
        end_at=start_at + timedelta(minutes=30), time_type="LAKARE", time_type_name="Läkarbesök",
    )  # fmt: skip


def bookings(here: Ground) -> int:
    with here.sessions.reading() as session:
        return len(session.exec(select(Booking.id)).all())


def _made(folder: Path, template: Path) -> Path:
    folder.mkdir()
    shutil.copy(template, folder / "kallelse.db")
    return folder
