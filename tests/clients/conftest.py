"""The demo, started once as a newcomer would, for programs that know nothing of it but addresses and a password."""

import os
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import caldav
import icalendar
import pytest

from tests.feeds.test_ical import HOSTILE
from tests.stories.test_demo import Demo, running, within


@dataclass
class Account(Demo):
    """The first citizen's calendar, and the region behind it. What is compared with is read from the feed."""

    @property
    def url(self) -> str:
        return self.ready["caldav_url"]

    @property
    def user(self) -> str:
        return self.ready["caldav_username"]

    @property
    def password(self) -> str:
        return self.ready["caldav_password"]

    def environment(self) -> dict[str, str]:
        """Who it is, for a program that must not be told on its command line."""
        return {**os.environ, "CALENDAR_USER": self.user, "CALENDAR_PASSWORD": self.password}

    def calendar_url(self) -> str:
        """Of the visits, for programs that are told where they are."""
        with caldav.DAVClient(self.url, username=self.user, password=self.password) as client:
            found = client.principal().calendars()
            return next(str(one.url) for one in found if "VEVENT" in one.get_supported_components())

    def objects(self) -> dict[str, bytes]:
        """Each visit as the account gives it alone, by its last name."""
        login = (self.user, self.password)
        listed = self.web.request("PROPFIND", self.calendar_url(), auth=login, headers={"Depth": "1"})
        paths = [one for one in re.findall(r"<D:href>(.*?)</D:href>", listed.text) if one.endswith(".ics")]
        base = self.ready["base_url"]
        return {Path(one).name: self.web.get(base + one, auth=login).raise_for_status().content for one in paths}

    def visits(self) -> dict[str, icalendar.Event]:
        return {str(event["UID"]): event for event in icalendar.Calendar.from_ical(self.feed().content).events}

    def starts(self) -> dict[str, datetime]:
        return {uid: event["DTSTART"].dt.astimezone(UTC) for uid, event in self.visits().items()}

    def book_a_visit(self, words: str) -> None:
        """Where the clinic fills in these words everywhere that it may."""
        before = self.starts()
        like = self.care()[2]
        texts = {name: words for name in ("time_type_name", "performer", "resource", "purpose")}
        place = {name: like[name] for name in ("subject", "facility")}
        self.control(
            "POST", "bookings", {**place, **texts, "start": "2026-12-21T10:00:00", "end": "2026-12-21T10:30:00"}
        )
        within(30, lambda: len(self.starts()) > len(before))

    def move_a_visit(self) -> str:
        """To the next day or back, at the region. Returns its UID when the citizen's calendar shows it.

        No further, as visits of one day name each other.
        """
        before = self.starts()
        visit = self.care()[2]
        by = timedelta(days=1 if datetime.fromisoformat(visit["start"]).day % 2 else -1)
        times = {name: (datetime.fromisoformat(visit[name]) + by).isoformat() for name in ("start", "end")}
        self.control("PATCH", f"bookings/{visit['id']}", times)
        within(30, lambda: self.starts() != before)
        (uid,) = (uid for uid, at in self.starts().items() if at != before[uid])
        return uid


def hostile_words() -> str:
    """What has broken calendars, as far as XML carries it."""
    lines = [line for text in HOSTILE if len(text) < 200 for line in re.split("[\r\n]+", text)]
    return "\n".join(line for line in lines if not {unicodedata.category(char) for char in line} & {"Cc", "Cs", "Cn"})


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    folder = tmp_path_factory.mktemp("demo")
    with running(folder, "--citizens", "3", "--dir", str(folder / "data")) as begun:
        made = Account(*begun)
        made.book_a_visit(hostile_words())
        yield made
