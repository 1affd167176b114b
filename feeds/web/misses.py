"""How many unknown addresses a network may ask for, how many failed logins an account may have. Forgets the old ones,
so that the table stays small."""

import ipaddress
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MissRules:
    """At most `most` misses of one origin in `seconds`; as many origins remembered as `origins`."""

    most: int = 30
    seconds: float = 60.0
    origins: int = 10_000


class Misses:
    """Counts misses per origin in fixed windows: by default whoever calls is of the network of their address. Safe to
    share between threads."""

    def __init__(
        self,
        monotonic: Callable[[], float],
        rules: MissRules = MissRules(),  # noqa: B008 - frozen
        origin_of: Callable[[str], str] | None = None,
    ) -> None:
        self._monotonic = monotonic
        self._rules = rules
        self._origin_of = origin_of or network_of
        self._windows: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._lock = threading.Lock()

    def are_too_many(self, client: str) -> bool:
        """Counts one more miss of this caller; True when its origin has had its share."""
        origin, now = self._origin_of(client), self._monotonic()
        with self._lock:
            begun_at, count = self._windows.pop(origin, (now, 0))
            if now - begun_at >= self._rules.seconds:
                begun_at, count = now, 0
            self._windows[origin] = (begun_at, count + 1)
            if len(self._windows) > self._rules.origins:
                self._windows.popitem(last=False)
        return count >= self._rules.most

    def __len__(self) -> int:
        return len(self._windows)


def network_of(client: str) -> str:
    """The /24 or /48 of an address; all that is no address (a socket's name) is one network."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return str(ipaddress.ip_network((address, 24 if address.version == 4 else 48), strict=False))
