"""The simulated region: an aggregating service, its engagement index and the time books behind it, on loopback.

Run alone with `python -m worker.demo.region`, or in a thread with `start_region`. Not used in production.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from worker.demo.cast import Cast, cast_of
from worker.demo.facilities import FACILITIES
from worker.demo.region_answers import aggregated, direct, fault_met
from worker.demo.region_control import Control, InvalidField, refuse_field
from worker.demo.region_soap import Question, SoapFault, aggregated_answer, direct_answer, fault_answer, read_question
from worker.demo.region_state import AGGREGATOR, Fault, Region
from worker.demo.servers import NoAnswer, RunningServer, clock_from, serve, until_told_to_stop

SCHEDULE_PATH = "/vp/GetSubjectOfCareSchedule/1/rivtabp21"
_XML = "text/xml; charset=utf-8"


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


class ScheduleEndpoint:
    """Answers GetSubjectOfCareSchedule, aggregated and direct."""

    def __init__(self, region: Region, waits: Waits) -> None:
        self._region = region
        self._waits = waits

    async def __call__(self, request: Request) -> Response:
        try:
            question = read_question(await request.body())
            met = fault_met(self._region, AGGREGATOR if question.is_aggregated else question.logical_address)
            answer = await self._answer(question)
        except SoapFault as fault:
            return Response(fault_answer(fault), 500, media_type=_XML)
        if met is Fault.TIMEOUT:
            return NoAnswer(wait=self._waits.connection)
        return Response(_cut(answer) if met is Fault.TRUNCATED else answer, media_type=_XML)

    async def _answer(self, question: Question) -> bytes:
        if not question.is_aggregated:
            return direct_answer(direct(self._region, question.logical_address, question.subject).slots)
        answer = aggregated(self._region, question.subject)
        if answer.waits:
            await asyncio.sleep(self._waits.producer.total_seconds())
        return aggregated_answer(answer.slots, answer.records, self._region.now())


def region_app(region: Region, cast: Cast, waits: Waits) -> Starlette:
    """The web application: the platform's path and the control endpoint."""
    schedule = Route(SCHEDULE_PATH, ScheduleEndpoint(region, waits).__call__, methods=["POST"])
    control = Control(region, cast.people)
    return Starlette(routes=[schedule, *control.routes], exception_handlers={InvalidField: refuse_field})


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
    server = serve(region_app(region, cast, waits or Waits()), port)
    return RunningRegion(server.url, cast, region, server)


def main() -> None:
    """Serves until SIGTERM or SIGINT; prints one line when it answers."""
    options = _options()
    waits = Waits(timedelta(seconds=options.producer_wait), timedelta(seconds=options.connection_wait))
    with until_told_to_stop() as told:
        running = start_region(clock_from(options.now), citizens=options.citizens, port=options.port, waits=waits)
        sys.stdout.write(f"ready {running.url}\n")
        sys.stdout.flush()
        told.wait()
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
