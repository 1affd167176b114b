"""What the page about preparations is given: each visit with its texts, in the page's words. Pure."""

from notifier.languages import is_from_the_right
from notifier.reading import Reading, ShownText
from notifier.spoken_times import moment
from notifier.visit_state import VisitState
from notifier.web import action_texts
from store.leaflets import Leaflet


def reading_page(reading: Reading, language: str) -> dict[str, object]:
    """Values for `reading.html`."""
    return {
        "visits": [_visit(one, language) for one in reading.shown],
        "seal": reading.seal,
        "button": "" if reading.is_read else action_texts.READ_BUTTON[language],
        "is_read": action_texts.IS_READ[language] if reading.is_read else "",
        "cannot_come": action_texts.CANNOT_COME[language],
    }


def _visit(one: ShownText, language: str) -> dict[str, object]:
    return {
        "when": moment(one.visit.start_at, language),
        "clinic": one.visit.clinic,
        "phone": one.visit.phone,
        "moved": action_texts.MOVED[language] if one.visit.state == VisitState.MOVED else "",
        "texts": [_text(spoken, leaflet, language) for spoken, leaflet in one.texts],
    }


def _text(spoken: str, leaflet: Leaflet, language: str) -> dict[str, object]:
    """With its language, where that is another than the page's."""
    return {
        "language": "" if spoken == language else spoken,
        "direction": "rtl" if is_from_the_right(spoken) else "ltr",
        "groups": leaflet.groups(),
    }
