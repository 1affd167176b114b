"""The web application, put together: calendars in front as a plain ASGI callable, then hooks and pages."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import BaseRoute

from feeds.routes import in_front_of
from notifier import actions, receipts, replies
from notifier.actions import Acted, Looked, Press
from notifier.channels.elks_receipts import LookedUp
from notifier.channels.elks_sms import ElksSms
from notifier.channels.inbound import ReceivedText
from notifier.channels.twilio_receipts import ReceivedReceipt
from notifier.providers import members
from notifier.web import actions as action_pages
from notifier.web import hooks
from notifier.web.actions import ActionSite, Pressed
from worker.health import findings
from worker.kept import Kept
from worker.metrics import count, exposition
from worker.web import pages
from worker.web.access_log import AccessLog
from worker.web.health import Health
from worker.web.health import routes as health_routes
from worker.web.pages import Pages, language_of
from worker.web.security import SecurityHeaders, is_from_here
from worker.wiring import Wiring


def build_app(wiring: Wiring, routes: Sequence[BaseRoute] = ()) -> AccessLog:
    """The whole application; `routes` are pages of whoever starts it (the demo). Close it when it has stopped."""
    inner = Starlette(
        routes=[*_hooks(wiring), *_actions(wiring), *health_routes(_health(wiring)), pages.static(), *routes]
    )
    return AccessLog(in_front_of(SecurityHeaders(inner), wiring.sessions, wiring.vault))


def _health(wiring: Wiring) -> Health:
    found = Kept(partial(findings, wiring))
    counted = Kept(partial(count, wiring), seconds=10)
    token = wiring.settings.metrics_token.get_secret_value()
    return Health(found, Kept(lambda: exposition(wiring, counted(), found())), token)


def _actions(wiring: Wiring) -> Sequence[BaseRoute]:
    def look(token: str) -> Looked:
        return actions.look(wiring.sessions, wiring.vault, token, datetime.now(UTC))

    def act(token: str, pressed: Pressed) -> Acted:
        press = Press(
            at=datetime.now(UTC),
            now=wiring.now(),
            choice=pressed.choice,
            is_one_click=pressed.is_one_click,
            seal=pressed.seal,
            language=pressed.language,
        )
        return actions.act(wiring.sessions, wiring.vault, token, press)

    pages = Pages(Path(action_pages.__file__).parent / "templates")
    return action_pages.routes(ActionSite(look, act, pages.answer, language_of, is_from_here))


def _hooks(wiring: Wiring) -> Sequence[BaseRoute]:
    return [*_twilio_hooks(wiring), *_elks_hooks(wiring)]


def _twilio_hooks(wiring: Wiring) -> Sequence[BaseRoute]:
    settings = wiring.settings
    token = settings.twilio_auth_token.get_secret_value()
    if not settings.twilio_account_sid or not token:
        return ()

    def record(receipt: ReceivedReceipt) -> None:
        receipts.record(wiring.sessions, receipt, datetime.now(UTC))

    known = hooks.HookSettings(settings.public_url, settings.twilio_account_sid, token, settings.twilio_sender)
    return [*hooks.routes(known, record), *hooks.reply_routes(known, partial(_take, wiring))]


def _elks_hooks(wiring: Wiring) -> Sequence[BaseRoute]:
    channel = next((one for one in members(wiring.channels.get("sms")) if isinstance(one, ElksSms)), None)
    if channel is None:
        return ()

    def record(receipt: LookedUp) -> None:
        receipts.record(wiring.sessions, receipt, datetime.now(UTC))

    secret = wiring.settings.elks_hook_secret.get_secret_value()
    take = partial(_take, wiring)
    return hooks.elks_routes(hooks.ElksHooks(secret, channel.progress, record, channel.received, take))


def _take(wiring: Wiring, text: ReceivedText) -> str:
    real_now, site = datetime.now(UTC), wiring.settings.public_url
    return replies.take(wiring.sessions, wiring.vault, text, real_now, wiring.now(), site)
