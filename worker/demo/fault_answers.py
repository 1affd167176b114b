"""How a simulated provider answers once it has accepted a message: as it should, or as the fault mix says."""

from dataclasses import dataclass
from datetime import timedelta

import anyio
from starlette.responses import HTMLResponse, Response

from worker.demo.provider_faults import Way
from worker.demo.servers import NoAnswer

_JUNK = "<!doctype html><title>Underhåll</title><p>Tjänsten är strax tillbaka.</p>"


@dataclass(frozen=True, slots=True)
class Manner:
    """How long it takes over an answer that comes late, and how long it holds a connection that gets none."""

    slow_for: timedelta
    hang_for: timedelta

    async def answer(self, way: Way, fine: Response, failed: Response) -> Response:
        """`fine` is the answer that says so, `failed` the one of a server that broke after it had accepted."""
        match way:
            case Way.ERROR_AFTER:
                return failed
            case Way.RESET:
                return NoAnswer(reset=True)
            case Way.HANG:
                return self.silence()
            case Way.JUNK:
                return HTMLResponse(_JUNK, status_code=fine.status_code)
            case Way.SLOW:
                await anyio.sleep(self.slow_for.total_seconds())
        return fine

    def silence(self) -> Response:
        return NoAnswer(wait=self.hang_for)
