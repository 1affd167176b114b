"""After a restore from a backup the ledger does not know what was sent since: nobody is told twice (C17)."""

from datetime import UTC, datetime, timedelta

from store import installation
from store.deliveries import Attempt, Delivery, DeliveryPart, Wording
from tests.notifier.conftest import Scene
from tests.notifier.test_dispatch import DAY_BEFORE_AT, reminded
from tests.notifier.test_resolving import Provider, hasty, resolve_all, twilio  # noqa: F401 - fixtures
from tests.people import ANNA, BERTIL

HOUR = timedelta(hours=1)


def restored(scene: Scene) -> None:
    """The database as a backup made before these people were told has it; then everybody is planned for anew."""
    with scene.sessions.writing() as session:
        for table in (Wording, Attempt, DeliveryPart, Delivery):
            session.connection().exec_driver_sql(f"delete from {table.__tablename__}")  # noqa: S608
        installation.note_restore(session, datetime.now(UTC) - HOUR, DAY_BEFORE_AT)
    scene.plan(DAY_BEFORE_AT)


def test_what_the_lost_system_sent_is_found_and_not_sent_again_and_the_rest_goes_out(
    scene: Scene,
    twilio: Provider,  # noqa: F811
) -> None:
    reminded(scene, ANNA)
    scene.send(twilio.channels, DAY_BEFORE_AT)
    assert len(twilio.texts) == 1
    restored(scene)
    scene.booking(scene.subject(BERTIL), "2026-12-01 13:30")
    scene.plan(DAY_BEFORE_AT)

    scene.send(twilio.channels, DAY_BEFORE_AT)
    assert {state for state, _ in scene.states()} == {"queued"}  # nothing is sent until an operator says so

    with scene.sessions.writing() as session:
        installation.resume(session)
    later = DAY_BEFORE_AT + timedelta(minutes=11)
    for _ in range(3):
        scene.send(twilio.channels, later)
        resolve_all(scene, twilio)
    scene.send(twilio.channels, later)

    assert {state for state, _ in scene.states()} == {"accepted"}
    assert [one.to for one in twilio.running.messages()] == [ANNA.phone, BERTIL.phone]


def test_what_is_planned_long_after_the_restore_is_sent_at_once(scene: Scene, twilio: Provider) -> None:  # noqa: F811
    with scene.sessions.writing() as session:
        installation.note_restore(session, DAY_BEFORE_AT - 5 * HOUR, DAY_BEFORE_AT - 4 * HOUR)
        installation.resume(session)
    reminded(scene)

    scene.send(twilio.channels, DAY_BEFORE_AT)

    assert ("accepted", "") in scene.states()
    assert len(twilio.texts) == 1
