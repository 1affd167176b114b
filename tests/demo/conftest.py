"""A region and providers of each test's own, and a plain client that shares no code with the product."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from lxml import etree

from worker.demo.accepted import Message
from worker.demo.providers import ProviderSettings, RunningProviders, start_providers
from worker.demo.region import RunningRegion, Waits, start_region
from worker.demo.twilio_api import TwilioAccount
from worker.demo.twilio_receipts import Pace

QUESTION = """<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header>
<LogicalAddress xmlns="urn:riv:itintegration:registry:1">{address}</LogicalAddress>
<Actor xmlns="urn:riv:interoperability:headers:1">
<actorId>{subject}</actorId><actorType>subject_of_care</actorType></Actor></s:Header><s:Body>
<GetSubjectOfCareSchedule xmlns="urn:riv:crm:scheduling:GetSubjectOfCareScheduleResponder:1">
<healthcare_facility>{address}</healthcare_facility><subject_of_care>{subject}</subject_of_care>
</GetSubjectOfCareSchedule></s:Body></s:Envelope>"""
PATH = "/vp/GetSubjectOfCareSchedule/1/rivtabp21"
AGGREGATOR = "5565594230"


@dataclass
class MovableClock:
    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def forward(self, by: timedelta) -> None:
        self.now += by


@dataclass
class Asker:
    """Asks the region as a consumer would, and reads answers by local names only."""

    http: httpx.Client
    raw: httpx.Response | None = field(default=None)

    def ask(self, subject: str, address: str = AGGREGATOR) -> etree._Element:
        self.raw = self.http.post(PATH, content=QUESTION.format(address=address, subject=subject).encode())
        return etree.fromstring(self.raw.content)

    def ids(self, subject: str, address: str = AGGREGATOR) -> list[str]:
        return sorted(texts(self.ask(subject, address), "bookingId"))

    def statuses(self, subject: str) -> dict[str, str]:
        records = self.ask(subject).iter("{*}ProcessingStatusList")
        return {texts(record, "logicalAddress")[0]: texts(record, "statusCode")[0] for record in records}

    def book(self, **fields: object) -> str:
        answer = self.http.post("/control/bookings", json=fields)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def set_faults(self, **faults: str) -> None:
        assert self.http.put("/control/faults", json=faults).status_code == 200


def texts(element: etree._Element, name: str) -> list[str]:
    return [found.text or "" for found in element.iter(f"{{*}}{name}")]


def wait_until(condition: Callable[[], bool], *, limit: float = 10) -> None:
    """Fails when the condition has not come true within `limit` seconds."""
    until = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.01)


@pytest.fixture
def clock(now: datetime) -> MovableClock:
    return MovableClock(now)


@pytest.fixture
def region(clock: Callable[[], datetime]) -> Iterator[RunningRegion]:
    waits = Waits(producer=timedelta(seconds=0.05), connection=timedelta(seconds=0.5))
    running = start_region(clock, citizens=25, waits=waits)
    yield running
    running.stop()


@pytest.fixture
def asker(region: RunningRegion) -> Iterator[Asker]:
    with httpx.Client(base_url=region.url, trust_env=False, timeout=10) as client:
        yield Asker(client)


@pytest.fixture
def provider_settings(tmp_path: Path) -> ProviderSettings:
    account = TwilioAccount(slow_for=timedelta(seconds=0.05), hang_for=timedelta(seconds=0.5))
    pace = Pace(sent=timedelta(), delivered=timedelta(seconds=0.02), retry=timedelta(seconds=0.02))
    return ProviderSettings(tmp_path / "providers", account=account, pace=pace)


@pytest.fixture
def providers(provider_settings: ProviderSettings) -> Iterator[RunningProviders]:
    running = start_providers(provider_settings, lambda: datetime.now(UTC))
    yield running
    running.stop()


@pytest.fixture
def provider_http(providers: RunningProviders) -> Iterator[httpx.Client]:
    auth = (providers.account.sid, providers.account.token)
    with httpx.Client(base_url=providers.url, auth=auth, trust_env=False, timeout=10) as client:
        yield client


@pytest.fixture
def message(now: datetime) -> Message:
    """An SMS as the simulated Twilio keeps it."""
    return Message(
        id="SM1",
        channel="sms",
        to="+46701740605",
        body="Välkommen på torsdag",
        accepted_at=now,
        status="queued",
        details={"account_sid": "AC1", "from": "Kallelse"},
    )
