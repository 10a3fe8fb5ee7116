"""What a contract understands: calls, results, events and refusals, to and from bytes.

Values are as JSON has them: addresses and bytes are 0x-hex in lower case, numbers are ints, tuples
with names are mappings. Source: Contract ABI Specification; eth_abi encodes, and is loaded with the
first use.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from harness.suggestions import guess

from .abi_types import AbiType, plain, raw
from .errors import AbiMismatch

if TYPE_CHECKING:
    from graph_test_daemon.chain import Log

__all__ = ["Abi", "AbiEvent", "AbiFunction", "Event", "keccak"]

_SELECTOR = 4
_ERROR = bytes.fromhex("08c379a0")
"""Selector of `Error(string)`."""
_PANIC = bytes.fromhex("4e487b71")
"""Selector of `Panic(uint256)`."""

# Source: Solidity documentation, "Panic via assert and Error via require".
_PANICS = {
    0x01: "an assertion failed",
    0x11: "arithmetic overflow or underflow",
    0x12: "division by zero",
    0x21: "no such member of the enumeration",
    0x22: "storage is not encoded as it should be",
    0x31: "pop of an empty array",
    0x32: "index out of bounds",
    0x41: "too much memory",
    0x51: "call of a function that is not set",
}

Arguments = Sequence[Any] | Mapping[str, Any]


def keccak(data: bytes) -> bytes:
    """Return the Keccak-256 hash: 32 bytes."""
    from eth_utils.crypto import keccak as hashed

    return hashed(data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What a contract has logged, read.

    Attributes:
        name: of the event.
        address: of the contract.
        values: by name; an indexed value of a type without fixed length is its hash. Parameters
            without a name are called by their position.
    """

    name: str
    address: str
    values: Mapping[str, Any]


class _Entry:
    """One entry of an ABI: its name and inputs.

    Args:
        entry: as the compiler writes it.
    """

    def __init__(self, entry: Mapping[str, Any]) -> None:
        self.name: str = entry.get("name", "constructor")
        self.inputs = tuple(AbiType.read(one) for one in entry.get("inputs", ()))

    @property
    def signature(self) -> str:
        """Name and types, such as `transfer(address,uint256)`."""
        return f"{self.name}({','.join(one.type for one in self.inputs)})"

    @cached_property
    def topic(self) -> bytes:
        """The hash of its signature."""
        return keccak(self.signature.encode())

    def encoded(self, arguments: Arguments) -> bytes:
        """Return arguments as bytes, without a selector.

        Raises:
            AbiMismatch: they are too many, too few, or of other types.
        """
        return raw(self.inputs, arguments, of=self.signature)

    def decoded(self, data: bytes) -> dict[str, Any]:
        """Return values by name, or by position where they have none."""
        return _by_name(self.inputs, plain(self.inputs, data, of=self.signature))


class AbiFunction(_Entry):
    """One function.

    Attributes:
        outputs: types of what it returns.
        changes: it may change the chain's state.
    """

    def __init__(self, entry: Mapping[str, Any]) -> None:
        super().__init__(entry)
        self.outputs = tuple(AbiType.read(one) for one in entry.get("outputs", ()))
        self.changes = entry.get("stateMutability") not in ("view", "pure")

    def encode(self, arguments: Arguments) -> bytes:
        """Return a call of it.

        Raises:
            AbiMismatch: the arguments do not fit.
        """
        return self.topic[:_SELECTOR] + self.encoded(arguments)

    def encoded_result(self, values: Sequence[Any]) -> bytes:
        """Return the bytes that it returns these values as."""
        return raw(self.outputs, values, of=f"the result of {self.signature}")

    def result(self, data: bytes) -> Any:
        """Return what it returned: one value, or several by name, else in order; None: nothing.

        Raises:
            AbiMismatch: these are not bytes that it returns.
        """
        values = plain(self.outputs, data, of=f"the result of {self.signature}")
        match values:
            case []:
                return None
            case [only]:
                return only
            case _ if all(one.name for one in self.outputs):
                return _by_name(self.outputs, values)
            case _:
                return values


class AbiEvent(_Entry):
    """One event."""

    def __init__(self, entry: Mapping[str, Any]) -> None:
        super().__init__(entry)
        self._indexed = tuple(bool(one.get("indexed")) for one in entry.get("inputs", ()))
        self.anonymous = bool(entry.get("anonymous"))

    @property
    def topics(self) -> int:
        """How many topics it has, its own hash among them."""
        return 1 + sum(self._indexed)

    def read(self, log: Log) -> Event:
        """Read a log of it.

        Raises:
            AbiMismatch: it is one of another event.
        """
        outside = [one for one, indexed in zip(self.inputs, self._indexed, strict=True) if indexed]
        inside = [
            one for one, indexed in zip(self.inputs, self._indexed, strict=True) if not indexed
        ]
        topics = iter(
            topic if one.is_hashed else plain([one], _bytes(topic), of=self.signature)[0]
            for one, topic in zip(outside, log.topics[1:], strict=True)
        )
        data = iter(plain(inside, _bytes(log.data), of=self.signature))
        values = [next(topics if indexed else data) for indexed in self._indexed]
        named = _by_name(self.inputs, values)
        return Event(name=self.name, address=log.address.lower(), values=named)


class Abi:
    """One contract's ABI.

    Args:
        entries: as the compiler writes them.

    Attributes:
        entries: likewise.
    """

    def __init__(self, entries: Iterable[Mapping[str, Any]]) -> None:
        self.entries = tuple(entries)

    def merged(self, other: Abi) -> Self:
        """Return one with the other's entries besides, as a contract that delegates has them."""
        known = {(entry.get("type"), _Entry(entry).signature) for entry in self.entries}
        more = [e for e in other.entries if (e.get("type"), _Entry(e).signature) not in known]
        return type(self)((*self.entries, *(one for one in more if one["type"] != "constructor")))

    # ── what there is ────────────────────────────────────────────────────────────────────────────

    @cached_property
    def functions(self) -> tuple[AbiFunction, ...]:
        """In the compiler's order."""
        return tuple(AbiFunction(entry) for entry in self._of("function"))

    @cached_property
    def events(self) -> tuple[AbiEvent, ...]:
        """In the compiler's order."""
        return tuple(AbiEvent(entry) for entry in self._of("event"))

    @cached_property
    def constructor(self) -> _Entry:
        """What it takes when it is deployed."""
        return _Entry(next(iter(self._of("constructor")), {}))

    def function(self, name: str, arguments: Arguments | None = None) -> AbiFunction:
        """Return a function by its name, or by its signature where several share the name.

        Args:
            name: such as `stake`, or `safeTransferFrom(address,address,uint256)`.
            arguments: choose among several of one name by how many these are.

        Raises:
            AbiMismatch: there is none, or several.
        """
        found = [one for one in self.functions if name in (one.name, one.signature)]
        if len(found) > 1 and arguments is not None:
            found = [one for one in found if len(one.inputs) == len(arguments)] or found
        if not found:
            hint = guess(name, [one.name for one in self.functions])
            raise AbiMismatch(f"cannot call {name}: the contract has no such function", hint=hint)
        if len(found) > 1:
            signatures = ", ".join(one.signature for one in found)
            hint = f"name one by its signature: {signatures}"
            raise AbiMismatch(
                f"cannot call {name}: {len(found)} functions have the name", hint=hint
            )
        return found[0]

    # ── reading ──────────────────────────────────────────────────────────────────────────────────

    def read_log(self, log: Log) -> Event | None:
        """Read a log; None: it is of no event that is known here."""
        if not log.topics:
            return None
        found = self._events_by_topic.get((log.topics[0].lower(), len(log.topics)))
        return None if found is None else found.read(log)

    def revert_reason(self, data: bytes) -> str | None:
        """Read why a contract refused; None: it gave no reason that is known here."""
        selector, rest = data[:_SELECTOR], data[_SELECTOR:]
        if selector == _ERROR:
            return str(plain([AbiType(type="string")], rest, of="Error(string)")[0])
        if selector == _PANIC:
            code = int.from_bytes(rest, "big")
            return f"{_PANICS.get(code, 'panic')} (code {code:#04x})"
        custom = self._errors_by_selector.get(selector)
        if custom is None:
            return None
        values = custom.decoded(rest)
        return f"{custom.name}({', '.join(f'{name}: {value}' for name, value in values.items())})"

    @cached_property
    def _events_by_topic(self) -> Mapping[tuple[str, int], AbiEvent]:
        events = [one for one in self.events if not one.anonymous]
        return {(f"0x{one.topic.hex()}", one.topics): one for one in events}

    @cached_property
    def _errors_by_selector(self) -> Mapping[bytes, _Entry]:
        return {one.topic[:_SELECTOR]: one for one in map(_Entry, self._of("error"))}

    def _of(self, kind: str) -> list[Mapping[str, Any]]:
        return [entry for entry in self.entries if entry.get("type") == kind]


def _by_name(types: Sequence[AbiType], values: Sequence[Any]) -> dict[str, Any]:
    names = [one.name or str(position) for position, one in enumerate(types)]
    return dict(zip(names, values, strict=True))


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
