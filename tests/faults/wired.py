"""The product's parts, wired as a process would be, several times over one database and one provider if need be."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from dramatiq import Broker, Worker

from store.vault import make_key_file
from worker import processes
from worker.clock import BusinessClock
from worker.demo.providers import RunningProviders
from worker.settings import read_settings
from worker.wiring import Wiring, wire


def wired(
    database_url: str, folder: Path, providers: RunningProviders, clock: BusinessClock, **settings: object
) -> Wiring:
    """One process's wiring. Those that share a folder share its keys."""
    keys = folder / "keys.json"
    if not keys.exists():
        make_key_file(keys)
    configuration = read_settings(
        {},
        **{
            "database_url": database_url,
            "keys": keys,
            "public_url": "http://kallelse.example.se",
            "twilio_account_sid": providers.account.sid,
            "twilio_auth_token": providers.account.token,
            "twilio_sender": providers.account.sender,
            "twilio_api_base_url": providers.url,
            "tick_seconds": 0.1,
            "worker_threads": 4,
            **settings,
        },
    )
    return wire(configuration, clock)


@contextmanager
def process(wiring: Wiring, *, works: bool = True, ticks: bool = True) -> Iterator[threading.Event]:
    """A worker and a clock on a broker of their own. The event stops them, as SIGTERM would."""
    stopping = threading.Event()
    with processes.running(wiring, None, stopping, works=works, ticks=ticks):
        yield stopping


@contextmanager
def working(broker: Broker, threads: int) -> Iterator[None]:
    """A worker alone, on a broker that the test rings by itself."""
    worker = Worker(broker, worker_timeout=50, worker_threads=threads)
    worker.start()
    try:
        yield
    finally:
        worker.stop()
        broker.close()


def set_faults(provider_url: str, *, provider: str = "", **mix: float) -> None:
    """From now on the simulated providers, or one of them, go wrong by this mix of weights."""
    of = {"provider": provider} if provider else {}
    answer = httpx.put(f"{provider_url}/faults", params=of, json=mix, trust_env=False)
    assert answer.status_code == 200
