"""`kallelse demo` as a newcomer and an outside observer meet it: a process, a ready file, and addresses."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.stories.town import SWEDEN
from worker.demo.people import people

pytestmark = pytest.mark.slow


@dataclass
class Demo:
    process: subprocess.Popen[str]
    ready: dict[str, str]
    web: httpx.Client

    def feed(self, **headers: str) -> httpx.Response:
        return self.web.get(self.ready["feed_url"], headers=headers)

    def events(self) -> dict[str, str]:
        """By UID, each event's text as served, unfolded."""
        text = self.feed().text.replace("\r\n ", "")
        found = ["BEGIN:VEVENT" + one for one in text.split("BEGIN:VEVENT")[1:]]
        return {value(one, "UID"): one for one in found}

    def care(self) -> list[dict[str, str]]:
        """The first citizen's bookings at the region."""
        first = self.control("GET", "people").json()[0]
        return list(self.control("GET", f"bookings?subject={first['subject']}").json())

    def control(self, method: str, path: str, body: object = None) -> httpx.Response:
        answer = self.web.request(method, f"{self.ready['region_url']}/control/{path}", json=body)
        answer.raise_for_status()
        return answer

    def told(self, phone: str) -> list[str]:
        listed = self.web.get(f"{self.ready['provider_url']}/messages").json()
        return [one["body"] for one in listed if one["to"] == phone]

    def phone(self) -> str:
        return people(1)[0].phone


def value(event: str, name: str) -> str:
    found = re.search(rf"^{name}(?:;[^:\r]*)?:(.*?)\r?$", event, re.MULTILINE)
    assert found is not None, name
    return found[1]


def within(seconds: float, condition: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends_at, f"not within {seconds} seconds"
        time.sleep(0.2)


def start(folder: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "worker", "demo", "--port", "0", "--ready-file", str(folder / "ready.json"), *more]
    environment = {name: text for name, text in os.environ.items() if not name.startswith("KALLELSE_")}
    return subprocess.Popen(  # noqa: S603 - our own command
        command,
        cwd=Path(__file__).parents[2],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


@contextmanager
def running(folder: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str], httpx.Client]]:
    """The process, what its ready file says, and a client."""
    process = start(folder, "--now", "2026-11-24T09:55", *more)
    try:
        within(90, lambda: (folder / "ready.json").exists() or process.poll() is not None)
        with httpx.Client(trust_env=False, timeout=10) as web:
            yield process, json.loads((folder / "ready.json").read_text()), web
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running(tmp_path_factory.mktemp("demo"), "--citizens", "8") as begun:
        yield Demo(*begun)


def next_day(local: str) -> str:
    return (datetime.fromisoformat(local) + timedelta(days=1)).isoformat()


def test_the_ready_files_account_opens_the_same_calendar(demo: Demo) -> None:
    asked = {"depth": "1"}
    login = (demo.ready["caldav_username"], demo.ready["caldav_password"])
    home = f"{demo.ready['caldav_url']}calendars/{login[0]}/visits/"

    answer = demo.web.request("PROPFIND", home, headers=asked, auth=login)

    assert answer.status_code == 207
    assert answer.text.count(".ics</D:href>") == demo.feed().text.count("BEGIN:VEVENT")


def test_the_ready_files_citizen_has_every_sort_of_booking(demo: Demo) -> None:
    care = demo.care()
    zones = {datetime.fromisoformat(one["start"]).replace(tzinfo=SWEDEN).utcoffset() for one in care}

    assert len(care) >= 5
    assert len({one["facility"] for one in care}) >= 4
    assert len(zones) == 2  # both sides of the clock change
    assert any(one["invitation"] for one in care)
    assert any("STATUS:CANCELLED" in one for one in demo.events().values())


def test_a_moved_booking_shows_within_two_polls_and_then_stands_still(demo: Demo) -> None:
    moved = demo.care()[2]
    before, etag = demo.events(), demo.feed().headers["etag"]
    demo.control("PATCH", f"bookings/{moved['id']}", {"start": next_day(moved["start"]), "end": next_day(moved["end"])})
    within(2 * float(demo.ready["poll_seconds"]) + 3, lambda: demo.feed().headers["etag"] != etag)
    after = demo.events()
    changed = [uid for uid in before if before[uid] != after[uid]]

    assert before.keys() == after.keys()
    assert len(changed) == 1
    (uid,) = changed
    assert int(value(after[uid], "SEQUENCE")) > int(value(before[uid], "SEQUENCE"))
    assert value(after[uid], "DTSTART") != value(before[uid], "DTSTART")
    assert demo.feed(**{"If-None-Match": demo.feed().headers["etag"]}).status_code == 304
    within(30, lambda: sum("flyttad" in text for text in demo.told(demo.phone())) == 1)


def test_deleted_and_added_with_a_new_id_is_one_event_and_one_message(demo: Demo) -> None:
    old = demo.care()[3]
    before, told = demo.events(), demo.told(demo.phone())
    etag = demo.feed().headers["etag"]
    fields = {name: text for name, text in old.items() if name not in ("id", "start", "end")}
    new = {**fields, "id": "NEW-ID", "start": next_day(old["start"]), "end": next_day(old["end"])}
    demo.control("DELETE", f"bookings/{old['id']}")
    demo.control("POST", "bookings", new)
    within(60, lambda: len(demo.told(demo.phone())) > len(told))

    assert demo.feed().headers["etag"] != etag
    after = demo.events()
    assert before.keys() == after.keys()
    (message,) = demo.told(demo.phone())[len(told) :]
    assert "flyttad" in message
    assert "Tidigare" in message


def test_the_only_booking_at_a_facility_is_marked_after_the_second_look_and_not_before(demo: Demo) -> None:
    care = demo.care()
    only = next(one for one in care if [other["facility"] for other in care].count(one["facility"]) == 1)
    told = demo.told(demo.phone())
    events = demo.events()
    began = time.monotonic()
    demo.control("DELETE", f"bookings/{only['id']}")
    within(60, lambda: demo.events() != events)

    assert time.monotonic() - began > float(demo.ready["second_look_seconds"])
    within(20, lambda: len(demo.told(demo.phone())) == len(told) + 1)
    assert "visar inte längre" in demo.told(demo.phone())[-1]
    demo.control("POST", f"bookings/{only['id']}/restore")
    within(30, lambda: len(demo.told(demo.phone())) == len(told) + 2)
    assert "gäller igen" in demo.told(demo.phone())[-1]


def test_the_start_page_greets_in_both_languages(demo: Demo) -> None:
    swedish = demo.web.get(f"{demo.ready['base_url']}/")
    english = demo.web.get(f"{demo.ready['base_url']}/?lang=en")

    assert swedish.status_code == english.status_code == 200
    assert '<html lang="sv"' in swedish.text
    assert '<html lang="en"' in english.text


ORDINARY_DAY = {
    ("+46701740605", "Påminnelse: onsdag 25 november kl. 13.30, Björkängens vårdcentral. https://www.1177.se"),
    ("+46701740606", "Påminnelse: onsdag 25 november kl. 08.30, Björkängens vårdcentral. https://www.1177.se"),
    ("+46701740610", "Påminnelse: onsdag 25 november kl. 11.00, Björkängens vårdcentral. https://www.1177.se"),
    (
        "+46701740605",
        "Björkängens vårdcentral visar inte längre din tid måndag 30 november kl. 09.00. "
        "Hör med dem innan du åker: 070-174 06 70. https://www.1177.se",
    ),
    *(
        (
            phone,
            "Tid torsdag 26 november kl. 10.00, Björkängens vårdcentral. "
            "Avboka senast 25/11 kl. 10.00: http://127.0.0.1/a/...",
        )
        for phone in ("+46701740607", "+46701740612")
    ),
}
CHRISTMAS_EVE = {
    ("+46701740605", "Påminnelse: fredag 25 december kl. 13.30, Närakuten Torget. https://www.1177.se"),
    ("+46701740606", "Påminnelse: fredag 25 december kl. 08.30, Närakuten Torget. https://www.1177.se"),
    ("+46701740610", "Påminnelse: fredag 25 december kl. 11.00, Närakuten Torget. https://www.1177.se"),
    (
        "+46701740605",
        "Björkängens vårdcentral visar inte längre din tid tisdag 29 december kl. 09.00. "
        "Hör med dem innan du åker: 070-174 06 70. https://www.1177.se",
    ),
    *(
        (
            phone,
            "Tid måndag 28 december kl. 10.00, Norrviken, röntgen. "
            "Avboka senast 25/12 kl. 10.00: http://127.0.0.1/a/...",
        )
        for phone in ("+46701740607", "+46701740612")
    ),
}


def without_token(body: str) -> str:
    return re.sub(r"http://127\.0\.0\.1:\d+/a/[0-9A-Za-z]{22}$", "http://127.0.0.1/a/...", body)


@pytest.mark.parametrize(
    ("now", "expected"),
    [("2026-11-24T03:00", ORDINARY_DAY), ("2026-12-24T03:00", CHRISTMAS_EVE)],
    ids=["at 03:00", "on Christmas Eve"],
)
def test_once_ends_by_itself_and_exactly_the_right_texts_went_out(
    tmp_path: Path, now: str, expected: set[tuple[str, str]]
) -> None:
    process = start(tmp_path, "--once", "--citizens", "8", "--now", now, "--dir", str(tmp_path / "demo"))
    printed, _ = process.communicate(timeout=150)
    lines = (tmp_path / "demo" / "providers" / "accepted.jsonl").read_text().splitlines()
    accepted = [one["accepted"] for one in map(json.loads, lines) if "accepted" in one]

    assert process.returncode == 0
    assert "8 citizens, 29 coming bookings, 8 calendars, 6 messages (6 SMS, 0 e-mail)" in printed
    assert sorted((one["to"], without_token(one["body"])) for one in accepted) == sorted(expected)
    assert {one["segments"] for one in accepted} == {1}
