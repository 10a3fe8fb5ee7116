"""What the actions of an aggregator return and tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["SignedReceiptDocument", "Verified", "VoucherAggregated", "VoucherRedeemed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedReceiptDocument:
    """A signed receipt.

    Attributes:
        signer: address that has signed it.
        receipt: as it travels, `{"message": …, "signature": …}`.
    """

    signer: str
    receipt: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """Who has signed something, and whether that is who was expected.

    Attributes:
        signer: address.
        matches: it is the one that was expected; None: none was named.
    """

    signer: str
    matches: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherAggregated:
    """The aggregator has made a voucher.

    Attributes:
        signer: address that has signed it.
        value: of the voucher, in wei of the token: the sum of all receipts so far.
        receipts: how many went into it now.
        voucher: as it travels, `{"message": …, "signature": …}`.
    """

    signer: str
    value: int
    receipts: int
    voucher: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherRedeemed:
    """The escrow has paid a voucher.

    Attributes:
        allocation_id: whose voucher it is.
        receiver: who was paid.
        value: in wei of the token.
        transaction: its hash.
    """

    allocation_id: str
    receiver: str
    value: int
    transaction: str
