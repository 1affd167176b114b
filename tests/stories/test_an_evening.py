"""One evening with the demo, watched on the phone: every text that two people get, word for word, one of them reading
English, and what they write back."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from feeds.web.ics import App, Receive, Scope, Send
from tests.notifier.web.test_hooks import served
from tests.stories.conftest import opened
from tests.stories.town import SECOND_LOOK, SWEDEN, Town
from worker.demo.people import Person
from worker.web.app import build_app

RADIOLOGY = "SE2321000016-2B20"
SETTLED = timedelta(minutes=3)
OUR_LINK = "(a page of ours)"
_OURS = re.compile(r"http://127\.0\.0\.1:\d+/a/[0-9A-Za-z]{22}")
_PRESSABLE = re.compile(r"</?a\b[^>]*>")
PREPARATIONS = "Ät ingenting de sista fyra timmarna."


def at(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=SWEDEN)


@dataclass
class Front:
    """The product's address, before the product is there."""

    inner: list[App] = field(default_factory=list)
    url: str = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.inner[0](scope, receive, send)


@pytest.fixture
def front() -> Iterator[Front]:
    made = Front()
    with served(made) as port:
        made.url = f"http://127.0.0.1:{port}"
        yield made


@pytest.fixture
def here(sqlite_url: str, tmp_path: Path, front: Front) -> Iterator[Town]:
    with opened(sqlite_url, tmp_path, front.url) as made:
        yield made


@dataclass
class Phone:
    """One person's, as the demo shows it."""

    here: Town
    person: Person
    seen: int = 0

    def shows(self) -> list[str]:
        """What has come since the last look."""
        page = httpx.get(self.here.providers.inbox_url, params={"to": self.person.phone}, trust_env=False).text
        bubbles = re.findall(r'<div class="bubble" lang="\w+">(.*?)</div>', page, re.DOTALL)
        new, self.seen = bubbles[self.seen :], len(bubbles)
        return [_OURS.sub(OUR_LINK, html.unescape(_PRESSABLE.sub("", one))) for one in new]

    def write(self, text: str) -> None:
        """As by the button, or by hand."""
        form = {"from": self.person.phone, "body": text}
        answer = httpx.post(f"{self.here.providers.url}/inbound", data=form, trust_env=False)
        assert answer.status_code == 303
        self.here.work()


@dataclass
class Evening:
    """Both sit with their phones while business time is moved and the care side makes the same changes for both."""

    here: Town
    swedish: Phone
    english: Phone

    def both(self) -> list[list[str]]:
        return [self.swedish.shows(), self.english.shows()]

    def at(self, day: int, hour: int, month: int = 11) -> list[list[str]]:
        """What has come by then. The population register is brought daily."""
        self.here.clock.forward(at(day, hour, month=month))
        self.here.register(4)
        self.here.work()
        return self.both()

    def soon(self, delay: timedelta) -> list[list[str]]:
        """What comes of the region's next answer."""
        self.here.poll()
        self.here.wait(delay)
        return self.both()

    def write(self, swedish: str, english: str) -> list[list[str]]:
        """What is answered, and follows."""
        self.swedish.write(swedish)
        self.english.write(english)
        return self.both()


@pytest.fixture
def evening(here: Town, front: Front) -> Iterator[Evening]:
    """Johan reads Swedish, Fatima English. Each has a doctor's visit on Friday and a scan on Monday."""
    app = build_app(here.wiring)
    front.inner.append(app)
    cast = here.enrol(4)
    pair = (cast[0], cast[3])
    assert [person.language for person in pair] == ["sv", "en"]
    for place, person in enumerate(pair):
        here.book(person, at(27, 13, 30 * place), f"DOCTOR{place}")
        here.book(person, at(30, 10, 30 * place), f"SCAN{place}", RADIOLOGY, purpose=PREPARATIONS)
    here.poll()
    yield Evening(here, *(Phone(here, person) for person in pair))
    app.close()


def test_an_evening_with_the_demo_reads_well_in_both_languages(here: Town, evening: Evening) -> None:
    assert evening.both() == [[], []]  # what was booked before is known, and not announced
    for place, phone in enumerate((evening.swedish, evening.english)):
        here.book(phone.person, at(9, 8, 30 * place, month=12), f"NEW{place}")
    assert evening.soon(SETTLED) == CONFIRMED
    assert evening.at(25, 10) == BY_THE_DEADLINE_AND_PREPARED
    assert evening.at(26, 10) == BY_THE_SCANS_DEADLINE
    assert evening.at(26, 16) == THE_DAY_BEFORE

    for place in (0, 1):
        here.move(f"SCAN{place}", at(3, 14, 30 * place, month=12))
    assert evening.soon(SETTLED) == MOVED
    for place in (0, 1):
        here.cancel(f"NEW{place}")
    assert evening.soon(SECOND_LOOK) == NO_LONGER_SHOWN
    for place in (0, 1):
        here.region.state.restore(f"NEW{place}")
    assert evening.soon(timedelta()) == RESTORED

    assert evening.write("STOPP", "Stop") == STOPPED
    assert evening.at(28, 10) == [[], []]  # preparations were due
    assert evening.at(29, 10) == [[], []]  # and the deadline's reminder, of use still:
    assert evening.write("START", "Start") == STARTED
    assert evening.at(30, 8) == PREPARED_ANEW
    assert evening.at(2, 16, month=12) == THE_DAY_BEFORE_THE_SCAN
    assert evening.write("FEL PERSON", "Wrong number") == DISOWNED
    assert evening.at(7, 10, month=12) == evening.at(8, 16, month=12) == [[], []]


CONFIRMED = [
    [
        "Bokad tid: onsdag 9 december kl. 08.00, Björkängens vårdcentral. "
        "Avboka senast 8/12 kl. 08.00: https://www.1177.se"
    ],
    ["Booked: Wednesday 9 December, 08:30, Björkängens vårdcentral. Cancel by 8 Dec, 08:30: https://www.1177.se"],
]
BY_THE_DEADLINE_AND_PREPARED = [
    [
        f"Tid fredag 27 november kl. 13.00, Björkängens vårdcentral. Avboka senast 26/11 kl. 13.00: {OUR_LINK}",
        f"Läs det här före besöket måndag 30 november kl. 10.00, Norrviken, röntgen: {OUR_LINK}",
    ],
    [
        f"Reminder: Friday 27 November, 13:30, Björkängens vårdcentral. Cancel by 26 Nov, 13:30: {OUR_LINK}",
        f"Read this before your visit Monday 30 November, 10:30, Norrviken, röntgen: {OUR_LINK}",
    ],
]
BY_THE_SCANS_DEADLINE = [
    [f"Tid måndag 30 november kl. 10.00, Norrviken, röntgen. Avboka senast 27/11 kl. 10.00: {OUR_LINK}"],
    [f"Reminder: Monday 30 November, 10:30, Norrviken, röntgen. Cancel by 27 Nov, 10:30: {OUR_LINK}"],
]
THE_DAY_BEFORE = [
    ["Påminnelse: fredag 27 november kl. 13.00, Björkängens vårdcentral. https://www.1177.se"],
    ["Reminder: Friday 27 November, 13:30, Björkängens vårdcentral. https://www.1177.se"],
]
MOVED = [
    [
        "Din tid är flyttad. Ny tid: torsdag 3 december kl. 14.00, Norrviken, röntgen. "
        "Tidigare: måndag 30 november kl. 10.00. https://www.1177.se"
    ],
    [
        "Your visit has moved. New time: Thursday 3 December, 14:30, Norrviken, röntgen. "
        "Before: Monday 30 November, 10:30. https://www.1177.se"
    ],
]
NO_LONGER_SHOWN = [
    [
        "Björkängens vårdcentral visar inte längre din tid onsdag 9 december kl. 08.00. "
        "Hör med dem innan du åker: 070-174 06 70. https://www.1177.se"
    ],
    [
        "Björkängens vårdcentral no longer shows your visit Wednesday 9 December, 08:30. "
        "Check with them before you travel: 070-174 06 70. https://www.1177.se"
    ],
]
RESTORED = [
    [
        "Din tid onsdag 9 december kl. 08.00, Björkängens vårdcentral, gäller igen. "
        "Bortse från förra meddelandet. https://www.1177.se"
    ],
    [
        "Your visit Wednesday 9 December, 08:30, Björkängens vårdcentral, is on again. "
        "Please ignore our last message. https://www.1177.se"
    ],
]
STOPPED = [
    [
        "Du får inga fler sms från Kallelse till det här numret. Dina bokade tider gäller som förut. "
        "Vill du ha sms igen: svara START."
    ],
    [  # Twilio's own word: it answers itself, and lets no answer of ours through
        "You have successfully been unsubscribed. You will not receive any more messages from this number. "
        "Reply START to resubscribe."
    ],
]
_TWILIOS_ANSWER_TO_START = (
    "You have successfully been re-subscribed to messages from this number. Reply HELP for help. "
    "Reply STOP to unsubscribe. Msg&Data Rates May Apply."
)
STARTED = [
    [
        _TWILIOS_ANSWER_TO_START,
        f"Tid torsdag 3 december kl. 14.00, Norrviken, röntgen. Avboka senast 30/11 kl. 14.00: {OUR_LINK}",
    ],
    [
        _TWILIOS_ANSWER_TO_START,
        f"Reminder: Thursday 3 December, 14:30, Norrviken, röntgen. Cancel by 30 Nov, 14:30: {OUR_LINK}",
    ],
]
PREPARED_ANEW = [
    [f"Läs det här före besöket torsdag 3 december kl. 14.00, Norrviken, röntgen: {OUR_LINK}"],
    [f"Read this before your visit Thursday 3 December, 14:30, Norrviken, röntgen: {OUR_LINK}"],
]
THE_DAY_BEFORE_THE_SCAN = [
    ["Påminnelse: torsdag 3 december kl. 14.00, Norrviken, röntgen. https://www.1177.se"],
    ["Reminder: Thursday 3 December, 14:30, Norrviken, röntgen. https://www.1177.se"],
]
DISOWNED = [
    ["Tack för att du sade till. Kallelse skickar inget mer till det här numret."],
    ["Thank you for telling us. Kallelse will send nothing more to this number."],
]
