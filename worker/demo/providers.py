"""The simulated providers: Twilio's messaging API, 46elks', an SMTP host, and a list of everything they have accepted.

Run alone with `python -m worker.demo.providers`, or in a thread with `start_providers`. Not used in production.
"""

import argparse
import json
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from worker.demo.accepted import AcceptedList, Message
from worker.demo.elks_api import PROVIDER, ElksAccount, ElksApi, post_report
from worker.demo.elks_inbound import ElksInbound
from worker.demo.inbox import CONTENT_POLICY, inbox_page
from worker.demo.phone import Phone
from worker.demo.provider_faults import FaultMix, Way
from worker.demo.servers import LOOPBACK, RunningServer, clock_from, heeding_signals, loopback_socket, serve
from worker.demo.smtp_host import SmtpHost
from worker.demo.twilio_api import TwilioAccount, TwilioApi
from worker.demo.twilio_inbound import Inbound
from worker.demo.twilio_receipts import Pace, Receipts, post_callback


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """Where the list lies, which ports (0 takes a free one), and how the simulated Twilio behaves."""

    folder: Path
    port: int = 0
    smtp_port: int = 0
    account: TwilioAccount = field(default_factory=TwilioAccount)
    elks: ElksAccount = field(default_factory=ElksAccount)
    pace: Pace = field(default_factory=Pace)


@dataclass(frozen=True, slots=True)
class RunningProviders:
    """Providers being served."""

    url: str
    smtp_host: str
    smtp_port: int
    account: TwilioAccount
    elks: ElksAccount
    _accepted: AcceptedList
    _receipts: Receipts
    _server: RunningServer

    @property
    def inbox_url(self) -> str:
        return f"{self.url}/inbox"

    def messages(self) -> list[Message]:
        """Everything accepted, oldest first."""
        return self._accepted.messages()

    def stop(self) -> None:
        self._server.stop()
        self._receipts.stop()
        self._accepted.close()


def start_providers(settings: ProviderSettings, now: Callable[[], datetime]) -> RunningProviders:
    """Takes up what an earlier process left in the folder. Raises OSError if a port is taken."""
    accepted = AcceptedList(settings.folder / "accepted.jsonl")
    faults, elks_faults = FaultMix(), FaultMix()
    mixes = {"twilio": faults, PROVIDER: elks_faults}
    receipts = Receipts(
        accepted,
        lambda one: post_report(one) if _provider(one) == PROVIDER else post_callback(one, settings.account.token),
        lambda one: mixes[_provider(one)],
        settings.pace,
    )
    opted_out: set[str] = set()
    twilio = TwilioApi(settings.account, accepted, faults, receipts, now, opted_out)
    texts: dict[str, dict[str, Any]] = {}
    elks = ElksApi(settings.elks, accepted, elks_faults, receipts, now, texts)
    inbound = Inbound(settings.account, accepted, receipts, now, opted_out)
    elks_inbound = ElksInbound(settings.elks, accepted, receipts, now, texts)
    phone = Phone({"twilio": inbound.bring, PROVIDER: elks_inbound.bring})
    listener = loopback_socket(settings.smtp_port)
    app = Starlette(
        routes=[*twilio.routes, *elks.routes, *phone.routes, *_Desk(accepted, mixes).routes],
        lifespan=_with_smtp(SmtpHost(accepted, now), listener),
    )
    server = serve(app, settings.port)
    receipts.start()
    smtp_port = listener.getsockname()[1]
    return RunningProviders(
        server.url, LOOPBACK, smtp_port, settings.account, settings.elks, accepted, receipts, server
    )


def main() -> None:
    """Serves until SIGTERM or SIGINT; prints one line when it answers."""
    options = _options()
    wait = heeding_signals()
    settings = ProviderSettings(options.dir, options.port, options.smtp_port)
    running = start_providers(settings, clock_from(options.now))
    sys.stdout.write(f"ready {running.url} smtp {running.smtp_host}:{running.smtp_port}\n")
    sys.stdout.flush()
    wait()
    running.stop()


class _Desk:
    """What people and tests look at and set, beside the providers' own protocols."""

    def __init__(self, accepted: AcceptedList, mixes: Mapping[str, FaultMix]) -> None:
        self._accepted = accepted
        self._mixes = mixes  # by provider

    @property
    def routes(self) -> list[Route]:
        return [
            Route("/messages", self.list_messages, methods=["GET"]),
            Route("/faults", self.list_faults, methods=["GET"]),
            Route("/faults", self.set_faults, methods=["PUT"]),
            Route("/inbox", self.inbox, methods=["GET"]),
        ]

    async def list_messages(self, _: Request) -> Response:
        return JSONResponse([message.shown() for message in self._accepted.messages()])

    async def list_faults(self, request: Request) -> Response:
        return JSONResponse(self._concerned(request)[0].weights)

    async def set_faults(self, request: Request) -> Response:
        """Replaces the mix; a `seed` beside the weights makes the draws repeatable. `"lookups": 0` leaves questions
        about messages unanswered, `"receipts": 0` reports nothing from then on. `?provider=46elks` sets that one's
        mix alone, `?provider=twilio` the other's."""
        try:
            wanted = {str(name): float(number) for name, number in json.loads(await request.body()).items()}
            seed = int(wanted.pop("seed", 1))
            lookups, reports = (bool(wanted.pop(name, 1)) for name in ("lookups", "receipts"))
            for mix in self._concerned(request):
                mix.set({Way(name): weight for name, weight in wanted.items()}, seed)
                mix.answers, mix.reports = lookups, reports
        except (ValueError, TypeError, AttributeError, KeyError):
            return JSONResponse({"error": f"weights are positive numbers for {', '.join(Way)}"}, status_code=422)
        return await self.list_faults(request)

    def _concerned(self, request: Request) -> list[FaultMix]:
        """Raises KeyError for a provider that is none."""
        provider = request.query_params.get("provider")
        return list(self._mixes.values()) if provider is None else [self._mixes[provider]]

    async def inbox(self, request: Request) -> Response:
        page = inbox_page(self._accepted.messages(), to=request.query_params.get("to"))
        return HTMLResponse(page, headers={"Content-Security-Policy": CONTENT_POLICY, "Cache-Control": "no-store"})


def _provider(message: Message) -> str:
    return message.details.get("provider", "twilio")


def _with_smtp(host: SmtpHost, listener: socket.socket) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        server = await host.listen(listener)
        try:
            yield
        finally:
            server.close()

    return lifespan


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m worker.demo.providers", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--smtp-port", type=int, default=0)
    parser.add_argument("--dir", type=Path, required=True, help="where the list of accepted messages lies")
    parser.add_argument("--now", type=datetime.fromisoformat, help="where business time starts, with its offset")
    return parser.parse_args()


if __name__ == "__main__":
    main()
