"""A citizen who is told by e-mail, with a channel that keeps each message as it was handed over."""

import email
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message as ReadMail
from uuid import UUID

from notifier.channels import Accepted, Channel, Message
from notifier.channels.email_message import build, sender_address
from store.engagements import Engagement
from tests.notifier.answering import Citizen, citizen_at
from tests.notifier.conftest import Scene, at
from tests.people import ANNA, Person

TOLD_AT = at("2026-11-30 16:00")


@dataclass
class Relay:
    """Takes everything."""

    name: str = "email"
    provider: str = "smtp"
    taken: list[Message] = field(default_factory=list)

    def send(self, message: Message) -> Accepted:
        self.taken.append(message)
        return Accepted(f"{len(self.taken)}@example.se")


@dataclass
class Mailed:
    scene: Scene
    citizen: Citizen
    relay: Relay
    engagement: Engagement
    booking_id: UUID

    @classmethod
    @contextmanager
    def of(cls, scene: Scene) -> Iterator["Mailed"]:
        """Anna, reminded by e-mail of a visit tomorrow."""
        engagement = scene.subject(Person(ANNA.number, email=ANNA.email))
        booking_id, relay = scene.booking(engagement, "2026-12-01 13:30"), Relay()
        with citizen_at(scene, None, TOLD_AT) as citizen:  # type: ignore[arg-type]
            made = cls(scene, citizen, relay, engagement, booking_id)
            made.tell(TOLD_AT)
            yield made

    @property
    def channels(self) -> Mapping[str, Channel]:
        return {"email": self.relay}

    def tell(self, when: object) -> None:
        self.citizen.now = when  # type: ignore[assignment]
        self.scene.plan(self.citizen.now)
        self.scene.send(self.channels, self.citizen.now)

    @property
    def taken(self) -> list[Message]:
        return self.relay.taken

    @property
    def last(self) -> Message:
        return self.relay.taken[-1]

    def headers(self) -> ReadMail:
        """Of the last message, as its bytes have them."""
        return email.message_from_bytes(build(self.last, sender_address("K", "k@kallelse.example.se")).content)
