"""What a link in a message is for. A link has one of these purposes and no other."""

from enum import StrEnum


class LinkAction(StrEnum):
    CONFIRM = "confirm"  # the visit will be kept
    CANCEL = "cancel"  # the clinic is asked to cancel the visit
    UNSUBSCRIBE = "unsubscribe"  # no more reminders to this address by this channel
    WRONG_PERSON = "wrong_person"  # the address is not the person's whom we mean
    START = "start"  # reminders to this address again
    READ = "read"  # what is to be read before the visit
