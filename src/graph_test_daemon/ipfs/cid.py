"""Content identifiers: the name of a block is what it hashes to.

Reads every common form, of both versions, and writes base58, base32 and base16. Also the two forms
in which the protocol's contracts know content and subgraphs: a hash of 32 bytes, and a number.
Source: CID specification; multibase and multihash tables.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Self

from .errors import InvalidCid

__all__ = [
    "DAG_PB",
    "RAW",
    "Base",
    "Cid",
    "read_varint",
    "subgraph_id",
    "subgraph_number",
    "varint",
]

RAW = 0x55
DAG_PB = 0x70

_CODECS = {RAW: "raw", DAG_PB: "dag-pb", 0x71: "dag-cbor", 0x129: "dag-json", 0x72: "libp2p-key"}
_SHA2_256 = 0x12
_IDENTITY = 0x00
_DIGEST_SIZE = 32
_V0_PREFIX = bytes((_SHA2_256, _DIGEST_SIZE))
_V0_LENGTH = 46
_LONGEST = 512
_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
_BYTES32 = re.compile(r"(0x)?([0-9a-fA-F]{64})")

Base = Literal["base58btc", "base32", "base16"]


@dataclass(frozen=True, slots=True)
class Cid:
    """One identifier.

    Attributes:
        version: 0 or 1.
        codec: how the block is to be read; `DAG_PB` in version 0.
        hash_code: the hash function.
        digest: what it gave.
    """

    version: int
    codec: int
    hash_code: int
    digest: bytes

    # ── making ───────────────────────────────────────────────────────────────────────────────────

    @classmethod
    def of(cls, block: bytes, *, codec: int = DAG_PB, version: int = 0) -> Self:
        """Return the name of a block."""
        digest = hashlib.sha256(block).digest()
        return cls.of_digest(digest, codec=codec, version=version)

    @classmethod
    def of_digest(cls, digest: bytes, *, codec: int = DAG_PB, version: int = 0) -> Self:
        """Return the name of the block with a SHA2-256 hash."""
        return cls(version, codec, _SHA2_256, digest)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an identifier as people and programs write it.

        Raises:
            InvalidCid: it is none; the message says what is wrong with it.
        """
        try:
            if len(text) > _LONGEST:
                raise ValueError("it is too long")
            if text.startswith("Qm") and len(text) == _V0_LENGTH:
                return cls.read(_base58(text))
            return cls._versioned(text)
        except ValueError as error:
            raise InvalidCid(text=text[:_LONGEST], cause=str(error)) from error

    @classmethod
    def _versioned(cls, text: str) -> Self:
        if len(text) < 2:
            raise ValueError("it is too short")
        if text.startswith("Qm"):
            raise ValueError(f"of version 0 it has {_V0_LENGTH} characters, not {len(text)}")
        decode = _BASES.get(text[0])
        if decode is None:
            raise ValueError(f'"{text[0]}" begins no base that is known')
        found = cls.read(decode(text[1:]))
        if found.version == 0:
            raise ValueError("version 0 is written without a base")
        return found

    @classmethod
    def read(cls, data: bytes) -> Self:
        """Read an identifier as blocks have it.

        Raises:
            ValueError: it is none.
        """
        if len(data) == len(_V0_PREFIX) + _DIGEST_SIZE and data.startswith(_V0_PREFIX):
            return cls(0, DAG_PB, _SHA2_256, data[len(_V0_PREFIX) :])
        version, at = read_varint(data, 0)
        if version != 1:
            raise ValueError(f"it has version {version}, not 0 or 1")
        codec, at = read_varint(data, at)
        hash_code, at = read_varint(data, at)
        size, at = read_varint(data, at)
        digest = data[at:]
        if len(digest) != size:
            raise ValueError(f"its hash has {len(digest)} bytes, not the {size} that it says")
        if hash_code == _SHA2_256 and size != _DIGEST_SIZE:
            raise ValueError(f"a SHA2-256 hash has {_DIGEST_SIZE} bytes, not {size}")
        return cls(version, codec, hash_code, digest)

    @classmethod
    def from_bytes32(cls, text: str) -> Self:
        """Return the identifier of version 0 for a hash of 32 bytes, such as contracts keep.

        Raises:
            InvalidCid: it is no such hash.
        """
        found = _BYTES32.fullmatch(text)
        if found is None:
            raise InvalidCid(text=text, cause="32 bytes are written as 0x and 64 hex digits")
        return cls.of_digest(bytes.fromhex(found[2]))

    # ── what it is ───────────────────────────────────────────────────────────────────────────────

    @property
    def codec_name(self) -> str:
        """How the block is to be read, such as `dag-pb`."""
        return _CODECS.get(self.codec, f"0x{self.codec:x}")

    @property
    def inline(self) -> bytes | None:
        """The block itself, where the name holds it."""
        return self.digest if self.hash_code == _IDENTITY else None

    @property
    def is_sha256(self) -> bool:
        """It is a hash that blocks here are kept by."""
        return self.hash_code == _SHA2_256

    @property
    def raw(self) -> bytes:
        """As blocks have it."""
        if self.version == 0:
            return _V0_PREFIX + self.digest
        prefix = (self.version, self.codec, self.hash_code, len(self.digest))
        return b"".join(map(varint, prefix)) + self.digest

    def is_of(self, block: bytes) -> bool:
        """Tell whether it is the name of a block."""
        if self.hash_code == _IDENTITY:
            return self.digest == block
        return self.is_sha256 and hashlib.sha256(block).digest() == self.digest

    # ── other forms ──────────────────────────────────────────────────────────────────────────────

    def __str__(self) -> str:
        """As it is usually written: base58 in version 0, base32 in version 1."""
        return self.written("base58btc" if self.version == 0 else "base32")

    def written(self, base: Base) -> str:
        """Return it in a base; of version 0 only base58 has no prefix for it."""
        match base:
            case "base58btc":
                return ("" if self.version == 0 else "z") + _to_base58(self.raw)
            case "base32":
                return "b" + base64.b32encode(self.raw).decode().rstrip("=").lower()
            case "base16":
                return f"f{self.raw.hex()}"

    def as_version(self, version: int) -> Cid:
        """Return the name of the same block in another version.

        Raises:
            InvalidCid: version 0 cannot say it.
        """
        if version == 0 and not (self.codec == DAG_PB and self.is_sha256):
            raise InvalidCid(
                text=str(self), cause="version 0 has only dag-pb blocks with SHA2-256 hashes"
            )
        return Cid(version, self.codec, self.hash_code, self.digest)

    def bytes32(self) -> str:
        """Return its hash as contracts keep it: 0x and 64 hex digits.

        Raises:
            InvalidCid: the hash alone would not tell what it is: its version 0 does not exist.
        """
        return f"0x{self.as_version(0).digest.hex()}"


# ── subgraphs ────────────────────────────────────────────────────────────────────────────────────


def subgraph_id(number: int) -> str:
    """Return how people write a subgraph's number: base58 of its 32 bytes.

    Raises:
        InvalidCid: it is not a number of 256 bits.
    """
    if not 0 <= number < 1 << 256:
        raise InvalidCid(text=str(number), cause="a subgraph's number has 256 bits")
    return _to_base58(number.to_bytes(_DIGEST_SIZE, "big"))


def subgraph_number(text: str) -> int:
    """Return the number that contracts know a subgraph by.

    Raises:
        InvalidCid: it is none.
    """
    try:
        number = int.from_bytes(_base58(text), "big")
        if not text or number >= 1 << 256:
            raise ValueError("a subgraph's number has 256 bits")
    except ValueError as error:
        raise InvalidCid(text=text, cause=str(error)) from error
    return number


# ── numbers and bases ────────────────────────────────────────────────────────────────────────────


def varint(number: int) -> bytes:
    """Return a number as blocks have it: 7 bits a byte, the lowest first."""
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    parts.append(number)
    return bytes(parts)


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the number at an offset, and the offset behind it.

    Raises:
        ValueError: there is none.
    """
    number = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise ValueError("it ends too early")
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
    raise ValueError("it has a number of more than 64 bits")


def _base58(text: str) -> bytes:
    import base58

    try:
        return bytes(base58.b58decode(text.encode("ascii")))
    except ValueError as error:  # of an encoding, too
        raise ValueError("it has characters that base58 has not") from error


def _to_base58(data: bytes) -> str:
    import base58

    return base58.b58encode(data).decode("ascii")


def _base16(text: str) -> bytes:
    try:
        return binascii.unhexlify(text)
    except ValueError as error:  # of another kind for what is no ASCII
        raise ValueError("it has characters that base16 has not, or lacks one") from error


def _base32(text: str) -> bytes:
    return _padded(base64.b32decode, text.upper(), 8)


def _base64(text: str) -> bytes:
    return _padded(base64.b64decode, text, 4)


def _base64url(text: str) -> bytes:
    return _padded(base64.urlsafe_b64decode, text, 4)


def _padded(decode: Callable[[str], bytes], text: str, block: int) -> bytes:
    try:
        return decode(text + "=" * (-len(text) % block))
    except (binascii.Error, ValueError) as error:
        raise ValueError("it has characters that its base has not, or lacks some") from error


def _base36(text: str) -> bytes:
    number = 0
    for character in text.lower():
        digit = _BASE36.find(character)
        if digit < 0:
            raise ValueError("it has characters that base36 has not")
        number = number * 36 + digit
    zeros = len(text) - len(text.lstrip("0"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


_BASES: Mapping[str, Callable[[str], bytes]] = {
    "z": _base58,
    "b": _base32,
    "B": _base32,
    "f": _base16,
    "F": _base16,
    "k": _base36,
    "K": _base36,
    "m": _base64,
    "u": _base64url,
}
