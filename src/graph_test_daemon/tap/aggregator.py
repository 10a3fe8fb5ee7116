"""An aggregator of receipts: what it signs with, and whose receipts it takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .aggregation import aggregate, check_signer
from .receipts import SignedReceipt, SignedVoucher, checked
from .signing import Domain, Key, Typing

__all__ = ["Aggregator"]


class Aggregator:
    """Makes signed vouchers of signed receipts.

    Args:
        typing: how receipts and vouchers are encoded.
        key: signs vouchers.
        accepted: addresses whose receipts and vouchers are taken, besides the key's own.

    Raises:
        InvalidTapMessage: one of the addresses is none.
    """

    def __init__(self, typing: Typing, key: Key, accepted: Iterable[str] = ()) -> None:
        self._typing = typing
        self._key = key
        others = {checked(one, "address", path="accepted signers") for one in accepted}
        self.accepted = frozenset({key.address, *others})

    @property
    def domain(self) -> Domain:
        """Where its vouchers count."""
        return self._typing.domain

    @property
    def address(self) -> str:
        """The address that signs its vouchers."""
        return self._key.address

    def voucher(
        self, receipts: Sequence[SignedReceipt], previous: SignedVoucher | None
    ) -> SignedVoucher:
        """Return the signed voucher of receipts; takes some milliseconds for each.

        What costs nothing is looked at first, signatures afterwards.

        Raises:
            AggregationRefused: a rule is broken.
            InvalidSignature: one of the signatures is nobody's.
        """
        message = aggregate(receipts, previous)
        for number, receipt in enumerate(receipts):
            check_signer(self._typing.signer(receipt), self.accepted, of=f"receipt {number}")
        if previous is not None:
            signer = self._typing.signer(previous)
            check_signer(signer, self.accepted, of="the previous voucher")
        return self._typing.sign(message, self._key)
