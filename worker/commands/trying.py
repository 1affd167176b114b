"""Commands that talk to others at once: ask the sources, send a test message."""

import secrets
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

import typer

from notifier.channels import Channel, ChannelError, Message, Unknown
from notifier.providers import Channels, members
from notifier.recipients import InvalidEmail, InvalidPhone, parse_email, parse_phone
from store import engagements, enrolment
from store.enrolment import PollOutcome
from worker.commands.exits import Failed, Refused
from worker.commands.progress import steps
from worker.commands.wired import our_id, wired
from worker.logs import configure_logs
from worker.polling import poll_claimed
from worker.settings import read_settings
from worker.wiring import Closable, Wiring, open_channels

_SETTING = {"sms": "KALLELSE_TWILIO_ACCOUNT_SID or KALLELSE_ELKS_USERNAME", "email": "KALLELSE_SMTP_HOST"}


def register(app: typer.Typer) -> None:
    app.command()(poll)
    app.command(name="send-test")(send_test)


def poll(
    subject: Annotated[
        UUID | None,
        typer.Option(help="Only this person: our id, from `kallelse subjects list`.", parser=our_id, metavar="ID"),
    ] = None,
) -> None:
    """Asks the sources now, about everybody or one person, without waiting for the next time they are due.

    Use it after an import, or to see whether a source answers. It may be repeated, and run beside a worker; messages
    are not sent by it. A booking that is missing is looked for again after a while, never believed gone at once. Exit
    code 1 when some got no answer.

    Example: `kallelse poll`, or `kallelse poll --subject 01a206b5-ca55-7cf9-8036-32bf2ca86384`
    """
    with wired() as wiring:
        _require_sources(wiring)
        outcomes = _asked(wiring, subject)
        coming = _coming(wiring, subject)
    asked = [outcome for outcome in outcomes if outcome.was_asked]
    errors = Counter(outcome.error for outcome in asked if outcome.error)
    typer.echo(f"{len(asked)} asked about, {len(asked) - errors.total()} answered; {coming} coming bookings are known.")
    if len(asked) < len(outcomes):
        typer.echo(f"{len(outcomes) - len(asked)} not asked about: no consent stands, or the person has died.")
    if errors:
        raise Failed(f"no answer: {', '.join(f'{count} {code}' for code, count in sorted(errors.items()))}")


def send_test(
    to: Annotated[str, typer.Option(help="Your own mobile number or e-mail address.")],
) -> None:
    """Sends a test message to yourself, by each provider of the channel that fits, to show that its settings are right.

    Use it after setting a provider up. It goes out for real and may cost, unless KALLELSE_PAPER_FOLDER is set; it is
    not in the ledger.

    Example: `kallelse send-test --to 070-174 06 05`, or `kallelse send-test --to me@example.com`
    """
    name, address = _test_address(to)
    settings = read_settings().settings
    configure_logs(settings.log_format)
    channels = open_channels(settings)
    try:
        typer.echo(hand_over(channels, name, _test_message(address)))
    finally:
        for channel in set(channels.values()):
            if isinstance(channel, Closable):
                channel.close()


def hand_over(channels: Channels, name: str, message: Message) -> str:
    """Hands one message to each provider of the channel of that name; what they said. Raises Refused without one,
    Failed if one failed."""
    handed = members(channels.get(name))
    if not handed:
        raise Refused(f"there is no channel for {name}: set {_SETTING[name]} and what belongs to it")
    return "\n".join(_handed(one, message) for one in handed)


def _handed(channel: Channel, message: Message) -> str:
    try:
        accepted = channel.send(message)
    except Unknown as error:
        raise Failed(f"nobody knows whether {channel.provider} took it ({error}): look at your phone or mail") from None
    except ChannelError as error:
        raise Failed(f"{channel.provider} did not take it ({error})") from None
    return (
        f"{channel.provider} took it as {accepted.provider_id}. Accepted is not delivered: look at your phone or mail."
    )


def _require_sources(wiring: Wiring) -> None:
    with wiring.sessions.reading() as session:
        engaged = enrolment.engaged_sources(session)
    if not engaged:
        raise Refused("there is nobody to ask about: set KALLELSE_SOURCES, then `kallelse subjects import`")
    missing = engaged - wiring.syncing.sources.keys()
    if missing:
        raise Refused(
            f"people are to be asked about at {', '.join(sorted(missing))}, which KALLELSE_SOURCES does not name"
        )


def _asked(wiring: Wiring, subject: UUID | None) -> list[PollOutcome]:
    with wiring.sessions.writing() as session:
        if subject is not None and not enrolment.is_known(session, subject):
            raise Refused("there is no subject with this id; `kallelse subjects list` shows them")
        count = engagements.wake_all(session, wiring.now(), subject)
    lease = wiring.lease + 2 * wiring.poll_timeout
    outcomes = []
    for _ in steps("Asking", count):
        with wiring.sessions.writing() as session:
            claim = enrolment.claim_poll(session, wiring.now(), lease, subject)
        if claim is not None:
            poll_claimed(wiring.syncing, [claim])
            with wiring.sessions.reading() as session:
                outcomes.append(enrolment.poll_outcome(session, claim.id))
    return outcomes


def _coming(wiring: Wiring, subject: UUID | None) -> int:
    with wiring.sessions.reading() as session:
        return sum(one.coming for one in enrolment.enrolled(session, wiring.now(), subject))


def _test_address(to: str) -> tuple[str, str]:
    try:
        return ("email", parse_email(to)) if "@" in to else ("sms", parse_phone(to))
    except (InvalidEmail, InvalidPhone) as fault:
        raise Refused(f"--to: {fault}") from None


def _test_message(address: str) -> Message:
    now = datetime.now(UTC)
    text = "Det här är ett prov från Kallelse. Du behöver inte göra något."
    return Message(
        to=address,
        subject_line="Prov från Kallelse",
        text=text,
        html=f'<html lang="sv"><body><p>{text}</p></body></html>',
        language="sv",
        delivery_id=f"test-{secrets.token_hex(8)}",
        attempt_id=secrets.token_urlsafe(16),
        useful_until=now + timedelta(hours=1),
        now=now,
    )
