"""Receipts and vouchers of both versions, as values that are always in range.

A receipt promises a payment for one query; a voucher stands for the sum of many. Version 1 counts
for an allocation, version 2 for a collection of a payer, a data service and a service provider.
Numbers are as wide as their Solidity types; addresses and bytes are 0x-hex in lower case.

Source: the EIP-712 types of the TAP verifier and of the GraphTally collector. Field names are those
of the signed types, which are snake case for receipts and camel case for vouchers.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from .errors import InvalidTapMessage

__all__ = [
    "AnyReceipt",
    "AnyVoucher",
    "Field",
    "Message",
    "Receipt",
    "ReceiptV2",
    "Signature",
    "Signed",
    "SignedReceipt",
    "SignedVoucher",
    "Voucher",
    "VoucherV2",
    "collection_of",
]

_HEX = re.compile(r"0x([0-9a-fA-F]{2})*")
_BYTES = {"address": 20, "bytes32": 32}
_BITS = {"uint64": 64, "uint128": 128}

# A signature with a larger s is another form of the same one, which contracts refuse.
_LARGEST_S = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_V = (27, 28)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a signed type.

    Attributes:
        attribute: of the class here.
        name: in the signed type and in JSON.
        type: of Solidity.
    """

    attribute: str
    name: str
    type: str


def _fields(**types: str) -> tuple[Field, ...]:
    return tuple(Field(attribute=name, name=name, type=of) for name, of in types.items())


def _camel_fields(**types: str) -> tuple[Field, ...]:
    return tuple(Field(attribute=name, name=_camel(name), type=of) for name, of in types.items())


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


class Message:
    """What is signed.

    Attributes:
        struct: name of the signed type.
        fields: in the signed type's order.
        ids: names of the attributes that say for whom it counts.
    """

    __slots__ = ()

    struct: ClassVar[str]
    fields: ClassVar[tuple[Field, ...]]
    ids: ClassVar[tuple[str, ...]]

    def __post_init__(self) -> None:
        """Bring each field into its one form.

        Raises:
            InvalidTapMessage: one is not of its type, or out of its range.
        """
        for field in self.fields:
            value = checked(getattr(self, field.attribute), field.type, path=field.name)
            object.__setattr__(self, field.attribute, value)

    @property
    def id(self) -> tuple[Hashable, ...]:
        """For whom it counts; the same for a receipt and the voucher that it goes into."""
        return tuple(getattr(self, name) for name in self.ids)


def checked(value: Any, of: str, *, path: str) -> Any:
    """Return a value in its one form.

    Args:
        value: as it was given.
        of: its Solidity type.
        path: of the value, for the error.

    Raises:
        InvalidTapMessage: it is not of that type, or out of its range.
    """
    if of in _BITS:
        if not isinstance(value, int) or isinstance(value, bool):
            raise InvalidTapMessage(path=path, cause=f"{_shown(value)} is no whole number")
        if not 0 <= value < 2 ** _BITS[of]:
            raise InvalidTapMessage(path=path, cause=f"{_shown(value)} is no {of}")
        return value
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise InvalidTapMessage(
            path=path, cause=f"{_shown(value)} is not 0x and pairs of hexadecimal digits"
        )
    size = len(value) // 2 - 1
    if size != _BYTES.get(of, size):
        cause = f"{_shown(value)} has {size} bytes, and a value of the type {of} has {_BYTES[of]}"
        raise InvalidTapMessage(path=path, cause=cause)
    return value.lower()


def _shown(value: Any) -> str:
    text = "null" if value is None else repr(value) if isinstance(value, (str, int)) else ""
    if not text:
        return f"a value of the type {type(value).__name__}"
    return text if len(text) <= 80 else f"{text[:77]}..."


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt(Message):
    """A promise to pay for one query, version 1.

    Attributes:
        allocation_id: address of the allocation that has answered.
        timestamp_ns: when, in nanoseconds since the epoch.
        nonce: makes receipts of the same moment different.
        value: in wei of the token.
    """

    struct = "Receipt"
    fields = _fields(
        allocation_id="address", timestamp_ns="uint64", nonce="uint64", value="uint128"
    )
    ids = ("allocation_id",)

    allocation_id: str
    timestamp_ns: int
    nonce: int
    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Voucher(Message):
    """The sum of receipts, version 1.

    Attributes:
        allocation_id: address of the allocation.
        timestamp_ns: that of its newest receipt.
        value_aggregate: of all receipts so far, in wei of the token.
    """

    struct = "ReceiptAggregateVoucher"
    fields = _camel_fields(
        allocation_id="address", timestamp_ns="uint64", value_aggregate="uint128"
    )
    ids = ("allocation_id",)

    allocation_id: str
    timestamp_ns: int
    value_aggregate: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptV2(Message):
    """A promise to pay for one query, version 2.

    Attributes:
        collection_id: 32 bytes; of an allocation, see `collection_of`.
        payer: who pays.
        data_service: the contract of the service that was given.
        service_provider: who is paid.
        timestamp_ns: when, in nanoseconds since the epoch.
        nonce: makes receipts of the same moment different.
        value: in wei of the token.
    """

    struct = "Receipt"
    fields = _fields(
        collection_id="bytes32",
        payer="address",
        data_service="address",
        service_provider="address",
        timestamp_ns="uint64",
        nonce="uint64",
        value="uint128",
    )
    ids = ("collection_id", "payer", "data_service", "service_provider")

    collection_id: str
    payer: str
    data_service: str
    service_provider: str
    timestamp_ns: int
    nonce: int
    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherV2(Message):
    """The sum of receipts, version 2; its signed type is in the contract's order.

    Attributes:
        collection_id: 32 bytes.
        payer: who pays.
        service_provider: who is paid.
        data_service: the contract of the service that was given.
        timestamp_ns: that of its newest receipt.
        value_aggregate: of all receipts so far, in wei of the token.
        metadata: for the data service.
    """

    struct = "ReceiptAggregateVoucher"
    fields = _camel_fields(
        collection_id="bytes32",
        payer="address",
        service_provider="address",
        data_service="address",
        timestamp_ns="uint64",
        value_aggregate="uint128",
        metadata="bytes",
    )
    ids = ReceiptV2.ids

    collection_id: str
    payer: str
    service_provider: str
    data_service: str
    timestamp_ns: int
    value_aggregate: int
    metadata: str = "0x"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A signature of the curve secp256k1, in the only form that contracts accept.

    Attributes:
        r: below the curve's order.
        s: in the lower half.
        v: 27 or 28.
    """

    r: int
    s: int
    v: int

    def __post_init__(self) -> None:
        """Look whether it is in that form.

        Raises:
            InvalidTapMessage: it is not.
        """
        if not 0 < self.r < _ORDER:
            raise InvalidTapMessage(path="r", cause="it is not within the curve's order")
        if not 0 < self.s <= _LARGEST_S:
            cause = "it is not in the lower half of the curve's order, and contracts refuse it"
            raise InvalidTapMessage(path="s", cause=cause)
        if self.v not in _V:
            raise InvalidTapMessage(path="v", cause=f"{_shown(self.v)} is neither 27 nor 28")

    @property
    def encoded(self) -> str:
        """The 65 bytes that contracts take, r, s and v, as 0x-hex."""
        return f"0x{self.r:064x}{self.s:064x}{self.v:02x}"


M = TypeVar("M", bound=Message, covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed(Generic[M]):
    """A message and who has signed it."""

    message: M
    signature: Signature


AnyReceipt = Receipt | ReceiptV2
AnyVoucher = Voucher | VoucherV2
SignedReceipt = Signed[AnyReceipt]
SignedVoucher = Signed[AnyVoucher]


def collection_of(allocation_id: str) -> str:
    """Return the collection's id of an allocation: its address, with zeros in front."""
    address = checked(allocation_id, "address", path="allocation_id")
    return f"0x{'0' * 24}{address[2:]}"
