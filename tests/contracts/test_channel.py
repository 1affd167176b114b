"""What any channel must do, whatever its provider. Each adapter's tests subclass these; alone they hold no test."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest

from notifier.channels import Accepted, Channel, ChannelError, Message, Unknown, Unreachable
from tests.conftest import NOW
from tests.people import ANNA

SECRETS = (
    "+46701740605",
    "46701740605",
    "anna@example.se",
    "Tandregleringen",
    "Ängsgatan",
    "tisdag 1 december",
    "hemlig-nyckel",
)


def message(**values: object) -> Message:
    """A reminder to Anna by SMS. Give it `to` and the e-mail's texts where the channel is another."""
    filled: dict[str, object] = {
        "to": ANNA.phone,
        "subject_line": "",
        "text": "Påminnelse: tisdag 1 december kl. 13.30, Tandregleringen Ängsgatan.",
        "html": "",
        "language": "sv",
        "delivery_id": "0190a7b2-1111-7abc-8def-0123456789ab",
        "attempt_id": "Vx3nR0mQ_k-Zb7yPq2sT1A",
        "useful_until": NOW + timedelta(hours=3),
        "now": NOW,
        **values,
    }
    return Message(**filled)  # type: ignore[arg-type]


Running = AbstractContextManager[Channel]


class ChannelContract:
    """Subclass, and say how the channel is set up. Each set-up is a context manager that gives a channel."""

    kind: str
    accepting: Callable[[], Running]
    unreachable: Callable[[], Running]

    def message(self) -> Message:
        raise NotImplementedError

    def test_an_accepted_message_has_an_id_and_a_channel_has_names(self) -> None:
        with self.accepting() as channel:
            taken = channel.send(self.message())
            assert isinstance(taken, Accepted)
            assert taken.provider_id
            assert channel.name == self.kind
            assert channel.provider

    def test_a_message_that_never_left_can_be_sent_again(self) -> None:
        with self.unreachable() as channel, pytest.raises(Unreachable):
            channel.send(self.message())

    def test_neither_errors_nor_logs_nor_reprs_name_the_recipient_or_the_text(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        with self.unreachable() as channel, pytest.raises(ChannelError) as caught:
            channel.send(self.message())
        with self.accepting() as channel:
            shown = f"{channel!r}{channel.send(self.message())!r}{self.message()!r}"
        assert_nothing_personal(shown + caplog.text + everything(caught.value))


class NetworkChannelContract(ChannelContract):
    """What a channel must do besides, when its provider is at the other end of a network."""

    hanging: Callable[[], Running]
    resetting: Callable[[], Running]

    def test_a_provider_that_hangs_after_the_message_leaves_it_unknown_not_to_be_sent_again(self) -> None:
        with self.hanging() as channel, pytest.raises(Unknown) as caught:
            channel.send(self.message())
        assert_nothing_personal(everything(caught.value))

    def test_a_connection_reset_after_the_message_leaves_it_unknown_not_to_be_sent_again(self) -> None:
        with self.resetting() as channel, pytest.raises(Unknown) as caught:
            channel.send(self.message())
        assert_nothing_personal(everything(caught.value))


def everything(error: ChannelError) -> str:
    """All that a log line or a traceback could show of an error."""
    assert error.__cause__ is None
    assert error.__context__ is None  # the library's own error quotes numbers and addresses
    return f"{error}{error!r}{vars(error)}{error.args}"


def assert_nothing_personal(text: str) -> None:
    found = [secret for secret in SECRETS if secret in text]
    assert not found
