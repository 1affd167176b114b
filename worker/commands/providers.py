"""The command by which an operator sees and steers how SMS are shared between two providers."""

from datetime import UTC, datetime
from typing import Annotated

import structlog
import typer

from notifier import failover
from notifier.failover import Change, Shares
from notifier.providers import Providers, shares, steer
from store.weight_causes import WeightCause
from worker.commands.exits import Refused
from worker.commands.wired import wired
from worker.wiring import Wiring

log = structlog.get_logger()


def register(app: typer.Typer) -> None:
    app.command()(providers)


def providers(
    weight: Annotated[
        str | None, typer.Option(help="Of 100 SMS, how many this provider gets.", metavar="PROVIDER=NUMBER")
    ] = None,
    stop: Annotated[str | None, typer.Option(help="Gives this provider no more.", metavar="PROVIDER")] = None,
    start: Annotated[str | None, typer.Option(help="Gives it its part again.", metavar="PROVIDER")] = None,
) -> None:
    """Shows how SMS are shared between Twilio and 46elks, or changes it.

    Use it when a provider tells of trouble before we notice, or to take back one that has refused our account, as
    `kallelse check` says. Weights drift back to KALLELSE_TWILIO_SHARE once nothing has gone wrong for a quarter of an
    hour; a stopped provider stays stopped until it is started. A message of which nobody knows whether it went waits
    for its own provider. To stop all SMS use `kallelse pause`.

    Example: `kallelse providers`, `kallelse providers --weight 46elks=80`, or `kallelse providers --stop twilio`
    """
    with wired() as wiring:
        several = _several(wiring)
        with wiring.sessions.writing() as session:
            change = _change(several, weight, stop, start)
            if change is not None:
                made = steer(session, several, change, datetime.now(UTC))
                if made is None:
                    raise Refused("it is so already, or it would leave nobody to send: see `kallelse pause`")
                log.warning("weights_set", channel=several.name, reason=made.reason)
            now = shares(session, several, datetime.now(UTC))
    for provider, part in now.weights.items():
        typer.echo(f"{provider:<8}  {'stopped' if provider in now.stopped else f'{part} of 100'}")


def _several(wiring: Wiring) -> Providers:
    found = wiring.channels.get("sms")
    if not isinstance(found, Providers):
        raise Refused("there are not two SMS providers: set KALLELSE_TWILIO_... and KALLELSE_ELKS_... for both")
    return found


class _Steering:
    """One change, asked for in words."""

    def __init__(self, provider: str, weight: int | None, *, stops: bool) -> None:
        self._provider = provider
        self._weight = weight
        self._stops = stops

    def __call__(self, now: Shares) -> Change | None:
        if self._weight is not None:
            return failover.set_weight(now, self._provider, self._weight)
        if self._stops:
            reason = f"{self._provider} stopped"
            return failover.stopped(now, self._provider, WeightCause.OPERATOR, reason)
        return failover.started(now, self._provider)


def _change(several: Providers, weight: str | None, stop: str | None, start: str | None) -> _Steering | None:
    asked = [one for one in (weight, stop, start) if one is not None]
    if not asked:
        return None
    if len(asked) > 1:
        raise Refused("one change at a time: --weight, --stop or --start")
    provider, _, number = asked[0].partition("=")
    names = [one.provider for one in several.members]
    if provider not in names:
        raise Refused(f"{provider} is none of {', '.join(names)}")
    if weight is None:
        return _Steering(provider, None, stops=stop is not None)
    if not number.isdecimal() or int(number) > failover.ALL:
        raise Refused("write it as 46elks=80, with a number from 0 to 100")
    return _Steering(provider, int(number), stops=False)
