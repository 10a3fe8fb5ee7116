"""Who a server is: a key of its own, kept with its content.

Source: peer identifiers of libp2p, for Ed25519 keys.
"""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Identity"]

_KEY_PREFIX = bytes((0x08, 0x01, 0x12, 0x20))  # a protocol buffer: of the type Ed25519, 32 bytes
_IDENTITY_HASH = 0x00


@dataclass(frozen=True, slots=True)
class Identity:
    """One server's.

    Attributes:
        key: the public key, 32 bytes.
    """

    key: bytes

    @property
    def public_key(self) -> str:
        """The public key, as Kubo writes it."""
        return base64.b64encode(_KEY_PREFIX + self.key).decode()

    @property
    def peer_id(self) -> str:
        """What peers would call it."""
        import base58

        key = _KEY_PREFIX + self.key
        return base58.b58encode(bytes((_IDENTITY_HASH, len(key))) + key).decode()

    @classmethod
    def of(cls, root: Path) -> Identity:
        """Return the one of a repository; make it where there is none."""
        path = root / "identity"
        if not path.exists():
            _make(path)
        return cls(path.read_bytes())


def _make(path: Path) -> None:
    """Make a key; its private half has no use without peers, and is not kept."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    temporary = path.with_suffix(".new")
    temporary.write_bytes(Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    os.replace(temporary, path)
