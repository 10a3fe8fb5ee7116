"""What is inside a block: links and data, and in the data what kind of file or folder it is.

Both are protocol buffers of a few fields; encoded exactly as Kubo does, or the names would differ.
Source: DAG-PB and UnixFS specifications.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from .cid import Cid, read_varint, varint

__all__ = ["Kind", "Link", "Node", "UnixFs"]

_VARINT, _FIXED64, _BYTES = 0, 1, 2


class Kind(IntEnum):
    """What a block of UnixFS is."""

    RAW = 0
    DIRECTORY = 1
    FILE = 2
    METADATA = 3
    SYMLINK = 4
    SHARDED_DIRECTORY = 5


@dataclass(frozen=True, slots=True)
class Link:
    """From one block to another.

    Attributes:
        cid: of the other.
        name: in a folder; empty in a file.
        total: bytes of all blocks that are reached by it, its own included.
    """

    cid: Cid
    name: str
    total: int


@dataclass(frozen=True, slots=True)
class Node:
    """A block of the codec dag-pb."""

    links: tuple[Link, ...]
    data: bytes

    def encoded(self) -> bytes:
        """Return the block."""
        parts: list[bytes] = []
        for link in self.links:
            name = _field(2, link.name.encode())
            inner = _field(1, link.cid.raw) + name + _number(3, link.total)
            parts.append(_field(2, inner))
        return b"".join((*parts, _field(1, self.data)))

    @classmethod
    def read(cls, block: bytes) -> Self:
        """Read a block.

        Raises:
            ValueError: it is none of this codec.
        """
        links: list[Link] = []
        data = b""
        for field, value in _fields(block):
            match field, value:
                case 1, bytes():
                    data = value
                case 2, bytes():
                    links.append(_link(value))
                case _:
                    raise ValueError(f"the block has a strange field {field}")
        return cls(tuple(links), data)


@dataclass(frozen=True, slots=True)
class UnixFs:
    """The data of a block that is, or belongs to, a file or a folder.

    Attributes:
        kind: what it is.
        data: its own part of the content.
        size: bytes of content below it; of a folder None.
        sizes: the same for each of its links.
    """

    kind: Kind
    data: bytes = b""
    size: int | None = None
    sizes: Sequence[int] = ()

    def encoded(self) -> bytes:
        """Return the data."""
        parts = [_number(1, self.kind)]
        if self.data:
            parts.append(_field(2, self.data))
        if self.size is not None:
            parts.append(_number(3, self.size))
        parts += [_number(4, size) for size in self.sizes]
        return b"".join(parts)

    @classmethod
    def read(cls, data: bytes) -> Self:
        """Read the data.

        Raises:
            ValueError: it is none.
        """
        kind: int | None = None
        own = b""
        size: int | None = None
        sizes: list[int] = []
        for field, value in _fields(data):
            match field, value:
                case 1, int():
                    kind = value
                case 2, bytes():
                    own = value
                case 3, int():
                    size = value
                case 4, int():
                    sizes.append(value)
                case 4, bytes():  # several in one field
                    sizes += _numbers(value)
                case _:
                    pass  # mode and time, for example
        if kind is None:
            raise ValueError("the block is no file and no folder")
        return cls(Kind(kind), own, size, tuple(sizes))


def _link(data: bytes) -> Link:
    cid: Cid | None = None
    name, total = "", 0
    for field, value in _fields(data):
        match field, value:
            case 1, bytes():
                cid = Cid.read(value)
            case 2, bytes():
                name = value.decode("utf-8", "replace")
            case 3, int():
                total = value
            case _:
                pass  # as protocol buffers are read
    if cid is None:
        raise ValueError("a link of the block leads nowhere")
    return Link(cid, name, total)


# ── protocol buffers ─────────────────────────────────────────────────────────────────────────────


def _field(number: int, value: bytes) -> bytes:
    return varint(number << 3 | _BYTES) + varint(len(value)) + value


def _number(number: int, value: int) -> bytes:
    return varint(number << 3 | _VARINT) + varint(value)


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(data):
        key, at = read_varint(data, at)
        match key & 7:
            case 0:
                value, at = read_varint(data, at)
                yield key >> 3, value
            case 2:
                size, at = read_varint(data, at)
                yield key >> 3, _slice(data, at, size)
                at += size
            case 1 | 5 as wire:
                size = 8 if wire == _FIXED64 else 4
                yield key >> 3, _slice(data, at, size)
                at += size
            case wire:
                raise ValueError(f"the block has a field of the unknown wire type {wire}")


def _slice(data: bytes, at: int, size: int) -> bytes:
    if at + size > len(data):
        raise ValueError("the block ends too early")
    return data[at : at + size]


def _numbers(data: bytes) -> Iterator[int]:
    at = 0
    while at < len(data):
        number, at = read_varint(data, at)
        yield number
