"""On both databases: a link pressed by many at once acts once, and what was asked is listed and handled."""

from threading import Barrier, Thread

from notifier import actions
from notifier.actions import Outcome, Press
from store import visit_answers
from store.visit_answers import AnswerKind
from tests.notifier.answering import REAL_NOW, citizen_at, link_in
from tests.notifier.conftest import Provider, Scene, at
from tests.people import ANNA, Person

NOW = at("2026-11-30 16:00")


def test_check_34_five_presses_at_once_ask_once_and_the_clinic_sees_one_request_until_it_is_handled(
    scene: Scene, provider: Provider
) -> None:
    booking_id = scene.booking(scene.subject(Person(ANNA.number, phone=ANNA.phone)), "2026-12-01 13:30")
    outcomes: list[Outcome] = []
    together = Barrier(5)

    def press(token: str) -> None:
        together.wait()
        outcomes.append(actions.act(scene.sessions, scene.vault, token, Press(REAL_NOW, NOW)).outcome)

    with citizen_at(scene, provider, NOW) as citizen:
        token = link_in(citizen.told(NOW)).removeprefix("/a/")
        threads = [Thread(target=press, args=(token,)) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert outcomes == [Outcome.DONE] * 5
        assert (citizen.answers, len(citizen.audit)) == ([("cancel", 1, "link")], 1)
    with scene.sessions.writing() as session:
        (found,) = visit_answers.requests(session, scene.clinic_id)
        request, booking = found.answer, found.booking
        assert (booking.id if booking else None, request.kind) == (booking_id, AnswerKind.CANCEL)
        assert visit_answers.handle(session, request.id, scene.clinic_id, "Lind", NOW) is not None
        assert visit_answers.handle(session, request.id, scene.clinic_id, "Lind", NOW) is None
        assert visit_answers.requests(session, scene.clinic_id) == []
        assert len(visit_answers.requests(session, scene.clinic_id, handled=True)) == 1
