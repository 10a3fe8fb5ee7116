"""The pieces that certificates are made of, and files with one and its key.

`cryptography` takes a tenth of a second to load, so it is loaded by who uses it.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import StorageError

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

    Pair = tuple[EllipticCurvePrivateKey, x509.Certificate]

__all__ = [
    "CertificateFacts",
    "certificate_pem",
    "facts_of",
    "general_name",
    "key_usage",
    "load_pair",
    "new_key",
    "pair_pem",
    "unusable",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFacts:
    """What a certificate says.

    Attributes:
        subject: common name.
        names: host names and addresses it is valid for; none but of a server.
        not_before, not_after: when it is valid, UTC.
        sha256: fingerprint, hexadecimal.
    """

    subject: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    sha256: str


def load_pair(path: Path) -> Pair | None:
    """Read a key and its certificate; None when there is no file.

    Raises:
        StorageError: what is there is something else, or cannot be read.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unusable(path, error) from error
    try:
        key, certificate = load_pem_private_key(data, None), x509.load_pem_x509_certificate(data)
    except ValueError as error:
        raise StorageError(
            f"cannot use {path}: it holds no key and certificate",
            hint="move it away: a new one is made; clients then need the new authority",
        ) from error
    if not isinstance(key, EllipticCurvePrivateKey):
        raise StorageError(f"cannot use {path}: its key is of another kind")
    return key, certificate


def facts_of(certificate: x509.Certificate) -> CertificateFacts:
    """Return what a certificate says."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import NameOID

    try:
        general = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = tuple(str(name.value) for name in general)
    except x509.ExtensionNotFound:
        names = ()
    common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return CertificateFacts(
        subject=str(common[0].value) if common else "",
        names=names,
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        sha256=certificate.fingerprint(hashes.SHA256()).hex(),
    )


def pair_pem(key: EllipticCurvePrivateKey, certificate: x509.Certificate) -> str:
    """Return a key and its certificate as one PEM text."""
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")
    return text + certificate_pem(certificate)


def certificate_pem(certificate: x509.Certificate) -> str:
    """Return a certificate, without any key, as PEM."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM).decode("ascii")


def new_key() -> EllipticCurvePrivateKey:
    """Make a private key."""
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    """Return what a key is for: to sign certificates, or to prove who one is."""
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def general_name(name: str) -> x509.GeneralName:
    """Return a host name or an address as certificates have it."""
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def unusable(path: Path, error: OSError) -> StorageError:
    """Return the error about a file that cannot be read or written."""
    return StorageError(f"cannot use {path}: {error.strerror or error}")
