"""Which visit a text of one word means: one that stands and that alone, else none is touched."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from notifier.visit_meant import Changed, Meant, Nothing, One, Several, Told, meant
from notifier.visit_state import VisitState, state
from store.intents import Intent
from store.standing import Standing

AT = datetime(2026, 11, 24, 9, tzinfo=UTC)
A, B = UUID(int=1), UUID(int=2)


def told(visit: UUID, hours_ago: float, stands: VisitState = VisitState.STANDS, message: int = 0) -> Told:
    code = f"COD{visit.int}"
    return Told(UUID(int=message or int(hours_ago * 10) + 1), visit, AT - timedelta(hours=hours_ago), code, stands)


MOVED, GONE = VisitState.MOVED, VisitState.GONE
CASES: dict[str, tuple[Intent, str, list[Told], Meant]] = {
    "nobody told": (Intent.CONFIRM, "", [], Nothing()),
    "the only visit": (Intent.CONFIRM, "", [told(A, 1)], One(A)),
    "told twice of it": (Intent.CONFIRM, "", [told(A, 1), told(A, 2)], One(A)),
    "another one last week": (Intent.CONFIRM, "", [told(A, 1), told(B, 170)], One(A)),
    "another one this morning": (Intent.CONFIRM, "", [told(A, 1), told(B, 6)], Several((A, B))),
    "another one this morning that is off": (Intent.CONFIRM, "", [told(A, 1), told(B, 6, GONE)], One(A)),
    "two in one message": (Intent.CONFIRM, "", [told(A, 1, message=9), told(B, 1, message=9)], Several((A, B))),
    "one of two in one message is off": (
        Intent.CONFIRM, "", [told(A, 1, message=9), told(B, 1, GONE, message=9)], Several((A,)),
    ),
    "the last one told is off": (Intent.CONFIRM, "", [told(A, 1, GONE), told(B, 170)], Changed(GONE)),
    "moved and told anew": (Intent.CONFIRM, "", [told(A, 1), told(A, 30, MOVED)], One(A)),
    "moved and not told yet": (Intent.CONFIRM, "", [told(A, 1, MOVED)], Changed(MOVED)),
    "cancel the only one coming": (Intent.CANCEL, "", [told(A, 400), told(B, 1, GONE)], One(A)),
    "cancel one of two coming": (Intent.CANCEL, "", [told(A, 1), told(B, 400)], Several((A, B))),
    "cancel what is off": (Intent.CANCEL, "", [told(A, 1, GONE)], Changed(GONE)),
    "cancel by code": (Intent.CANCEL, "cod2", [told(A, 1), told(B, 400)], One(B)),
    "cancel by the code of one that is off": (Intent.CANCEL, "cod2", [told(A, 1), told(B, 4, GONE)], Changed(GONE)),
    "cancel by another code": (Intent.CANCEL, "1a2b", [told(A, 1)], Nothing()),
}  # fmt: skip


@pytest.mark.parametrize(("intent", "code", "rows", "wanted"), CASES.values(), ids=CASES.keys())
def test_b22_a_word_means_one_visit_or_none(intent: Intent, code: str, rows: list[Told], wanted: Meant) -> None:
    assert meant(intent, code, rows) == wanted


@pytest.mark.parametrize(
    ("standing", "hours", "version", "wanted"),
    [
        (Standing.BOOKED, 1, 1, VisitState.STANDS),
        (Standing.BOOKED, 1, 2, VisitState.MOVED),
        (Standing.BOOKED, 0, 1, VisitState.PASSED),
        (Standing.CANCELLED, 1, 1, VisitState.CANCELLED),
        (Standing.GONE, 1, 2, VisitState.GONE),
        (Standing.PASSED, -1, 1, VisitState.PASSED),
    ],
)
def test_a_visit_stands_only_as_it_was_told(standing: Standing, hours: int, version: int, wanted: VisitState) -> None:
    assert state(standing, AT + timedelta(hours=hours), version, 1, AT) == wanted
