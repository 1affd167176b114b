"""What somebody who answers a text may want. Texts alone destroy nothing: none of these touches a booking."""

from enum import StrEnum


class Intent(StrEnum):
    STOP = "stop"  # no more texts to this number
    START = "start"  # texts again
    HELP = "help"
    WRONG_PERSON = "wrong_person"  # the number is not the person's whom we mean
    CONFIRM = "confirm"  # they come
    CANCEL = "cancel"  # they want to cancel: answered with a link
    UNKNOWN = "unknown"  # anything else: changes nothing
