"""What a RIV-TA source needs to know of its platform. Reads no environment and opens no file."""

from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class RivtaSettings:
    """One platform. `url` ends in `/vp`; `logical_address` is the aggregating service's (`5565594230` is Inera's).

    `direct` says whether single facilities may be asked; `index_logical_address` is the engagement index's, None where
    it may not be asked: without either, open invitations cannot be found. `certificate` and `key` are PEM files for
    mutual TLS, without a pass phrase; `trust` is the PEM file of the authorities believed (the host's own where None).
    Plain http is taken only for this very machine: the question holds an identity number. Raises ValueError.
    """

    name: str
    url: str
    logical_address: str
    direct: bool = False
    index_logical_address: str | None = None
    certificate: Path | None = None
    key: Path | None = None
    trust: Path | None = None
    connect: timedelta = timedelta(seconds=3)
    read: timedelta = timedelta(seconds=35)  # the platform itself gives up after 28 s
    most_bytes: int = 20_000_000

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme == "https" or (parts.scheme == "http" and _is_this_machine(parts.hostname)):
            return
        raise ValueError(f"source {self.name}: the url must begin with https://")

    def endpoint(self, contract: str) -> str:
        """Where a contract is spoken."""
        return f"{self.url.rstrip('/')}/{contract}/1/rivtabp21"


def _is_this_machine(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False
