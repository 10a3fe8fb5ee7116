"""Vouchers: fees of queries that an authority has signed for, redeemed through AllocationExchange.

Source: AllocationExchange of contracts 7.2.1. What is signed is the hash of the allocation's id
and the amount as it is, without Ethereum's prefix.
"""

from __future__ import annotations

from dataclasses import dataclass

import anyio

from graph_test_daemon.contracts import keccak
from graph_test_daemon.contracts.protocol import Protocol

from .accounts import Participants, Who
from .allocation import fees_of
from .keys import sign_hash
from .sending import send

__all__ = ["Voucher", "VoucherRedeemed", "Vouchers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Voucher:
    """An authority promises tokens to an allocation.

    Attributes:
        allocation: its id.
        tokens: in wei.
        signature: of the authority.
    """

    allocation: str
    tokens: int
    signature: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherRedeemed:
    """A voucher was paid.

    Attributes:
        allocation: that got the fees.
        tokens: of the voucher, in wei.
        rebate: of them, what the indexer got.
    """

    allocation: str
    tokens: int
    rebate: int


class Vouchers:
    """The vouchers of one network.

    Args:
        protocol: the contracts.
        participants: the accounts.
    """

    def __init__(self, protocol: Protocol, participants: Participants) -> None:
        self._exchange = protocol["AllocationExchange"]
        self._token = protocol.graph_token
        self._who = participants

    async def sign(self, allocation: str, tokens: int, *, authority: Who) -> Voucher:
        """Sign a voucher.

        Raises:
            KeyUnknown: the authority's private key is not known.
        """
        key = await self._who.key(authority, what="sign a voucher")
        digest = keccak(bytes.fromhex(allocation[2:]) + tokens.to_bytes(32, "big"))
        signature = await anyio.to_thread.run_sync(sign_hash, key, digest)
        return Voucher(allocation=allocation.lower(), tokens=tokens, signature=signature)

    async def redeem(self, voucher: Voucher, *, sender: Who, fund: bool = True) -> VoucherRedeemed:
        """Have a voucher paid, once for each allocation.

        Args:
            voucher: signed by an authority.
            sender: anybody.
            fund: what the exchange has not comes from the deployer.

        Raises:
            Reverted: it was redeemed, or nobody with the authority has signed it.
        """
        by = await self._who.sender(sender)
        missing = voucher.tokens - await self._token.call("balanceOf", self._exchange.address)
        if fund and missing > 0:
            await self._who.fund(self._exchange.address, tokens=missing)
        given = (voucher.allocation, voucher.tokens, voucher.signature)
        sent = await send(self._exchange, "redeem", given, sender=by)
        return VoucherRedeemed(
            allocation=voucher.allocation, tokens=voucher.tokens, rebate=fees_of(sent).rebate
        )
