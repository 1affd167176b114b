"""Two SMS providers side by side: the simulated ones, over their real protocols. What nobody knows the end of stays
with its provider, what was clearly not taken may go by the other, and what is seen of them is what they have done."""

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from notifier import dispatch
from notifier.channels import Accepted, Channel, Message
from notifier.channels.elks_sms import ElksSettings, ElksSms
from notifier.channels.twilio_sms import TwilioSms
from notifier.failover import Change, Shares, set_weight, stopped
from notifier.providers import Providers, judge, shares, steer
from notifier.resolving import ResolvingSettings, resolve_due
from store import installation, provider_weights
from store.database import Sessions
from store.deliveries import Attempt, AttemptOutcome, Delivery, Receipt
from store.identifiers import first_id
from store.provider_weights import ProviderWeight, Seen
from store.weight_causes import WeightCause
from tests.faults.wired import set_faults
from tests.notifier.conftest import Scene, facility_values, twilio_settings
from tests.notifier.test_dispatch import DAY_BEFORE_AT, reminded
from tests.notifier.test_resolving import AT_ONCE
from tests.notifier.test_restored import restored
from tests.people import ANNA, BERTIL
from worker.demo.providers import ProviderSettings, RunningProviders, start_providers

REAL_NOW = datetime.now(UTC)
ALL_TWILIO = {"twilio": 100, "46elks": 0}


class Pair:
    """Both simulated providers and our channels to them; at rest all goes by Twilio, so that no test draws lots."""

    def __init__(self, running: RunningProviders) -> None:
        self.running = running
        account = running.account
        self.twilio = TwilioSms(
            replace(twilio_settings(running.url), account_sid=account.sid, auth_token=account.token, public_url="")
        )
        self.elks = ElksSms(elks_settings(running))
        self.sms = Providers("sms", (self.twilio, self.elks), ALL_TWILIO)

    @property
    def channels(self) -> dict[str, Channel | Providers]:
        return {"sms": self.sms}

    def faults(self, provider: str, **mix: float) -> None:
        set_faults(f"{self.running.url}", provider=provider, **mix)

    def takers(self) -> list[str]:
        return [one.details.get("provider", "twilio") for one in self.running.messages()]


def elks_settings(running: RunningProviders, **values: Any) -> ElksSettings:
    filled: dict[str, Any] = {
        "username": running.elks.username,
        "password": running.elks.password,
        "sender": "Kallelse",
        "api_base_url": running.url,
        "connect_timeout": timedelta(seconds=2),
        "read_timeout": timedelta(seconds=0.5),
        **values,
    }
    return ElksSettings(**filled)


@pytest.fixture
def pair(tmp_path: Path, scene: Scene) -> Iterator[Pair]:
    facility_values(scene, cancel_deadline="")
    scene.dispatch = replace(scene.dispatch, patience=AT_ONCE)
    running = start_providers(ProviderSettings(tmp_path / "providers"), lambda: DAY_BEFORE_AT)
    made = Pair(running)
    yield made
    made.sms.close()
    running.stop()


def resolve_all(scene: Scene, pair: Pair) -> None:
    for _ in range(10):
        if not resolve_due(scene.sessions, scene.vault, pair.channels, DAY_BEFORE_AT, ResolvingSettings(AT_ONCE)):
            return


def put(scene: Scene, pair: Pair, **weights: int) -> None:
    """The weights in force from now on."""
    with scene.sessions.writing() as session:
        steer(session, pair.sms, lambda now: set_weight(now, "46elks", weights["elks"]), datetime.now(UTC))


def in_force(scene: Scene, pair: Pair) -> Shares:
    with scene.sessions.reading() as session:
        return shares(session, pair.sms, datetime.now(UTC))


def tried_by(scene: Scene) -> list[tuple[str, str]]:
    return [(one.provider, str(one.outcome)) for one in scene.attempts()]


@pytest.mark.parametrize("fault", ["500_after", "reset", "hang", "junk"])
def test_check_05_what_46elks_took_though_we_could_not_read_so_is_found_in_its_list_and_not_sent_again(
    scene: Scene, pair: Pair, fault: str
) -> None:
    reminded(scene)
    pair.faults("46elks", **{fault: 1})
    alone: dict[str, Channel | Providers] = {"sms": pair.elks}
    scene.send(alone, DAY_BEFORE_AT)
    assert scene.states() == [("uncertain", "")]

    for _ in range(3):
        resolve_due(scene.sessions, scene.vault, alone, DAY_BEFORE_AT, ResolvingSettings(AT_ONCE))
        scene.send(alone, DAY_BEFORE_AT)

    (attempt,), (message,) = scene.attempts(), pair.running.messages()
    assert scene.states() == [("accepted", "")]
    assert (attempt.outcome, attempt.provider_id) == (AttemptOutcome.ACCEPTED, message.id)


class _Dying:
    """46elks takes the message, and then the process dies."""

    name, provider = "sms", "46elks"

    def __init__(self, elks: ElksSms) -> None:
        self._elks = elks

    def send(self, message: Message) -> Accepted:
        self._elks.send(message)
        raise KeyboardInterrupt


def test_check_06_a_worker_killed_while_46elks_answers_sends_nothing_twice(scene: Scene, pair: Pair) -> None:
    reminded(scene)
    with pytest.raises(KeyboardInterrupt):
        scene.send({"sms": _Dying(pair.elks)}, DAY_BEFORE_AT)
    scene.lease_runs_out()
    assert dispatch.recover(scene.sessions, AT_ONCE) == 1

    resolve_all(scene, pair)
    scene.send(pair.channels, DAY_BEFORE_AT)

    assert scene.states() == [("accepted", "")]
    assert pair.takers() == ["46elks"]


def test_check_26_what_nobody_knows_the_end_of_never_crosses_over(scene: Scene, pair: Pair) -> None:
    reminded(scene)
    pair.faults("twilio", **{"500_before": 1, "lookups": 0})
    scene.send(pair.channels, DAY_BEFORE_AT)
    put(scene, pair, elks=100)

    resolve_all(scene, pair)
    scene.send(pair.channels, DAY_BEFORE_AT)
    assert (scene.states(), pair.takers()) == ([("uncertain", "")], [])

    pair.faults("twilio", ok=1)
    scene.set(Delivery, scene.deliveries()[0].id, ask_at=datetime(2020, 1, 1, tzinfo=UTC))
    resolve_all(scene, pair)
    assert scene.states() == [("queued", "")]  # proved absent at Twilio, twice
    scene.send(pair.channels, DAY_BEFORE_AT)

    assert pair.takers() == ["twilio"]
    assert tried_by(scene) == [("twilio", "unreachable"), ("twilio", "accepted")]


def test_check_26_what_waits_for_a_stopped_provider_waits_and_is_not_given_to_the_other(
    scene: Scene, pair: Pair
) -> None:
    reminded(scene)
    pair.faults("twilio", **{"500_before": 1})
    scene.send(pair.channels, DAY_BEFORE_AT)
    pair.faults("twilio", ok=1)
    resolve_all(scene, pair)
    with scene.sessions.writing() as session:
        steer(session, pair.sms, lambda now: stopped(now, "twilio", WeightCause.OPERATOR, ""), datetime.now(UTC))

    assert scene.send(pair.channels, DAY_BEFORE_AT) == Counter(deferred=1)

    assert (scene.states(), pair.takers()) == ([("queued", "")], [])


@pytest.mark.parametrize("fault", ["429", "refused port"])
def test_what_was_clearly_not_taken_goes_by_the_other_provider(scene: Scene, pair: Pair, fault: str) -> None:
    reminded(scene)
    if fault == "429":
        pair.faults("twilio", **{"429": 1})
    else:
        pair.twilio.close()
        pair.twilio = TwilioSms(replace(twilio_settings("http://127.0.0.1:1"), public_url=""))
        pair.sms = replace(pair.sms, members=(pair.twilio, pair.elks))
    scene.send(pair.channels, DAY_BEFORE_AT)
    assert scene.states() == [("queued", "")]

    scene.send(pair.channels, DAY_BEFORE_AT + timedelta(minutes=1))

    assert tried_by(scene) == [("twilio", "unreachable"), ("46elks", "accepted")]
    assert pair.takers() == ["46elks"]


def test_a_provider_that_refuses_our_account_is_stopped_and_the_other_takes_over_within_a_minute(
    scene: Scene, pair: Pair
) -> None:
    reminded(scene)
    reminded(scene, BERTIL)
    pair.twilio.close()
    pair.twilio = TwilioSms(replace(twilio_settings(pair.running.url), public_url=""))  # another account's token
    pair.sms = replace(pair.sms, members=(pair.twilio, pair.elks))

    scene.send(pair.channels, DAY_BEFORE_AT)
    assert in_force(scene, pair).stopped == {"twilio"}
    scene.send(pair.channels, DAY_BEFORE_AT + timedelta(minutes=1))

    assert pair.takers() == ["46elks", "46elks"]
    assert Counter(tried_by(scene)) == {("twilio", "refused"): 1, ("46elks", "accepted"): 2}
    with scene.sessions.reading() as session:
        version = provider_weights.in_force(session, "sms")
    assert version is not None
    assert (version.stopped_for, version.rows[0].reason) == (
        WeightCause.SHUT_OUT, "twilio refuses the account: 20003"
    )  # fmt: skip


def test_the_last_provider_is_never_stopped_by_itself(scene: Scene, pair: Pair) -> None:
    reminded(scene)
    with scene.sessions.writing() as session:
        steer(session, pair.sms, lambda now: stopped(now, "twilio", WeightCause.OPERATOR, ""), datetime.now(UTC))
    pair.elks.close()
    pair.elks = ElksSms(elks_settings(pair.running, password="fel"))
    pair.sms = replace(pair.sms, members=(pair.twilio, pair.elks))

    scene.send(pair.channels, DAY_BEFORE_AT)

    assert in_force(scene, pair).stopped == {"twilio"}
    assert scene.states() == [("queued", "")]


def test_what_a_lost_system_sent_by_the_other_provider_is_found_there_and_not_sent_again(
    scene: Scene, pair: Pair
) -> None:
    """A restored backup does not know who sent: the weights may have moved since."""
    put(scene, pair, elks=100)
    reminded(scene)
    scene.send(pair.channels, DAY_BEFORE_AT)
    restored(scene)
    with scene.sessions.writing() as session:
        installation.resume(session)
    put(scene, pair, elks=0)

    later = DAY_BEFORE_AT + timedelta(minutes=11)
    scene.send(pair.channels, later)
    assert scene.states() == [("uncertain", "")]
    assert seen(scene)["twilio"].errors == 0  # nothing that Twilio did
    pair.faults("46elks", ok=1, lookups=0)
    resolve_due(scene.sessions, scene.vault, pair.channels, later, ResolvingSettings(AT_ONCE))
    assert scene.states() == [("uncertain", "")]  # Twilio's word alone proves nothing
    pair.faults("46elks", ok=1)
    scene.set(Delivery, scene.deliveries()[0].id, ask_at=datetime(2020, 1, 1, tzinfo=UTC))
    resolve_all(scene, pair)
    scene.send(pair.channels, later)

    assert (scene.states(), pair.takers()) == ([("accepted", "")], ["46elks"])
    assert tried_by(scene) == [("46elks", "accepted")]


def attempts(scene: Scene, count: int, provider: str, outcome: AttemptOutcome, ago: timedelta, **told: Any) -> None:
    """So many attempts of one delivery, begun so long ago; `told`: until a receipt gave its end."""
    delivery_id = scene.deliveries()[0].id
    with scene.sessions.writing() as session:
        for number in range(count):
            began_at = REAL_NOW - ago
            low = len(session.exec(select(Attempt.id)).all()) + 1
            attempt = Attempt(
                id=type(delivery_id)(int=first_id(began_at).int + low),
                delivery_id=delivery_id,
                fence=number,
                public_id=f"public-{low}",
                provider=provider,
                wording_digest="",
                began_at=began_at,
                outcome=outcome,
                provider_id=f"id-{low}" if outcome == AttemptOutcome.ACCEPTED else None,
            )
            session.add(attempt)
            session.flush()
            if "after" in told:
                at = began_at + told["after"]
                session.add(
                    Receipt(
                        provider=provider, provider_id=f"id-{low}", status=told.get("status", "delivered"),
                        attempt_public_id=attempt.public_id, received_at=at,
                    )
                )  # fmt: skip


def seen(scene: Scene) -> dict[str, Seen]:
    with scene.sessions.reading() as session:
        return dict(provider_weights.performance(session, ["twilio", "46elks"], REAL_NOW))


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def test_check_26_what_is_counted_is_what_a_provider_did_lately(scene: Scene, pair: Pair) -> None:
    reminded(scene)
    attempts(scene, 2, "twilio", AttemptOutcome.UNREACHABLE, minutes(0.5))
    attempts(scene, 1, "twilio", AttemptOutcome.UNKNOWN, minutes(0.5))
    attempts(scene, 5, "twilio", AttemptOutcome.REFUSED, minutes(0.5))  # of a message, not of a provider
    attempts(scene, 4, "twilio", AttemptOutcome.UNKNOWN, minutes(2))
    assert seen(scene) == {"twilio": Seen(3, 0, 0), "46elks": Seen(0, 0, 0)}

    accepted = AttemptOutcome.ACCEPTED
    attempts(scene, 1, "46elks", accepted, minutes(14), after=minutes(1))
    attempts(scene, 1, "46elks", accepted, minutes(14), after=minutes(6))  # late
    attempts(scene, 1, "46elks", accepted, minutes(14), after=minutes(1), status="sent")  # never arrived: late
    attempts(scene, 1, "46elks", accepted, minutes(14), after=minutes(1), status="failed")  # no slowness
    attempts(scene, 1, "46elks", accepted, minutes(4))  # may still come in time
    attempts(scene, 1, "46elks", accepted, minutes(16))  # long ago
    assert seen(scene)["46elks"] == Seen(0, 5, 2)


def test_check_26_a_failing_provider_loses_weight_once_for_the_same_errors_however_many_look(
    scene: Scene, pair: Pair
) -> None:
    reminded(scene)
    pair.sms = replace(pair.sms, resting={"twilio": 50, "46elks": 50})
    with scene.sessions.writing() as session:
        judge(session, pair.sms, REAL_NOW - minutes(10))
    attempts(scene, 51, "twilio", AttemptOutcome.UNREACHABLE, minutes(0.5))
    made: list[Change | None] = []

    def look() -> None:
        with scene.sessions.writing() as session:
            made.append(judge(session, pair.sms, REAL_NOW))

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(str(one and one.reason) for one in made) == ["None"] * 3 + ["twilio: 51 errors in a minute"]
    assert in_force(scene, pair).weights == {"twilio": 40, "46elks": 60}
    assert versions(scene.sessions) == [
        (1, "46elks", 50, "settings"), (1, "twilio", 50, "settings"),
        (2, "46elks", 60, "errors"), (2, "twilio", 40, "errors"),
    ]  # fmt: skip


def versions(sessions: Sessions) -> list[tuple[int, str, int, str]]:
    with sessions.reading() as session:
        rows = session.exec(select(ProviderWeight).order_by(col(ProviderWeight.version), col(ProviderWeight.provider)))
        return [(row.version, row.provider, row.weight, str(row.cause)) for row in rows]


def test_two_processes_that_begin_at_once_make_one_beginning(scene: Scene, pair: Pair) -> None:
    def look() -> None:
        with scene.sessions.writing() as session:
            judge(session, pair.sms, datetime.now(UTC))

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert versions(scene.sessions) == [(1, "46elks", 0, "settings"), (1, "twilio", 100, "settings")]


def test_both_providers_take_messages_by_their_weights(scene: Scene, pair: Pair) -> None:
    put(scene, pair, elks=100)
    reminded(scene)
    scene.send(pair.channels, DAY_BEFORE_AT)
    put(scene, pair, elks=0)
    reminded(scene, BERTIL)
    scene.send(pair.channels, DAY_BEFORE_AT)
    assert [(one.to, taker) for one, taker in zip(pair.running.messages(), pair.takers(), strict=True)] == [
        (ANNA.phone, "46elks"), (BERTIL.phone, "twilio"),
    ]  # fmt: skip
