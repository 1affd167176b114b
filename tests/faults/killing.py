"""kill -9 at random moments while deliveries go out through a provider that goes wrong in every way it can, and what
the ledger and the provider's own list say afterwards."""

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.faults import procfile
from tests.faults.forked import Forked
from tests.faults.ground import Ground
from tests.faults.invariants import Evidence, Promise, illegal_moves, mistold, violations
from tests.faults.programs import is_listening
from tests.faults.promises import lost_among
from tests.faults.waiting import wait_until
from tests.faults.wired import set_faults

MIX = {
    "ok": 86, "slow": 2, "429": 2, "500_before": 2, "500_after": 2, "reset": 2, "hang": 1, "drop": 1, "junk": 2,
}  # fmt: skip
FAILING = {"ok": 74, "429": 16, "500_after": 4, "reset": 4, "junk": 2}
_SPREAD = 0.05  # seconds: the moment itself is anywhere within the sending of a message
_SAID_EVERY = 10.0  # seconds
_MOST_ENDS = 5  # of a program by itself
_LOOK_SECONDS = 1e-5  # between two looks at the ledger, for each delivery in it: they are not to be all the load
_SHOWN = 10  # violations; the rest is counted
_IN_SIGHT = 1000  # promises: up to so many the whole ledger is compared at every kill

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What is to happen. `upsets`: what else breaks, by the share of deliveries that have gone out by then."""

    seed: int
    deliveries: int
    kills: int
    mix: Mapping[str, float] = field(default_factory=lambda: MIX)
    can_ask: bool = True  # whether the provider answers questions about messages
    hears: bool = True  # whether its receipts come
    upsets: Sequence[tuple[float, str, Callable[[], None]]] = ()
    worse: Mapping[str, float] | None = None  # by Twilio, while 46elks has the mix
    goes_on: bool = False  # whether what does not arrive goes on by e-mail
    rest_seconds: float = 150.0

    @property
    def is_deaf(self) -> bool:
        """Whether nothing tells what became of a message once it has been handed over."""
        return not (self.can_ask or self.hears)


@dataclass(frozen=True)
class Outcome:
    """What is left when everything is at rest."""

    plan: Plan
    found: Evidence
    wrong: Sequence[str]
    killed: Counter[str]
    seconds: float
    mails: Evidence | None = None  # what went on by e-mail

    def line(self) -> str:
        ends = Counter(f"{one.state} {one.reason}".strip() for one in self.found.promises)
        copies = self.found.copies
        upset = "".join(f", {name}" for _, name, _ in self.plan.upsets)
        return (
            f"kill: seed {self.plan.seed}: {self.plan.deliveries} deliveries, {self.killed.total()} kills"
            f" ({_counted(self.killed)}){upset}; {self._dead()}: {self.found.lost} lost, {copies[False]} doubled,"
            f" {copies[True]} copies of what must arrive; {_counted(ends)}; {len(self.found.messages)} messages;"
            f"{self._mails()}"
            f" {len(self.wrong)} violations; {self.seconds:.0f} s"
        )

    def report(self) -> str:
        """The line, and the first of what is wrong."""
        return "\n".join([self.line(), *self.wrong[:_SHOWN]])

    def _mails(self) -> str:
        if self.mails is None:
            return ""
        ends = Counter(f"{one.state} {one.reason}".strip() for one in self.mails.promises)
        return f" {self.mails.promised} went on by e-mail ({_counted(ends)});"

    def _dead(self) -> str:
        dead = [
            name for name, is_alive in (("look-up", self.plan.can_ask), ("receipts", self.plan.hears)) if not is_alive
        ]
        return f"{' and '.join(dead)} dead" if dead else "look-up and receipts alive"


class Fleet:
    """The product's processes under their names, each started anew when it is killed."""

    def __init__(self, here: Ground, commands: Mapping[str, str]) -> None:
        self._here = here
        self._commands = commands
        self._programs: dict[str, Forked] = {}
        self._ended: Counter[str] = Counter()

    @property
    def names(self) -> list[str]:
        return sorted(self._commands)

    def start(self) -> None:
        for name in self._commands:
            self._programs[name] = self._here.start(self._commands[name])

    def kill(self, name: str) -> None:
        """kill -9, and a new one at once."""
        self._programs[name].kill()
        self._programs[name] = self._here.start(self._commands[name])

    def end(self) -> None:
        """kill -9 for all."""
        for program in self._programs.values():
            program.kill()

    def tend(self) -> None:
        """As a service manager does: what has ended by itself is started anew. A start while the database is away ends
        so; whatever goes on ending fails the run, with its last words."""
        for name, program in self._programs.items():
            if program.exit_code is not None:
                assert self._ended[name] < _MOST_ENDS, f"{name} ended ({program.exit_code}): {program.last_words()}"
                self._ended[name] += 1
                self._programs[name] = self._here.start(self._commands[name])

    def terminate(self) -> None:
        """SIGTERM to all: each ends in good order."""
        wait_until(lambda: is_listening(self._here.port), "the program to be up")  # else SIGTERM ends it as it starts
        for name, program in self._programs.items():
            assert program.terminate() == 0, f"{name}: {program.last_words()}"


def one_process(here: Ground) -> Fleet:
    return Fleet(here, {"up": "up"})


def from_procfile(here: Ground, workers: int = 2) -> Fleet:
    """Each line of the Procfile, the release left out."""
    return Fleet(here, {name: command.split()[-1] for name, command in procfile.commands(workers).items()})


def run(here: Ground, fleet: Fleet, plan: Plan, say: Say) -> Outcome:
    """Kills at moments drawn by the seed while messages go out, and waits for rest."""
    began, draws, killed = time.monotonic(), random.Random(plan.seed), Counter[str]()
    seen = _Watched(here, plan)
    set_faults(here.provider_url, **plan.mix, seed=plan.seed, lookups=plan.can_ask, receipts=plan.hears)
    if plan.worse is not None:
        set_faults(here.provider_url, provider="twilio", **plan.worse, seed=plan.seed)
    fleet.start()
    for at, upset in _agenda(plan, draws):
        wait_until(lambda: _has_come_to(here, fleet, at), f"{at} messages", seconds=plan.rest_seconds)  # noqa: B023
        time.sleep(draws.random() * _SPREAD)
        what = _killed(fleet, draws, killed) if upset is None else _upset(*upset)
        seen.look()
        say(f"  {what}: {len(here.seen.look())} messages, {_counted(here.counts())}")
    _rest(here, fleet, plan, say)
    fleet.terminate()
    seen.look()
    return _outcome(here, plan, killed, seen.wrong, time.monotonic() - began)


def _killed(fleet: Fleet, draws: random.Random, killed: Counter[str]) -> str:
    name = draws.choice(fleet.names)
    fleet.kill(name)
    killed[name.partition(".")[0]] += 1
    return f"kill {killed.total()}, {name}"


def _upset(_share: float, what: str, act: Callable[[], None]) -> str:
    act()
    return what


class _Watched:
    """What was seen at the last look, and every move since then that may not be."""

    def __init__(self, here: Ground, plan: Plan) -> None:
        self._here = here
        self._every = 1 + plan.deliveries // _IN_SIGHT
        self._looks = 0
        self._last: Sequence[Promise] = ()
        self.wrong: list[str] = []

    def look(self) -> None:
        self._looks += 1
        if self._looks % self._every:
            return
        now = self._here.promises()
        self.wrong += illegal_moves(self._last, now)
        self._last = now


_Upset = tuple[float, str, Callable[[], None]]


def _agenda(plan: Plan, draws: random.Random) -> list[tuple[int, _Upset | None]]:
    """After how many messages what happens; None is a kill."""
    kills: list[tuple[int, _Upset | None]] = [
        (draws.randrange(plan.deliveries * 9 // 10), None) for _ in range(plan.kills)
    ]
    return sorted([*kills, *((int(one[0] * plan.deliveries), one) for one in plan.upsets)], key=lambda entry: entry[0])


def _has_come_to(here: Ground, fleet: Fleet, count: int) -> bool:
    fleet.tend()
    return len(here.seen.look()) > count or not here.is_moving()


def _rest(here: Ground, fleet: Fleet, plan: Plan, say: Say) -> None:
    """Nothing is left to send, to settle or to hear of; with nobody to hear of it, accepted is the end."""
    say_at = time.monotonic() + _SAID_EVERY
    pause = plan.deliveries * _LOOK_SECONDS

    def is_at_rest() -> bool:
        nonlocal say_at
        fleet.tend()
        if time.monotonic() > say_at:
            say_at += _SAID_EVERY
            say(f"  waiting for rest: {_counted(here.counts())}")
        time.sleep(pause)
        return not here.is_moving() and (plan.is_deaf or not here.awaits_receipts())

    wait_until(is_at_rest, "everything to come to rest", seconds=plan.rest_seconds)


def _outcome(here: Ground, plan: Plan, killed: Counter[str], wrong: Sequence[str], seconds: float) -> Outcome:
    promises, messages = here.promises(), here.seen.look()
    by_sms = [one for one in promises if one.channel == "sms"]
    texts = [one for one in messages if one.channel == "sms"]
    also = frozenset({"failed", "skipped"}) if plan.goes_on else frozenset[str]()
    found = Evidence(plan.deliveries, by_sms, texts, here.time, plan.can_ask, plan.hears, also)
    wrong = [*wrong, *violations(found), *_unlisted(here, found)]
    if not plan.goes_on:
        return Outcome(plan, found, wrong, killed, seconds)
    by_email = [one for one in promises if one.channel == "email"]
    letters = [one for one in messages if one.channel == "email"]
    # A relay cannot be asked, and tells of nothing.
    mails = Evidence(len(by_email), by_email, letters, here.time, could_ask=False, heard=False)
    wrong += [*violations(mails), *_unlisted(here, mails), *mistold(by_sms, by_email)]
    if len(by_email) != (lost := lost_among(plan.deliveries)):
        wrong.append(f"I3 {lost} could not be reached by SMS, {len(by_email)} went on by e-mail")
    return Outcome(plan, found, wrong, killed, seconds, mails)


def _unlisted(here: Ground, found: Evidence) -> list[str]:
    """What the operator's own command does not say of those nobody knows the end of."""
    unknown = {one.id for one in found.promises if one.end == ("failed", "unknown")}
    missing = unknown - here.listed("failed") if unknown else ()
    return [f"I7 {one} is not in what `kallelse ledger` prints" for one in missing]


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in sorted(counts.items()))
