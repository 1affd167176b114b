"""Why the weights of providers were changed, by themselves: the pure decision needs them without tables."""

from enum import StrEnum


class WeightCause(StrEnum):
    SETTINGS = "settings"  # the resting points, as an installation begins or its settings change
    ERRORS = "errors"
    SLOW = "slow"
    DRIFT = "drift"  # back towards the resting points
    SHUT_OUT = "shut_out"  # the provider takes nothing from this account: stopped
    OPERATOR = "operator"
