"""Which links to our pages a message holds: to cancel a visit, to read what to prepare, and in e-mail to end reminders
or to say that it went to the wrong person. Writes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from notifier.action_links import LinkedTo, NewLink, about_address, about_visits
from store.bookings import Booking
from store.link_actions import LinkAction
from store.purposes import REMINDING, Purpose
from store.vault import Vault


@dataclass(frozen=True, slots=True)
class LinkedMessage:
    """What the links of one delivery depend on. `visits`: those it asks whether to cancel, if it asks; `to_read`: those
    before which there is something to read on a page of ours, if it leads to that."""

    delivery_id: UUID
    purpose: Purpose
    to: LinkedTo
    visits: Sequence[Booking]
    to_read: Sequence[Booking] = ()


@dataclass(frozen=True, slots=True)
class MessageLinks:
    """The addresses that the message holds, empty where it has none, and the links to keep."""

    cancelling: str = field(default="", repr=False)
    reading: str = field(default="", repr=False)
    unsubscribing: str = field(default="", repr=False)
    disowning: str = field(default="", repr=False)
    made: tuple[NewLink, ...] = ()

    @property
    def addresses(self) -> tuple[str, ...]:
        found = (self.cancelling, self.reading, self.unsubscribing, self.disowning)
        return tuple(one for one in found if one)


def message_links(vault: Vault, message: LinkedMessage, site: str, now: datetime) -> MessageLinks:
    """A change is told to those too who have ended their reminders: such a message has no link that ends it."""
    to, for_it = message.to, message.delivery_id
    cancelling = about_visits(vault, LinkAction.CANCEL, to, message.visits, now) if message.visits else None
    reading = about_visits(vault, LinkAction.READ, to, message.to_read, now) if message.to_read else None
    by_email = to.channel == "email"
    ends = by_email and message.purpose in REMINDING
    unsubscribing = about_address(vault, LinkAction.UNSUBSCRIBE, to, for_it) if ends else None
    disowning = about_address(vault, LinkAction.WRONG_PERSON, to, for_it) if by_email else None
    return MessageLinks(
        cancelling=_address(cancelling, site),
        reading=_address(reading, site),
        unsubscribing=_address(unsubscribing, site),
        disowning=_address(disowning, site),
        made=tuple(one for one in (cancelling, reading, unsubscribing, disowning) if one is not None),
    )


def _address(link: NewLink | None, site: str) -> str:
    return "" if link is None else link.address(site)
