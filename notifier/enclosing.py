"""What a mail about preparations encloses, each visit's texts under a heading. Pure."""

from collections.abc import Sequence

from notifier.email_frame import Enclosed
from notifier.visit_preparations import ToRead
from notifier.visit_words import visit_line

_HEADINGS = {"sv": "Information inför besöket", "en": "Information before your visit"}


def enclosed(told: Sequence[ToRead], language: str) -> tuple[Enclosed, ...]:
    """For a mail about these visits of one day."""
    spoken = language if language in _HEADINGS else "sv"
    in_order = sorted(told, key=lambda one: one.start_at)
    if len(in_order) == 1:
        return (Enclosed(_HEADINGS[spoken], in_order[0].texts),)
    return tuple(Enclosed(visit_line(one.start_at, one.clinic, spoken), one.texts) for one in in_order)
