"""Client certificates that were issued, and the list of those that were revoked.

The list is what TLS itself looks at (RFC 5280, section 5): whose certificate is on it does not come
in. It is for one authority; a new one begins without any.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import CertificateNotFound, StorageError
from harness.private_files import write_private

from .certificates import unusable

if TYPE_CHECKING:
    from cryptography import x509

    from .certificates import Pair

__all__ = ["IssuedCertificates", "revoked_serials"]

_VERSION = 1


class IssuedCertificates:
    """Those of one authority, in its directory; whoever changes them holds the authority's lock.

    Attributes:
        revoked_path: the list of those that were revoked; no file: none were.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / "issued.json"
        self.revoked_path = directory / "revoked.pem"

    def add(self, name: str, certificate: x509.Certificate) -> None:
        """Remember that a certificate is issued to a name.

        Raises:
            StorageError: the file cannot be read.
        """
        now = certificate.not_valid_before_utc
        kept = [one for one in self._all() if datetime.fromisoformat(one["until"]) > now]
        until = certificate.not_valid_after_utc.isoformat()
        self._write([*kept, {"name": name, "serial": certificate.serial_number, "until": until}])

    def revoke(self, name: str, authority: Pair, now: datetime) -> int:
        """Let all certificates in no more that were issued to a name; return how many.

        Raises:
            CertificateNotFound: none were, or all are revoked already.
            StorageError: the file cannot be read.
        """
        issued = self._all()
        serials = [one["serial"] for one in issued if one["name"] == name]
        if not serials:
            raise CertificateNotFound.of(name, [one["name"] for one in issued])
        # The list first: without it they are still known, and can be revoked again.
        before = revoked_serials(self.revoked_path, authority[1])
        write_private(self.revoked_path, _list_pem({*before, *serials}, authority, now))
        self._write([one for one in issued if one["name"] != name])
        return len(serials)

    def forget(self) -> None:
        """Begin anew: the authority is another one."""
        self._path.unlink(missing_ok=True)
        self.revoked_path.unlink(missing_ok=True)

    def _all(self) -> list[dict[str, Any]]:
        try:
            document = json.loads(self._path.read_bytes())
            return list(document["issued"])
        except FileNotFoundError:
            return []
        except OSError as error:
            raise unusable(self._path, error) from error
        except (ValueError, KeyError, TypeError) as error:
            raise StorageError(f"cannot use {self._path}: it is not what was written") from error

    def _write(self, issued: list[dict[str, Any]]) -> None:
        write_private(self._path, json.dumps({"version": _VERSION, "issued": issued}) + "\n")


def revoked_serials(path: Path, issuer: x509.Certificate) -> frozenset[int]:
    """Return the serial numbers on a list; none when there is no list of this authority.

    Raises:
        StorageError: what is there is no list: it must not let in whom it was to keep out.
    """
    from cryptography import x509

    try:
        found = x509.load_pem_x509_crl(path.read_bytes())
    except FileNotFoundError:
        return frozenset()
    except OSError as error:
        raise unusable(path, error) from error
    except ValueError as error:
        raise StorageError(
            f"cannot use {path}: it is no list of revoked certificates",
            hint="`harness daemon certs rotate --ca` lets in no certificate from before",
        ) from error
    key: Any = issuer.public_key()
    if not found.is_signature_valid(key):
        return frozenset()
    return frozenset(revoked.serial_number for revoked in found)


def _list_pem(serials: set[int], authority: Pair, now: datetime) -> str:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding

    key, issuer = authority
    begin = max(issuer.not_valid_before_utc, min(now, issuer.not_valid_after_utc))
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.subject)
        .last_update(issuer.not_valid_before_utc)
        .next_update(issuer.not_valid_after_utc)
    )
    for serial in sorted(serials):
        revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(begin)
        builder = builder.add_revoked_certificate(revoked.build())
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode("ascii")
