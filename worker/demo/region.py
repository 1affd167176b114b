"""The simulated region: an aggregating service, its engagement index and the time books behind it, on loopback.

Run alone with `python -m worker.demo.region`, or in a thread with `start_region`. Not used in production.
"""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from worker.demo.cast import Cast, cast_of
from worker.demo.control_fields import InvalidField, refuse_field
from worker.demo.facilities import FACILITIES
from worker.demo.index_soap import index_answer, read_index_question
from worker.demo.region_answers import aggregated, details, direct, fault_met, indexed
from worker.demo.region_control import Control
from worker.demo.region_soap import (
    aggregated_answer,
    details_answer,
    direct_answer,
    read_details_question,
    read_question,
)
from worker.demo.region_state import AGGREGATOR, INDEX, SWEDEN, Fault, Region
from worker.demo.servers import NoAnswer, RunningServer, clock_from, heeding_signals, serve
from worker.demo.soap import SoapFault, fault_answer

_PATH = "/vp/{contract}/1/rivtabp21"
_XML = "text/xml; charset=utf-8"


_Answering = Callable[[bytes], Awaitable[tuple[str, bytes]]]
"""From a question to the address whose connection it goes by, and the answer. Raises SoapFault."""


@dataclass(frozen=True, slots=True)
class Waits:
    """How long silence lasts. The platform's own figures are 27 s and, towards its callers, no limit."""

    producer: timedelta = timedelta(seconds=0.3)  # the aggregating service for one time book
    connection: timedelta = timedelta(seconds=40)  # our caller, before the connection breaks


@dataclass(frozen=True, slots=True)
class RunningRegion:
    """A region being served; `cast` says who is in it, `state` may be read at any time."""

    url: str
    cast: Cast
    state: Region
    _server: RunningServer

    def stop(self) -> None:
        self._server.stop()


class Platform:
    """Answers GetSubjectOfCareSchedule, aggregated and direct, GetBookingDetails, and FindContent of the index."""

    def __init__(self, region: Region, waits: Waits) -> None:
        self._region = region
        self._waits = waits

    @property
    def routes(self) -> list[Route]:
        contracts = {
            "GetSubjectOfCareSchedule": self._schedule,
            "GetBookingDetails": self._details,
            "FindContent": self._index,
        }
        return [
            Route(_PATH.format(contract=name), self._answering(answer), methods=["POST"])
            for name, answer in contracts.items()
        ]

    def _answering(self, answer: _Answering) -> Callable[[Request], Awaitable[Response]]:
        async def handle(request: Request) -> Response:
            try:
                asked, content = await answer(await request.body())
            except SoapFault as fault:
                return Response(fault_answer(fault), 500, media_type=_XML)
            met = fault_met(self._region, asked)
            if met is Fault.TIMEOUT:
                return NoAnswer(wait=self._waits.connection)
            return Response(_cut(content) if met is Fault.TRUNCATED else content, media_type=_XML)

        return handle

    async def _schedule(self, message: bytes) -> tuple[str, bytes]:
        question = read_question(message)
        if not question.is_aggregated:
            found = direct(self._region, question.logical_address, question.subject)
            return question.logical_address, direct_answer(found.slots)
        answer = aggregated(self._region, question.subject)
        if answer.waits:
            await asyncio.sleep(self._waits.producer.total_seconds())
        return AGGREGATOR, aggregated_answer(answer.slots, answer.records, self._region.now())

    async def _details(self, message: bytes) -> tuple[str, bytes]:
        question = read_details_question(message)
        return question.logical_address, details_answer(details(self._region, question))

    async def _index(self, message: bytes) -> tuple[str, bytes]:
        rows = indexed(self._region, read_index_question(message))
        return INDEX, index_answer(rows, self._region.now().astimezone(SWEDEN))


def region_app(region: Region, cast: Cast, waits: Waits) -> Starlette:
    """The web application: the platform's paths and the control endpoint."""
    control = Control(region, cast.people)
    return Starlette(
        routes=[*Platform(region, waits).routes, *control.routes], exception_handlers={InvalidField: refuse_field}
    )


def start_region(
    now: Callable[[], datetime],
    *,
    citizens: int = 25,
    port: int = 0,
    waits: Waits | None = None,
    cast_at: datetime | None = None,
) -> RunningRegion:
    """A region whose bookings lie about the business clock's present, or about `cast_at`. Raises OSError if the port
    is taken."""
    cast = cast_of(citizens, cast_at or now())
    region = Region(FACILITIES, cast.bookings, now)
    for invitation in cast.invitations:
        region.invite(invitation)
    server = serve(region_app(region, cast, waits or Waits()), port)
    return RunningRegion(server.url, cast, region, server)


def main() -> None:
    """Serves until SIGTERM or SIGINT; prints one line when it answers."""
    options = _options()
    waits = Waits(timedelta(seconds=options.producer_wait), timedelta(seconds=options.connection_wait))
    wait = heeding_signals()
    running = start_region(clock_from(options.now), citizens=options.citizens, port=options.port, waits=waits)
    sys.stdout.write(f"ready {running.url}\n")
    sys.stdout.flush()
    wait()
    running.stop()


def _cut(answer: bytes) -> bytes:
    return answer[: len(answer) * 2 // 3]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m worker.demo.region", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--citizens", type=int, default=25)
    parser.add_argument("--now", type=datetime.fromisoformat, help="where business time starts, with its offset")
    parser.add_argument("--producer-wait", type=float, default=0.3, help="seconds until a silent time book is given up")
    parser.add_argument("--connection-wait", type=float, default=40, help="seconds until a silent connection breaks")
    return parser.parse_args()


if __name__ == "__main__":
    main()
