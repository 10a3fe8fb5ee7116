"""Typed actions of services with `service_type: tap-aggregator`, whoever wrote the aggregator.

Where signatures count is what the aggregator tells. Keys are those of the accounts that test chains
begin with, named by index, or in a file that is named; none is ever a parameter or a result. The
label `voucher_order` says how vouchers of version 2 are typed, where it is not the contract's way.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import anyio.to_thread

from graph_test_daemon.chain import Chain
from graph_test_daemon.peers import peer_of
from harness.actions import Call, Service, ServiceType, action

from .client import AggregatorClient
from .errors import TapError
from .escrow import Escrow, EscrowAccount, escrow_of
from .receipts import (
    AnyReceipt,
    Message,
    Receipt,
    ReceiptV2,
    Signed,
    SignedReceipt,
    SignedVoucher,
    checked,
    collection_of,
)
from .results import SignedReceiptDocument, Verified, VoucherAggregated, VoucherRedeemed
from .signing import Domain, Key, Typing, VoucherOrder
from .wire import document_of, read_receipt, read_receipts, read_voucher

__all__ = ["TapAggregatorService"]

_ORDER_LABEL = "voucher_order"
_SIGNED_AT_ONCE = 50
_MOST_RECEIPTS = 20_000  # aggregators take 10 MiB at once, which are not many more


class TapAggregatorService(ServiceType):
    """A TAP aggregator: it makes one voucher of many receipts."""

    name = "tap-aggregator"
    setup_timeout_s = 60.0

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self._client: AggregatorClient | None = None
        self._chain: Chain | None = None

    async def aclose(self) -> None:
        """Close the connections."""
        for client in (self._client, self._chain):
            if client is not None:
                await client.aclose()

    async def validate(self) -> None:
        """Ask for its domain."""
        await self.client.domain()

    @property
    def client(self) -> AggregatorClient:
        """The aggregator where it is now."""
        url = self.service.url()
        if self._client is None or self._client.url != url.rstrip("/"):
            self._client = AggregatorClient(url)
        return self._client

    @property
    def chain(self) -> Chain:
        """The chain that has the escrow."""
        url = peer_of(self.service, "anvil", label="chain").url()
        if self._chain is None or self._chain.rpc.url != url.rstrip("/"):
            self._chain = Chain(url)
        return self._chain

    async def typing(self) -> Typing:
        """Return how its receipts and vouchers are encoded.

        Raises:
            TapError: the label names no order.
        """
        order = self.service.labels.get(_ORDER_LABEL, VoucherOrder.CONTRACT)
        if order not in set(VoucherOrder):
            raise TapError(
                f'cannot type vouchers of "{self.service.name}": its label {_ORDER_LABEL} is '
                f'"{order}"',
                hint=f"it is one of {', '.join(VoucherOrder)}",
            )
        return Typing(domain=await self.client.domain(), voucher_order=VoucherOrder(order))

    async def escrow(self) -> Escrow:
        """Return the escrow that verifies its vouchers."""
        return await escrow_of(self.chain, await self.client.domain())

    # ── receipts and vouchers ────────────────────────────────────────────────────────────────────

    @action()
    async def domain(self) -> Domain:
        """Return where its signatures count."""
        return await self.client.domain()

    @action()
    async def sign_receipt(
        self,
        allocation: str,
        value: int,
        account: int = 0,
        key_file: str | None = None,
        nonce: int | None = None,
        timestamp_ns: int | None = None,
        payer: str | None = None,
        data_service: str | None = None,
        service_provider: str | None = None,
    ) -> SignedReceiptDocument:
        """Sign a receipt; one of version 2 where the three parties are given.

        Args:
            allocation: address of the allocation that is paid.
            value: in wei of the token.
            account: index of the test account that signs.
            key_file: a file with the key that signs in its place, beside the stack file.
            nonce: makes receipts of the same moment different; the time's nanoseconds unless given.
            timestamp_ns: nanoseconds since the epoch; now unless given.
            payer: address of who pays, version 2.
            data_service: address of the service's contract, version 2.
            service_provider: address of who is paid, version 2.
        """
        typing, key = await self.typing(), await self._key(account, key_file)
        now = time.time_ns()
        receipt = _receipt(
            allocation,
            (payer, data_service, service_provider),
            timestamp_ns=now if timestamp_ns is None else timestamp_ns,
            nonce=now if nonce is None else nonce,
            value=value,
        )
        signed = await anyio.to_thread.run_sync(typing.sign, receipt, key)
        return SignedReceiptDocument(signer=key.address, receipt=document_of(signed))

    @action()
    async def verify_receipt(
        self, receipt: Mapping[str, Any], signer: str | None = None
    ) -> Verified:
        """Return who has signed a receipt.

        Args:
            receipt: `{"message": …, "signature": …}`, of either version.
            signer: address that is expected.
        """
        return await self._verified(read_receipt(receipt), signer)

    @action()
    async def verify_voucher(
        self, voucher: Mapping[str, Any], signer: str | None = None
    ) -> Verified:
        """Return who has signed a voucher.

        Args:
            voucher: `{"message": …, "signature": …}`, of either version.
            signer: address that is expected.
        """
        return await self._verified(read_voucher(voucher), signer)

    @action(events=[VoucherAggregated])
    async def aggregate(
        self,
        call: Call,
        receipts: list[dict[str, Any]],
        previous: dict[str, Any] | None = None,
    ) -> VoucherAggregated:
        """Have receipts made a voucher.

        Args:
            receipts: `{"message": …, "signature": …}`, all of one version.
            previous: the voucher before them, whose value is added.
        """
        last = None if previous is None else read_voucher(previous, path="previous")
        return await self._aggregate(call, read_receipts(receipts), last)

    @action(events=[VoucherAggregated])
    async def aggregate_many(
        self,
        call: Call,
        allocation: str,
        count: int,
        value: int,
        account: int = 0,
        key_file: str | None = None,
        previous: dict[str, Any] | None = None,
    ) -> VoucherAggregated:
        """Sign many receipts for an allocation and have them made a voucher.

        Args:
            allocation: address of the allocation that is paid.
            count: of receipts, 1 to 20000.
            value: of each, in wei of the token.
            account: index of the test account that signs.
            key_file: a file with the key that signs in its place, beside the stack file.
            previous: the voucher before them, whose value is added.
        """
        if not 1 <= count <= _MOST_RECEIPTS:
            raise TapError(f"cannot sign {count} receipts: 1 to {_MOST_RECEIPTS} go into a voucher")
        last = None if previous is None else read_voucher(previous, path="previous")
        typing, key = await self.typing(), await self._key(account, key_file)
        start = max(time.time_ns(), last.message.timestamp_ns + 1 if last is not None else 0)
        unsigned = [
            Receipt(allocation_id=allocation, timestamp_ns=start + n, nonce=n, value=value)
            for n in range(count)
        ]
        receipts: list[SignedReceipt] = []
        for first in range(0, count, _SIGNED_AT_ONCE):
            part = unsigned[first : first + _SIGNED_AT_ONCE]
            receipts += await anyio.to_thread.run_sync(_sign_all, typing, key, part)
            await call.progress("signing receipts", done=len(receipts), total=count)
        await call.progress("aggregating")
        return await self._aggregate(call, receipts, last)

    # ── the escrow ───────────────────────────────────────────────────────────────────────────────

    @action()
    async def deposit(self, amount: int, payer: str, receiver: str) -> EscrowAccount:
        """Set tokens aside in the escrow; return what is set aside now.

        Args:
            amount: in wei of the token.
            payer: address of an account of the chain's node.
            receiver: address of who can be paid.
        """
        escrow = await self.escrow()
        return await escrow.deposit(amount, payer=_address(payer), receiver=_address(receiver))

    @action()
    async def authorize_signer(
        self, payer: str, account: int = 0, key_file: str | None = None
    ) -> str:
        """Have vouchers of a signer paid from a payer's escrow; return the signer's address.

        Args:
            payer: address of an account of the chain's node.
            account: index of the test account that signs.
            key_file: a file with the signer's key in its place, beside the stack file.
        """
        key = await self._key(account, key_file)
        await (await self.escrow()).authorize_signer(key, payer=_address(payer))
        return key.address

    @action(events=[VoucherRedeemed])
    async def redeem(
        self,
        call: Call,
        voucher: dict[str, Any],
        receiver: str,
        allocation_account: int | None = None,
        allocation_key_file: str | None = None,
    ) -> VoucherRedeemed:
        """Have the escrow pay a voucher, which it does once for each allocation.

        Args:
            voucher: `{"message": …, "signature": …}`, of version 1.
            receiver: address of an account of the chain's node, which is paid.
            allocation_account: index of the test account that the allocation's address is of.
            allocation_key_file: a file with the allocation's key in its place.
        """
        signed = read_voucher(voucher)
        if allocation_account is None and allocation_key_file is None:
            raise TapError(
                "cannot redeem the voucher: the allocation's key is needed to prove whose it is",
                hint="give allocation_account or allocation_key_file",
            )
        key = await self._key(allocation_account or 0, allocation_key_file)
        receiver = _address(receiver)
        transaction = await (await self.escrow()).redeem(signed, allocation=key, receiver=receiver)
        redeemed = VoucherRedeemed(
            allocation_id=str(signed.message.id[0]),
            receiver=receiver,
            value=signed.message.value_aggregate,
            transaction=transaction,
        )
        await call.emit(redeemed)
        return redeemed

    @action()
    async def escrow_account(self, payer: str, receiver: str) -> EscrowAccount:
        """Return what a payer has set aside for a receiver.

        Args:
            payer: address.
            receiver: address.
        """
        escrow = await self.escrow()
        return await escrow.account(payer=_address(payer), receiver=_address(receiver))

    @action()
    async def token_balance(self, owner: str) -> int:
        """Return how many of the escrow's tokens somebody has, in wei.

        Args:
            owner: address.
        """
        return await (await self.escrow()).token_balance(_address(owner))

    # ─────────────────────────────────────────────────────────────────────────────────────────────

    async def _key(self, account: int, key_file: str | None) -> Key:
        if key_file is None:
            return await anyio.to_thread.run_sync(Key.of_account, account)
        path: Path = self.service.directory / key_file
        return await anyio.to_thread.run_sync(Key.from_file, path)

    async def _verified(self, signed: Signed[Message], expected: str | None) -> Verified:
        typing = await self.typing()
        signer = await anyio.to_thread.run_sync(typing.signer, signed)
        matches = None if expected is None else signer == _address(expected)
        return Verified(signer=signer, matches=matches)

    async def _aggregate(
        self, call: Call, receipts: Sequence[SignedReceipt], previous: SignedVoucher | None
    ) -> VoucherAggregated:
        typing = await self.typing()
        voucher = await self.client.aggregate(receipts, previous)
        aggregated = VoucherAggregated(
            signer=await anyio.to_thread.run_sync(typing.signer, voucher),
            value=voucher.message.value_aggregate,
            receipts=len(receipts),
            voucher=document_of(voucher),
        )
        await call.emit(aggregated)
        return aggregated


def _sign_all(typing: Typing, key: Key, receipts: Sequence[Receipt]) -> list[SignedReceipt]:
    return [typing.sign(receipt, key) for receipt in receipts]


def _receipt(
    allocation: str,
    parties: tuple[str | None, str | None, str | None],
    *,
    timestamp_ns: int,
    nonce: int,
    value: int,
) -> AnyReceipt:
    payer, data_service, service_provider = parties
    if payer is None and data_service is None and service_provider is None:
        return Receipt(
            allocation_id=allocation, timestamp_ns=timestamp_ns, nonce=nonce, value=value
        )
    if payer is None or data_service is None or service_provider is None:
        raise TapError(
            "cannot sign the receipt: one of version 2 has a payer, a data service and a service "
            "provider, and not all are given"
        )
    return ReceiptV2(
        collection_id=collection_of(allocation),
        payer=payer,
        data_service=data_service,
        service_provider=service_provider,
        timestamp_ns=timestamp_ns,
        nonce=nonce,
        value=value,
    )


def _address(text: str) -> str:
    return str(checked(text, "address", path="the address"))
