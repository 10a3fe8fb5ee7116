"""The daemon's own certificate authority: made on first use, in files of the state directory.

Each file holds a private key and its certificate, so
that the two are always of one kind, is created 0600, and is replaced as a whole.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from harness.clock import Clock
from harness.errors import CertificateInvalid, InvalidParameters
from harness.private_files import locked, write_private

from .certificates import (
    certificate_pem,
    facts_of,
    general_name,
    key_usage,
    load_pair,
    new_key,
    pair_pem,
    unusable,
)
from .clients import IssuedCertificates, revoked_serials
from .principal import Role

if TYPE_CHECKING:
    from cryptography import x509

    from .certificates import CertificateFacts, Pair

__all__ = ["Authority"]

_ORGANISATION = "Graph Network Harness"
_AUTHORITY_LIFE = timedelta(days=3650)
_SERVER_LIFE = timedelta(days=90)
_RENEWED_BEFORE = timedelta(days=30)
_BACKDATED = timedelta(minutes=5)  # a client's clock may be behind
_ANY_HOST = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - these are no names of a host
_ROTATE_CA = "make a new one with `harness daemon certs rotate --ca`, and give it to all clients"


class Authority:
    """A certificate authority in a directory, which is created 0700 when first needed.

    Several processes may use one directory at once: changes are made under a lock.
    """

    def __init__(self, directory: Path, clock: Clock) -> None:
        self.directory = directory
        self.server_path = directory / "server.pem"
        self.authority_path = directory / "authority.pem"
        self._issued = IssuedCertificates(directory)
        self.revoked_path = self._issued.revoked_path
        self._clock = clock

    def ensure_server(self, host: str) -> None:
        """Have a server certificate for a host that is valid for a while yet; blocks.

        Raises:
            CertificateInvalid: the authority itself has expired.
            StorageError: the files cannot be read or written.
        """
        names = _server_names(host)
        with self._changing():
            authority = self._authority()
            found = self._server()
            if found is None or not self._is_good(found, authority, names):
                known = _names_of(found) if found is not None else ()
                self._make_server(authority, (*names, *(n for n in known if n not in names)))

    def is_due(self, not_after: datetime) -> bool:
        """Tell whether a server certificate that ends then is to be renewed now."""
        return self._clock.now() >= not_after - _RENEWED_BEFORE

    def rotate(self, *, authority: bool = False) -> None:
        """Make the server certificate anew; blocks.

        Args:
            authority: make the authority anew too: no client that trusts the old one, and no
                client certificate, is good any more.
        """
        with self._changing():
            found = self._server()
            names = _names_of(found) if found is not None else _server_names("")
            if authority:
                self._make_authority()
            self._make_server(self._authority(), names)

    def issue(self, name: str, role: Role, *, lifetime_s: float) -> str:
        """Return a new client certificate and its private key, as PEM; blocks.

        Raises:
            InvalidParameters: the name is none, or the lifetime is not within the authority's.
        """
        from cryptography import x509
        from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

        if not name.isprintable() or not 0 < len(name.encode()) <= 64:
            raise InvalidParameters(
                f"cannot issue a certificate for {name[:80]!r}: a name has 1 to 64 bytes"
            )
        with self._changing():
            authority = self._authority()
            subject = x509.Name(
                [
                    x509.NameAttribute(NameOID.ORGANIZATION_NAME, _ORGANISATION),
                    x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, role.value),
                    x509.NameAttribute(NameOID.COMMON_NAME, name),
                ]
            )
            until = self._until(name, lifetime_s, authority[1])
            pair = self._signed(authority, subject, ExtendedKeyUsageOID.CLIENT_AUTH, until)
            # Remembered first: what nobody remembers could not be revoked.
            self._issued.add(name, pair[1])
            return pair_pem(*pair)

    def revoke(self, name: str) -> int:
        """Let in no more whoever shows a certificate issued to a name until now; return how many.

        Raises:
            CertificateNotFound: none is.
            StorageError: the files cannot be read or written.
        """
        with self._changing():
            return self._issued.revoke(name, self._authority(), self._clock.now())

    def revoked(self) -> frozenset[int]:
        """Return the serial numbers of certificates that were revoked; makes no authority.

        Raises:
            StorageError: nobody can tell.
        """
        found = load_pair(self.authority_path)
        return revoked_serials(self.revoked_path, found[1]) if found else frozenset()

    def ca_pem(self) -> str:
        """Return the authority's certificate, which clients trust, as PEM; made when missing."""
        with self._changing():
            return certificate_pem(self._authority()[1])

    def facts(self) -> dict[str, CertificateFacts]:
        """Return what the certificates that there are say: `authority`, `server`; makes none."""
        found = {"authority": load_pair(self.authority_path), "server": self._server()}
        return {name: facts_of(pair[1]) for name, pair in found.items() if pair is not None}

    # ── files ────────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def _changing(self) -> Iterator[None]:
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            with locked(self.directory / "lock"):
                yield
        except OSError as error:
            raise unusable(self.directory, error) from error

    def _authority(self) -> Pair:
        """Return the authority, made if there is none."""
        found = load_pair(self.authority_path) or self._make_authority()
        if found[1].not_valid_after_utc <= self._clock.now():
            raise CertificateInvalid(
                "cannot make a certificate: the daemon's certificate authority expired at"
                f" {found[1].not_valid_after_utc:%F %T} UTC",
                hint=_ROTATE_CA,
            )
        return found

    def _server(self) -> Pair | None:
        return load_pair(self.server_path)

    # ── certificates ─────────────────────────────────────────────────────────────────────────────

    def _is_good(self, server: Pair, authority: Pair, names: Sequence[str]) -> bool:
        from cryptography.exceptions import InvalidSignature

        certificate = server[1]
        try:
            certificate.verify_directly_issued_by(authority[1])
        except (ValueError, TypeError, InvalidSignature):
            return False
        is_current = certificate.not_valid_before_utc <= self._clock.now()
        is_lasting = not self.is_due(certificate.not_valid_after_utc)
        return is_current and is_lasting and set(names) <= set(_names_of(server))

    def _make_authority(self) -> Pair:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes
        from cryptography.x509.oid import NameOID

        key = new_key()
        name = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, _ORGANISATION),
                x509.NameAttribute(
                    NameOID.COMMON_NAME, f"authority of {socket.gethostname()}"[:64]
                ),
            ]
        )
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        now = self._clock.now()
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _BACKDATED)
            .not_valid_after(now + _AUTHORITY_LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(key_usage(signs_certificates=True), critical=True)
            .add_extension(identifier, critical=False)
            .sign(key, hashes.SHA256())
        )
        pair = key, certificate
        write_private(self.authority_path, pair_pem(*pair))
        self._issued.forget()
        return pair

    def _make_server(self, authority: Pair, names: Sequence[str]) -> None:
        from cryptography import x509
        from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, _ORGANISATION),
                x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64]),
            ]
        )
        until = min(self._clock.now() + _SERVER_LIFE, authority[1].not_valid_after_utc)
        pair = self._signed(authority, subject, ExtendedKeyUsageOID.SERVER_AUTH, until, names)
        write_private(self.server_path, pair_pem(*pair))

    def _signed(
        self,
        authority: Pair,
        subject: x509.Name,
        purpose: x509.ObjectIdentifier,
        until: datetime,
        names: Sequence[str] = (),
    ) -> Pair:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes

        key, issuer = new_key(), authority[1]
        signer = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(max(self._clock.now() - _BACKDATED, issuer.not_valid_before_utc))
            .not_valid_after(until)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(signer),
                critical=False,
            )
        )
        if names:
            general = [general_name(name) for name in names]
            builder = builder.add_extension(x509.SubjectAlternativeName(general), critical=False)
        return key, builder.sign(authority[0], hashes.SHA256())

    def _until(self, name: str, lifetime_s: float, issuer: x509.Certificate) -> datetime:
        now, end = self._clock.now(), issuer.not_valid_after_utc
        if 0 < lifetime_s <= (end - now).total_seconds():
            return now + timedelta(seconds=lifetime_s)
        raise InvalidParameters(
            f'cannot issue a certificate for "{name}": it cannot be valid for {lifetime_s:g} s',
            hint=f"the authority ends at {end:%F %T} UTC; {_ROTATE_CA}",
        )


def _server_names(host: str) -> tuple[str, ...]:
    """Return what clients may call a server that listens at a host."""
    names = [host] if host not in _ANY_HOST else []
    names += [socket.gethostname(), "localhost", "127.0.0.1", "::1"]
    return tuple(dict.fromkeys(name for name in names if name.isascii()))


def _names_of(pair: Pair) -> tuple[str, ...]:
    return facts_of(pair[1]).names
