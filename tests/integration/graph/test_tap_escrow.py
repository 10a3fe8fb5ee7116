"""The escrow on a real chain: deposits, vouchers, and what it refuses."""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import graph_test_daemon.tap
from graph_test_daemon.chain import Chain
from graph_test_daemon.errors import GraphError, Reverted
from graph_test_daemon.tap import (
    Aggregator,
    Domain,
    Escrow,
    EscrowParameters,
    Key,
    Receipt,
    Signed,
    SignedVoucher,
    TapError,
    Typing,
    Voucher,
    VoucherOrder,
    VoucherV2,
    deploy_escrow,
    escrow_of,
)
from tests.requirements import node_modules

CONTRACTS = Path(graph_test_daemon.tap.__file__).parent / "contracts"
GATEWAY, INDEXER, STRANGER, ALLOCATION = (Key.of_account(index) for index in range(4))
TOKEN = 10**18


@dataclass(frozen=True, kw_only=True)
class Scene:
    """An escrow of a chain of the test's own; the gateway has all tokens."""

    chain: Chain
    escrow: Escrow
    typing: Typing

    def voucher(self, *values: int, signer: Key = GATEWAY, start: int = 1) -> Signed[Voucher]:
        """Aggregate receipts of these values for the allocation."""
        receipts = [
            Receipt(allocation_id=ALLOCATION.address, timestamp_ns=at, nonce=at, value=value)
            for at, value in enumerate(values, start)
        ]
        signed = [self.typing.sign(receipt, signer) for receipt in receipts]
        made = Aggregator(self.typing, signer).voucher(signed, None)
        assert isinstance(made.message, Voucher)
        return Signed(message=made.message, signature=made.signature)

    async def redeem(self, voucher: SignedVoucher, *, allocation: Key = ALLOCATION) -> str:
        return await self.escrow.redeem(voucher, allocation=allocation, receiver=INDEXER.address)


@pytest.fixture
async def chain(chain_url: str) -> AsyncIterator[Chain]:
    chain = Chain(chain_url)
    yield chain
    await chain.aclose()


@pytest.fixture
async def scene(chain: Chain) -> Scene:
    parameters = EscrowParameters(holder=GATEWAY.address)
    escrow = await deploy_escrow(chain, parameters, sender=GATEWAY.address)
    assert escrow is not None
    return Scene(chain=chain, escrow=escrow, typing=Typing(domain=escrow.domain))


async def test_receipts_are_paid_in_the_end(scene: Scene) -> None:
    escrow, payer, receiver = scene.escrow, GATEWAY.address, INDEXER.address
    had = await escrow.token_balance(payer)
    account = await escrow.deposit(10 * TOKEN, payer=payer, receiver=receiver)
    assert account.balance == 10 * TOKEN
    await escrow.authorize_signer(GATEWAY, payer=payer)
    assert await escrow.payer_of(GATEWAY.address) == payer
    voucher = scene.voucher(TOKEN, 2 * TOKEN, 3 * TOKEN)
    assert await escrow.signer_of(voucher) == GATEWAY.address
    transaction = await scene.redeem(voucher)
    assert await scene.chain.receipt(transaction) is not None
    assert await escrow.token_balance(receiver) == 6 * TOKEN
    assert (await escrow.account(payer=payer, receiver=receiver)).balance == 4 * TOKEN
    assert await escrow.is_redeemed(ALLOCATION.address)
    assert await escrow.token_balance(payer) == had - 10 * TOKEN


async def test_an_allocation_is_paid_once(scene: Scene) -> None:
    await scene.escrow.deposit(10, payer=GATEWAY.address, receiver=INDEXER.address)
    await scene.escrow.authorize_signer(GATEWAY, payer=GATEWAY.address)
    await scene.redeem(scene.voucher(1))
    with pytest.raises(Reverted) as caught:
        await scene.redeem(scene.voucher(1, 2))
    assert caught.value.reason == f"AlreadyRedeemed(allocationId: {ALLOCATION.address})"
    assert await scene.escrow.token_balance(INDEXER.address) == 1


async def test_a_strangers_voucher_is_not_paid(scene: Scene) -> None:
    await scene.escrow.deposit(10, payer=GATEWAY.address, receiver=INDEXER.address)
    await scene.escrow.authorize_signer(GATEWAY, payer=GATEWAY.address)
    with pytest.raises(Reverted) as caught:
        await scene.redeem(scene.voucher(1, signer=STRANGER))
    assert caught.value.reason == f"SignerNotAuthorized(signer: {STRANGER.address})"
    await scene.escrow.revoke_signer(GATEWAY.address, payer=GATEWAY.address)
    with pytest.raises(Reverted, match="SignerNotAuthorized"):
        await scene.redeem(scene.voucher(1))


async def test_a_voucher_is_paid_to_whom_the_allocation_belongs(scene: Scene) -> None:
    await scene.escrow.deposit(10, payer=GATEWAY.address, receiver=INDEXER.address)
    await scene.escrow.authorize_signer(GATEWAY, payer=GATEWAY.address)
    with pytest.raises(Reverted) as caught:
        await scene.redeem(scene.voucher(1), allocation=STRANGER)
    assert "ProofNotOfAllocation" in str(caught.value)
    assert "on the escrow" in str(caught.value)


async def test_more_than_is_set_aside_is_not_paid(scene: Scene) -> None:
    await scene.escrow.deposit(5, payer=GATEWAY.address, receiver=INDEXER.address)
    await scene.escrow.authorize_signer(GATEWAY, payer=GATEWAY.address)
    with pytest.raises(Reverted) as caught:
        await scene.redeem(scene.voucher(6))
    assert caught.value.reason == "EscrowTooLow(balance: 5, needed: 6)"


async def test_a_payer_takes_back_what_has_thawed(chain: Chain) -> None:
    payer, receiver = GATEWAY.address, INDEXER.address
    parameters = EscrowParameters(holder=payer, thaw_s=60)
    escrow = await deploy_escrow(chain, parameters, sender=payer)
    assert escrow is not None
    had = await escrow.token_balance(payer)
    await escrow.deposit(10, payer=payer, receiver=receiver)
    with pytest.raises(Reverted, match="NothingThawing"):
        await escrow.withdraw(payer=payer, receiver=receiver)
    with pytest.raises(Reverted, match="EscrowTooLow"):
        await escrow.thaw(11, payer=payer, receiver=receiver)
    assert (await escrow.thaw(4, payer=payer, receiver=receiver)).thawing == 4
    with pytest.raises(Reverted, match="StillThawing"):
        await escrow.withdraw(payer=payer, receiver=receiver)
    await chain.rpc.call("evm_increaseTime", [61])
    await chain.rpc.call("evm_mine")
    account = await escrow.withdraw(payer=payer, receiver=receiver)
    assert (account.balance, account.thawing) == (6, 0)
    assert await escrow.token_balance(payer) == had - 6


async def test_a_signer_signs_for_one_payer_and_agrees_to_it(scene: Scene) -> None:
    await scene.escrow.authorize_signer(STRANGER, payer=GATEWAY.address)
    before = await scene.chain.block_number()
    await scene.escrow.authorize_signer(STRANGER, payer=GATEWAY.address)
    assert await scene.chain.block_number() == before
    with pytest.raises(Reverted, match="SignerTaken"):
        await scene.escrow.authorize_signer(STRANGER, payer=INDEXER.address)
    with pytest.raises(Reverted, match="ProofExpired"):
        await scene.escrow.authorize_signer(GATEWAY, payer=GATEWAY.address, valid_s=-10)


async def test_who_has_no_tokens_deposits_none(scene: Scene) -> None:
    with pytest.raises(Reverted) as caught:
        await scene.escrow.deposit(5, payer=STRANGER.address, receiver=INDEXER.address)
    assert f"BalanceTooLow(owner: {STRANGER.address}, balance: 0, needed: 5)" in str(caught.value)


async def test_the_chain_agrees_about_signers_of_both_versions(scene: Scene) -> None:
    message = VoucherV2(
        collection_id="0x" + "0c" * 32,
        payer=GATEWAY.address,
        service_provider=INDEXER.address,
        data_service=STRANGER.address,
        timestamp_ns=2**64 - 1,
        value_aggregate=2**128 - 1,
        metadata="0xbeef",
    )
    signed = scene.typing.sign(message, GATEWAY)
    assert await scene.escrow.signer_of(signed) == GATEWAY.address
    crate = scene.typing.with_order(VoucherOrder.CRATE)
    assert await scene.escrow.signer_of(crate.sign(message, GATEWAY)) != GATEWAY.address
    with pytest.raises(TapError, match="of version 2"):
        await scene.redeem(signed)


async def test_an_escrow_is_deployed_once_and_found_again(scene: Scene) -> None:
    before = await scene.chain.block_number()
    parameters = EscrowParameters(holder=GATEWAY.address)
    again = await deploy_escrow(scene.chain, parameters, sender=GATEWAY.address)
    assert again is not None
    assert (again.address, again.token) == (scene.escrow.address, scene.escrow.token)
    assert await scene.chain.block_number() == before
    found = await escrow_of(scene.chain, scene.escrow.domain)
    assert found.token == scene.escrow.token
    other = EscrowParameters(holder=GATEWAY.address, token=scene.escrow.token, thaw_s=5)
    assert await deploy_escrow(scene.chain, other, sender=GATEWAY.address, only_look=True) is None
    with pytest.raises(GraphError, match="no contract at that address"):
        await escrow_of(scene.chain, Domain(chain_id=1, verifying_contract="0x" + "11" * 20))


@pytest.mark.timeout(120)  # the compiler is a large program of WebAssembly
def test_what_is_compiled_is_of_its_source(tmp_path: Path) -> None:
    env = {**os.environ, "NODE_PATH": str(node_modules("solc"))}
    output = tmp_path / "compiled.json"
    subprocess.run(["node", str(CONTRACTS / "compile.mjs"), str(output)], env=env, check=True)
    assert output.read_text() == (CONTRACTS / "EscrowForTests.json").read_text()
