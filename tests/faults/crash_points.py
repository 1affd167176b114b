"""What lies in the database when a program has been killed at a failpoint, and what comes of it afterwards.

Each case has a folder, a database and a provider of its own, so that all of them can run at once: they mostly wait.
"""

from dataclasses import dataclass, field
from pathlib import Path

from sqlmodel import col, func, select

from store.deliveries import Attempt, Delivery, Receipt
from tests.faults.forked import Forked
from tests.faults.ground import Ground, ground
from tests.faults.invariants import Evidence, violations
from tests.faults.programs import free_port
from tests.faults.waiting import wait_until

DELIVERIES = 2
_SECONDS = 120.0  # all cases run at once, beside other tests
_UNHURRIED = {"lease_seconds": 9, "provider_connect_seconds": 1, "provider_read_seconds": 3}  # the machine is busy
_TOLD = {"delivered": DELIVERIES}


@dataclass(frozen=True)
class Left:
    """What a killed program leaves behind: `held` under its lease, attempts by outcome, what the provider has."""

    states: dict[str, int]
    held: int = 0
    tries: tuple[str, ...] = ()
    messages: int = 0


@dataclass(frozen=True)
class Case:
    """A row of the table. `program` dies where it is armed; `left` is what must then lie there. `settings` hold for all
    programs of the case."""

    armed: str
    left: Left
    program: str = "up"
    settings: dict[str, object] = field(default_factory=dict)
    is_heard: bool = True  # whether receipts come in


QUEUED = {"queued": DELIVERIES}
ONE_SENDING = {"queued": DELIVERIES - 1, "sending": 1}
CASES = {
    "C2": Case("C2:kill", Left(QUEUED), "clock", {"broker_url": "redis://127.0.0.1:1"}),
    "C4": Case("C4:kill", Left(QUEUED)),
    "C5": Case("C5:kill", Left(QUEUED, held=2)),
    "C6": Case("C6:kill", Left(ONE_SENDING, held=2, tries=("open",))),
    "C6, by 46elks": Case("C6:kill", Left(ONE_SENDING, held=2, tries=("open",)), settings={"sms_by": "46elks"}),
    "C8, told by its receipt": Case("C8:kill", Left(ONE_SENDING, held=2, tries=("open",), messages=1)),
    "C8, told by the provider when asked": Case(
        "C8:kill", Left(ONE_SENDING, held=2, tries=("open",), messages=1), is_heard=False
    ),
    "C8, by 46elks, told by its report": Case(
        "C8:kill", Left(ONE_SENDING, held=2, tries=("open",), messages=1), settings={"sms_by": "46elks"}
    ),
    "C8, by 46elks, told by it when asked": Case(
        "C8:kill",
        Left(ONE_SENDING, held=2, tries=("open",), messages=1),
        settings={"sms_by": "46elks"},
        is_heard=False,
    ),
    "C9": Case("C9:kill", Left(ONE_SENDING, held=2, tries=("open",), messages=1)),
    "C9, by either": Case(
        "C9:kill", Left(ONE_SENDING, held=2, tries=("open",), messages=1), settings={"sms_by": "both"}
    ),
    "C10": Case("C10:kill", Left({"accepted": 1, "queued": 1}, held=1, tries=("accepted",), messages=1)),
}


def dies_and_is_mended(case: Case, folder: Path) -> None:
    """Kills the program where the case says, and lets another one finish the work."""
    astray = {} if case.is_heard else {"public_url": f"http://127.0.0.1:{free_port()}"}
    with ground(folder, DELIVERIES, {**_UNHURRIED, **case.settings, **astray}) as here:
        killed(here, here.start(case.program, failpoint=case.armed))
        assert left(here) == case.left
        here.environment.pop("KALLELSE_BROKER_URL", None)
        here.start("up")
        comes_to(here, _TOLD)
        is_well(here, DELIVERIES, heard=case.is_heard)


def killed(here: Ground, program: Forked) -> None:
    """Waits until it has died of its failpoint."""
    wait_until(lambda: program.exit_code is not None, "the program to reach its failpoint", seconds=_SECONDS)
    assert program.was_killed, program.last_words()


def comes_to(here: Ground, states: dict[str, int]) -> None:
    try:
        wait_until(lambda: here.counts() == states, f"{states}", seconds=_SECONDS)
    except AssertionError as error:
        raise AssertionError(f"{error}; there are {here.counts()}: {here.promises()}") from error


def is_well(here: Ground, promised: int, *, heard: bool = True, skipped: int = 0) -> None:
    """All that must hold at rest; all but those skipped were told."""
    wait_until(lambda: not any(one.is_claimed for one in here.promises()), "nothing to be held", seconds=_SECONDS)
    also = frozenset({"skipped"}) if skipped else frozenset()
    found = Evidence(promised, here.promises(), here.seen.look(), here.time, heard=heard, also=also)
    assert violations(found) == []
    assert len(found.messages) == promised - skipped


def left(here: Ground) -> Left:
    with here.sessions.reading() as session:
        outcomes = session.exec(select(Attempt.outcome).order_by(col(Attempt.id))).all()
        held = session.exec(select(func.count()).where(col(Delivery.claimed_until).is_not(None))).one()
    tries = tuple("open" if one is None else str(one) for one in outcomes)
    return Left(here.counts(), held, tries, len(here.seen.look()))


def receipts(here: Ground) -> tuple[int, int]:
    """How many are stored, and how many of them not yet applied."""
    with here.sessions.reading() as session:
        stored = session.exec(select(func.count()).select_from(Receipt)).one()
        due = session.exec(select(func.count()).where(col(Receipt.due_at).is_not(None))).one()
    return stored, due
