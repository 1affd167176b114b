"""Uncertain messages are settled by asking the provider; what it took is never sent again, what it did not take is
not forgotten. The provider is the simulated one, over its real protocol."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from notifier import receipts
from notifier.channels import Accepted, Channel, Message, Unknown
from notifier.channels.twilio_receipts import ReceivedReceipt
from notifier.channels.twilio_sms import TwilioSms
from notifier.resolving import ResolvingSettings, resolve_due
from notifier.uncertainty import Patience
from store.deliveries import AttemptOutcome, Delivery
from store.standing import ChangeKind
from store.subjects import SubjectKey
from tests.faults.wired import set_faults
from tests.notifier.conftest import Scene, at, facility_values, twilio_settings
from tests.notifier.test_dispatch import DAY_BEFORE_AT, reminded
from tests.people import ANNA, BERTIL
from worker.demo.providers import ProviderSettings, RunningProviders, start_providers

NO_WAIT = timedelta()
AT_ONCE = Patience(first_look=NO_WAIT, second_proof=NO_WAIT, give_up=timedelta(hours=1), receipt=timedelta(hours=1))
HOPELESS = replace(AT_ONCE, give_up=NO_WAIT)
REMINDER = "Påminnelse: tisdag 1 december kl. 13.30, Ekens vårdcentral. https://www.1177.se"
TAKEN_UNREAD = ["500_after", "reset", "junk", "hang"]


class Provider:
    """The simulated Twilio and our channel to it."""

    def __init__(self, running: RunningProviders) -> None:
        self.running = running
        account = running.account
        settings = replace(
            twilio_settings(running.url), account_sid=account.sid, auth_token=account.token, public_url=""
        )
        self.channel = TwilioSms(settings)
        self.channels: dict[str, Channel] = {"sms": self.channel}

    def faults(self, **mix: float) -> None:
        set_faults(self.running.url, **mix)

    @property
    def texts(self) -> list[str]:
        return [message.body for message in self.running.messages()]


@pytest.fixture
def twilio(tmp_path: Path) -> Iterator[Provider]:
    running = start_providers(ProviderSettings(tmp_path / "providers"), lambda: DAY_BEFORE_AT)
    provider = Provider(running)
    yield provider
    provider.channel.close()
    running.stop()


@pytest.fixture(autouse=True)
def hasty(scene: Scene) -> None:
    """Nothing waits before it is asked about."""
    facility_values(scene, cancel_deadline="")
    scene.dispatch = replace(scene.dispatch, patience=AT_ONCE)


def resolve(scene: Scene, twilio: Provider, patience: Patience = AT_ONCE) -> int:
    settings = ResolvingSettings(patience)
    return resolve_due(scene.sessions, scene.vault, twilio.channels, DAY_BEFORE_AT, settings)


def resolve_all(scene: Scene, twilio: Provider, patience: Patience = AT_ONCE) -> None:
    for _ in range(10):
        if not resolve(scene, twilio, patience):
            return


@pytest.mark.parametrize("fault", TAKEN_UNREAD)
def test_a_message_that_the_provider_took_though_we_could_not_read_so_is_not_sent_again(
    scene: Scene, twilio: Provider, fault: str
) -> None:
    reminded(scene)
    twilio.faults(**{fault: 1})
    scene.send(twilio.channels, DAY_BEFORE_AT)
    assert scene.states() == [("uncertain", "")]

    resolve_all(scene, twilio)
    scene.send(twilio.channels, DAY_BEFORE_AT)

    assert scene.states() == [("accepted", "")]
    (attempt,) = scene.attempts()
    (message,) = twilio.running.messages()
    assert (attempt.outcome, attempt.provider_id) == (AttemptOutcome.ACCEPTED, message.id)


def test_a_message_that_the_provider_did_not_take_is_sent_after_two_proofs(scene: Scene, twilio: Provider) -> None:
    reminded(scene)
    twilio.faults(**{"500_before": 1})
    scene.send(twilio.channels, DAY_BEFORE_AT)
    twilio.faults(ok=1)

    resolve(scene, twilio)
    assert scene.states() == [("uncertain", "")]
    resolve(scene, twilio)
    assert scene.states() == [("queued", "")]
    scene.send(twilio.channels, DAY_BEFORE_AT)

    assert scene.states() == [("accepted", "")]
    assert len(twilio.texts) == 1
    assert [(one.outcome, one.code) for one in scene.attempts()] == [
        (AttemptOutcome.UNREACHABLE, "absent"),
        (AttemptOutcome.ACCEPTED, ""),
    ]


def test_a_reminder_that_nobody_can_say_anything_of_is_told_as_unknown_and_a_late_receipt_lifts_it(
    scene: Scene, twilio: Provider
) -> None:
    reminded(scene)
    twilio.faults(**{"500_after": 1, "lookups": 0})
    scene.send(twilio.channels, DAY_BEFORE_AT)

    resolve(scene, twilio)
    assert scene.states() == [("uncertain", "")]  # the provider may answer yet
    scene.set(Delivery, scene.deliveries()[0].id, ask_at=datetime(2020, 1, 1, tzinfo=UTC))
    resolve_all(scene, twilio, HOPELESS)
    scene.send(twilio.channels, DAY_BEFORE_AT)

    assert scene.states() == [("failed", "unknown")]
    assert len(twilio.texts) == 1
    (attempt,), (message,) = scene.attempts(), twilio.running.messages()
    arrived = ReceivedReceipt("twilio", message.id, "delivered", "", attempt.public_id)
    assert receipts.record(scene.sessions, arrived, datetime.now(UTC))
    receipts.apply_due(scene.sessions, datetime.now(UTC), DAY_BEFORE_AT)
    assert scene.states() == [("delivered", "")]


def test_that_a_visit_was_moved_is_told_again_when_nobody_can_say_whether_it_was_and_then_no_more(
    scene: Scene, twilio: Provider
) -> None:
    booking = scene.booking(scene.subject(), "2026-12-01 13:30")
    moved_at = at("2026-11-30 09:00")
    scene.change(booking, ChangeKind.MOVED, moved_at, start_at=at("2026-12-02 13:30"))
    scene.plan(moved_at + timedelta(minutes=3))
    twilio.faults(**{"500_after": 1, "lookups": 0})
    scene.dispatch = replace(scene.dispatch, patience=HOPELESS)

    for _ in range(4):
        scene.send(twilio.channels, moved_at + timedelta(minutes=5))
        resolve_due(
            scene.sessions, scene.vault, twilio.channels, moved_at + timedelta(minutes=5), ResolvingSettings(HOPELESS)
        )

    assert scene.states() == [("failed", "unknown")]
    assert len(twilio.texts) == 2
    assert len(set(twilio.texts)) == 1  # the copy says the very same


def test_a_copy_found_later_ends_the_search(scene: Scene, twilio: Provider) -> None:
    booking = scene.booking(scene.subject(), "2026-12-01 13:30")
    moved_at = at("2026-11-30 09:00")
    scene.change(booking, ChangeKind.MOVED, moved_at, start_at=at("2026-12-02 13:30"))
    scene.plan(moved_at + timedelta(minutes=3))
    now = moved_at + timedelta(minutes=5)
    scene.dispatch = replace(scene.dispatch, patience=HOPELESS)
    twilio.faults(**{"500_after": 1, "lookups": 0})
    scene.send(twilio.channels, now)
    resolve_due(scene.sessions, scene.vault, twilio.channels, now, ResolvingSettings(HOPELESS))
    twilio.faults(**{"500_before": 1})
    scene.send(twilio.channels, now)

    resolve_due(scene.sessions, scene.vault, twilio.channels, now, ResolvingSettings(AT_ONCE))

    assert scene.states() == [("accepted", "")]
    assert scene.attempts()[0].provider_id == twilio.running.messages()[0].id
    assert len(twilio.texts) == 1


def test_a_receipt_that_comes_while_the_provider_is_asked_keeps_its_word(scene: Scene, twilio: Provider) -> None:
    reminded(scene)
    twilio.faults(**{"500_after": 1})
    scene.send(twilio.channels, DAY_BEFORE_AT)
    twilio.channels["sms"] = Interrupted(twilio.channel, lambda: report(scene, twilio, "delivered"))

    resolve_all(scene, twilio)

    assert scene.states() == [("delivered", "")]


def test_a_message_that_another_delivery_may_just_be_sending_is_not_taken_for_ours(
    scene: Scene, twilio: Provider
) -> None:
    """The same words to the same person, twice at once: the provider lists one message, and it is the other's."""
    reminded(scene, ANNA)
    twilio.faults(**{"500_before": 1})
    scene.send(twilio.channels, DAY_BEFORE_AT)
    (mine,) = scene.deliveries()
    twilio.faults(ok=1)
    (attempt,) = scene.attempts()
    with scene.sessions.writing() as session:  # what a worker writes before its first byte
        session.add(copied(mine, id=attempt.id, state="sending", ask_at=None, unknown_since=None))
        session.flush()
        session.add(copied(attempt, id=mine.id, delivery_id=attempt.id, public_id="b" * 22, outcome=None, code=""))
    hand_over(twilio)

    resolve(scene, twilio)

    states = {one.id == mine.id: str(one.state) for one in scene.deliveries()}
    assert states == {True: "uncertain", False: "sending"}
    assert all(one.provider_id is None for one in scene.attempts())


def copied(row: Any, **values: object) -> Any:
    return type(row)(**{name: getattr(row, name) for name in type(row).model_fields} | values)


def hand_over(twilio: Provider) -> None:
    """The other worker's message reaches the provider."""
    words = {"to": ANNA.phone, "text": REMINDER, "subject_line": "", "html": "", "language": "sv"}
    until = {"useful_until": DAY_BEFORE_AT + timedelta(hours=2), "now": DAY_BEFORE_AT}
    twilio.channel.send(Message(**words, delivery_id="other", attempt_id="b" * 22, **until))  # type: ignore[arg-type]


def test_mail_that_nobody_knows_the_end_of_cannot_be_asked_about_and_is_told_as_unknown(
    scene: Scene, twilio: Provider
) -> None:
    reminded(scene)
    scene.send({"sms": Relay()}, DAY_BEFORE_AT)
    twilio.channels["sms"] = Relay()

    resolve_all(scene, twilio)

    assert scene.states() == [("failed", "unknown")]


def test_somebody_erased_meanwhile_is_not_asked_about(scene: Scene, twilio: Provider) -> None:
    engagement = scene.subject()
    scene.booking(engagement, "2026-12-01 13:30")
    scene.plan(DAY_BEFORE_AT)
    twilio.faults(**{"500_after": 1})
    scene.send(twilio.channels, DAY_BEFORE_AT)
    with scene.sessions.writing() as session:
        session.delete(session.get_one(SubjectKey, engagement.subject_id))

    resolve_all(scene, twilio)

    assert scene.states() == [("failed", "unknown")]


def accepted(scene: Scene, twilio: Provider) -> None:
    """A reminder that the provider took, and that no receipt will tell about."""
    reminded(scene)
    scene.dispatch = replace(scene.dispatch, patience=replace(AT_ONCE, receipt=NO_WAIT))
    scene.send(twilio.channels, DAY_BEFORE_AT)
    assert scene.states() == [("accepted", "")]


def test_what_nobody_knows_is_asked_about_before_what_merely_lacks_its_receipt(scene: Scene, twilio: Provider) -> None:
    accepted(scene, twilio)
    reminded(scene, BERTIL)
    twilio.faults(**{"500_after": 1})
    scene.send(twilio.channels, DAY_BEFORE_AT)

    resolve_due(scene.sessions, scene.vault, twilio.channels, DAY_BEFORE_AT, ResolvingSettings(AT_ONCE, batch=1))

    assert "uncertain" not in {state for state, _ in scene.states()}


def test_a_receipt_that_never_came_is_fetched(scene: Scene, twilio: Provider) -> None:
    accepted(scene, twilio)
    (message,) = twilio.running.messages()
    twilio.running._accepted.progress(message.id, "delivered", sent_at=None)

    resolve(scene, twilio)
    receipts.apply_due(scene.sessions, datetime.now(UTC), DAY_BEFORE_AT)

    assert scene.states() == [("delivered", "")]


def test_an_accepted_message_of_which_nothing_is_ever_heard_is_given_up_after_four_enquiries(
    scene: Scene, twilio: Provider
) -> None:
    accepted(scene, twilio)
    (message,) = twilio.running.messages()
    twilio.running._accepted.progress(message.id, "sent", sent_at=None)
    twilio.running._receipts.stop()
    patience = replace(AT_ONCE, receipt=NO_WAIT)

    for enquiry in range(4):
        assert scene.states() == [("accepted", "")], enquiry
        assert resolve(scene, twilio, patience) == 1

    assert scene.states() == [("failed", "no_receipt")]
    assert resolve(scene, twilio, patience) == 0


def test_a_provider_that_does_not_answer_is_asked_again_and_the_enquiry_does_not_count(
    scene: Scene, twilio: Provider
) -> None:
    accepted(scene, twilio)
    twilio.faults(ok=1, lookups=0)
    patience = replace(AT_ONCE, receipt=NO_WAIT)
    for _ in range(8):
        assert resolve(scene, twilio, patience) == 1

    assert scene.states() == [("accepted", "")]
    assert scene.deliveries()[0].asked == 0


def report(scene: Scene, twilio: Provider, status: str) -> None:
    (attempt,), (message,) = scene.attempts(), twilio.running.messages()
    receipt = ReceivedReceipt("twilio", message.id, status, "", attempt.public_id)
    receipts.record(scene.sessions, receipt, datetime.now(UTC))
    receipts.apply_due(scene.sessions, datetime.now(UTC), DAY_BEFORE_AT)


class Interrupted:
    """The channel; while it is asked, something else happens."""

    name, provider = "sms", "twilio"

    def __init__(self, behind: TwilioSms, meanwhile: Callable[[], None]) -> None:
        self._behind, self._meanwhile = behind, meanwhile
        self.progress = behind.progress

    def send(self, message: Message) -> Accepted:
        return self._behind.send(message)

    def taken(self, to: str, since: datetime) -> object:
        listed = self._behind.taken(to, since)
        self._meanwhile()
        return listed


class Relay:
    """A channel that cannot be asked, and whose connection breaks before it says yes."""

    name, provider = "sms", "relay"

    def send(self, message: Message) -> Accepted:
        raise Unknown("connection_lost", "the relay hung up")
