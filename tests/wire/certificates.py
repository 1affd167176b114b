"""Certificates made for one test run: an authority, and what it signs. Worth nothing anywhere else."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Pair:
    """PEM files of a certificate and its key."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates; `certificate` is what trusts them."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        self.certificate = self._signed(name, self._name, self._key, timedelta(days=1), authority=True).certificate

    def signed(self, name: str, *, valid_for: timedelta = timedelta(days=1)) -> Pair:
        """A certificate for 127.0.0.1; a negative time makes one that has expired."""
        return self._signed(name, _named(name), ec.generate_private_key(ec.SECP256R1()), valid_for, authority=False)

    def _signed(
        self, name: str, subject: x509.Name, key: ec.EllipticCurvePrivateKey, valid_for: timedelta, *, authority: bool
    ) -> Pair:
        real_now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder(self._name, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(real_now - timedelta(days=2))
            .not_valid_after(real_now + valid_for)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return self._written(name, made, key)

    def _written(self, name: str, made: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
        pair = Pair(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        pair.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        pair.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return pair


def demanding(server: Pair, client_authority: Path) -> ssl.SSLContext:
    """A server's side that asks every caller for a certificate of that authority."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(client_authority))
    context.load_cert_chain(server.certificate, server.key)
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # refuses within the handshake, not at some later read
    return context


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
