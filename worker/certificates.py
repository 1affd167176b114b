"""Our certificates at sources: how long they still hold, and whether a source's server and ours come to terms."""

import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509

from worker.finding import Finding
from worker.settings import SourceSettings

_WARN_DAYS = (1, 7, 14, 30)  # before the last day; said as the first of them that fits
_MOST_URGENT = 7  # from then on it is not well
_CONNECT_SECONDS = 3.0


def lasting(source: SourceSettings, real_now: datetime) -> Finding | None:
    """How long our certificate at the source holds; None where it takes none."""
    if source.certificate is None:
        return None
    what = f"certificate {source.name}"
    ends_at = _ends_at(source.certificate)
    if ends_at is None:
        return Finding(what, is_well=False, meaning="the source's `certificate` names no certificate in PEM")
    if ends_at <= real_now:
        meaning = f"it has expired on {ends_at:%Y-%m-%d}: the source answers nobody until there is a new one"
        return Finding(what, is_well=False, meaning=meaning)
    days = (ends_at - real_now).days
    step = next((step for step in _WARN_DAYS if days < step), None)
    if step is None:
        return Finding(what, is_well=True, meaning=f"holds until {ends_at:%Y-%m-%d}")
    meaning = f"it expires on {ends_at:%Y-%m-%d}, within {step} days: put a new one in its place before that"
    return Finding(what, is_well=step > _MOST_URGENT, meaning=meaning, warns=True)


def reached(source: SourceSettings) -> Finding:
    """Whether the source's address takes a connection and, where it is https, whether the two come to terms. Nothing
    is asked."""
    what = f"source {source.name}"
    missing = [name for name in ("certificate", "key", "trust") if _is_unreadable(getattr(source, name))]
    if missing:
        return Finding(what, is_well=False, meaning=f"cannot read its {', '.join(missing)}")
    try:
        return Finding(what, is_well=True, meaning=_greeted(source))
    except ssl.SSLCertVerificationError as error:
        meaning = f"its server is not believed ({error.verify_message}): see `trust`, and `url`"
    except ssl.SSLError as error:
        meaning = f"no agreement on TLS ({error.reason}): see `certificate` and `key`"
    except OSError:
        meaning = "no connection to its address: network, firewall or `url`"
    return Finding(what, is_well=False, meaning=meaning)


def _greeted(source: SourceSettings) -> str:
    """Raises OSError, ssl.SSLError among them."""
    parts = urlsplit(source.url)
    host = parts.hostname or ""
    with socket.create_connection(
        (host, parts.port or (443 if parts.scheme == "https" else 80)), timeout=_CONNECT_SECONDS
    ) as connection:
        if parts.scheme != "https":
            return "its address takes connections"
        with _context(source).wrap_socket(connection, server_hostname=host) as greeted:
            return f"its server is believed and talks {greeted.version()}"


def _context(source: SourceSettings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=source.trust)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if source.certificate is not None:
        context.load_cert_chain(source.certificate, source.key, password="")
    return context


def _ends_at(path: Path) -> datetime | None:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc.astimezone(UTC)
    except (OSError, ValueError):
        return None


def _is_unreadable(path: Path | None) -> bool:
    return path is not None and not path.is_file()
