"""The types of an ABI, and their values: as JSON has them, and as eth_abi takes and gives them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from .errors import AbiMismatch

__all__ = ["AbiType", "plain", "raw"]

_ARRAY = re.compile(r"(.*)\[\d*\]$")


@dataclass(frozen=True, slots=True, kw_only=True)
class AbiType:
    """One parameter, result or member.

    Attributes:
        type: in its canonical form, such as `uint256` or `(address,bytes32)[]`.
        name: may be empty.
        members: of a tuple, or of an array of tuples.
    """

    type: str
    name: str = ""
    members: tuple[Self, ...] = ()

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> Self:
        """Read one as the compiler writes it."""
        members = tuple(cls.read(one) for one in entry.get("components", ()))
        kind = entry["type"]
        if kind.startswith("tuple"):
            kind = f"({','.join(one.type for one in members)}){kind.removeprefix('tuple')}"
        return cls(type=kind, name=entry.get("name", ""), members=members)

    @property
    def is_hashed(self) -> bool:
        """It does not fit into a topic, which has its hash in its place."""
        return self.type in ("string", "bytes") or bool(self.members) or self.type.endswith("]")

    @property
    def item(self) -> AbiType | None:
        """What an array is of; None: it is no array."""
        found = _ARRAY.fullmatch(self.type)
        return AbiType(type=found[1], name=self.name, members=self.members) if found else None


def raw(types: Sequence[AbiType], values: Sequence[Any] | Mapping[str, Any], *, of: str) -> bytes:
    """Return values as bytes.

    Args:
        types: of the values.
        values: in order, or by name.
        of: whose they are, for messages.

    Raises:
        AbiMismatch: they do not fit.
    """
    from eth_abi.abi import encode
    from eth_abi.exceptions import EncodingError

    given = _in_order(types, values, of)
    try:
        ready = [_to_raw(one, value) for one, value in zip(types, given, strict=True)]
        return encode([one.type for one in types], ready)
    except (EncodingError, ValueError, TypeError, OverflowError) as error:
        raise AbiMismatch(f"cannot encode the arguments of {of}: {error}") from error


def plain(types: Sequence[AbiType], data: bytes, *, of: str) -> list[Any]:
    """Return the values that bytes hold, in order.

    Raises:
        AbiMismatch: the bytes do not hold them.
    """
    from eth_abi.abi import decode
    from eth_abi.exceptions import DecodingError

    try:
        values = decode([one.type for one in types], data)
    except (DecodingError, ValueError, OverflowError) as error:
        what = "no bytes" if not data else f"{len(data)} bytes"
        raise AbiMismatch(f"cannot read {of} in {what}: {error}") from error
    return [_to_plain(one, value) for one, value in zip(types, values, strict=True)]


def _in_order(types: Sequence[AbiType], values: Any, of: str) -> Sequence[Any]:
    if isinstance(values, Mapping):
        names = [one.name for one in types]
        if set(values) != set(names):
            raise AbiMismatch(
                f"cannot encode the arguments of {of}: "
                f"it takes {', '.join(names) or 'none'}, and {', '.join(values) or 'none'} is given"
            )
        return [values[name] for name in names]
    if len(values) != len(types):
        raise AbiMismatch(
            f"cannot encode the arguments of {of}: it takes {len(types)}, "
            f"and {len(values)} {'is' if len(values) == 1 else 'are'} given"
        )
    return list(values)


def _to_raw(of: AbiType, value: Any) -> Any:
    if (item := of.item) is not None:
        return [_to_raw(item, one) for one in value]
    if of.members:
        given = _in_order(of.members, value, of.name or of.type)
        return tuple(_to_raw(one, v) for one, v in zip(of.members, given, strict=True))
    if of.type.startswith("bytes") and isinstance(value, str):
        return bytes.fromhex(value.removeprefix("0x"))
    if of.type.startswith(("uint", "int")) and isinstance(value, str):
        return int(value, 0)  # numbers that other tools cannot hold travel as text
    return value


def _to_plain(of: AbiType, value: Any) -> Any:
    if (item := of.item) is not None:
        return [_to_plain(item, one) for one in value]
    if of.members:
        found = [_to_plain(one, v) for one, v in zip(of.members, value, strict=True)]
        names = [one.name for one in of.members]
        return dict(zip(names, found, strict=True)) if all(names) else found
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    return value.lower() if of.type == "address" else value
