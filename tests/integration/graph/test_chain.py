"""The chain's client against a real chain."""

from __future__ import annotations

import pytest

from graph_test_daemon.chain import Chain, MiningMode
from graph_test_daemon.errors import Reverted

# Returns 42 for every call: PUSH1 42 PUSH1 0 MSTORE PUSH1 32 PUSH1 0 RETURN, and how to deploy it.
ANSWER = bytes.fromhex("600a600c600039600a6000f3602a60005260206000f3")


async def test_a_contract_is_deployed_and_called(chain_url: str) -> None:
    chain = Chain(chain_url)
    sender, *_ = await chain.accounts()
    receipt = await chain.send(sender=sender, data=ANSWER)
    assert receipt.contract is not None
    assert receipt.block_number == await chain.block_number() == 1
    assert await chain.code(receipt.contract) == ANSWER[12:]
    assert await chain.call(receipt.contract, b"") == (42).to_bytes(32, "big")
    block = await chain.block(1)
    assert block is not None
    assert block.transactions == (receipt.transaction,)
    assert await chain.block(2) is None
    await chain.aclose()


# Reverts: PUSH1 0 PUSH1 0 REVERT.
REFUSES = bytes.fromhex("6005600c60003960056000f3" + "60006000fd")
# Called again it costs more: slot 0 SLOAD JUMPI, else 1 in slot 0 STOP, JUMPDEST 1 in slot 1 STOP.
COSTS_MORE = bytes.fromhex(
    "6013600c60003960136000f3" + "600054600c57" + "600160005500" + "5b600160015500"
)


async def test_a_refused_transaction_is_in_no_block_unless_it_has_a_limit_of_gas(
    chain_url: str,
) -> None:
    chain = Chain(chain_url)
    sender, *_ = await chain.accounts()
    refuses = (await chain.send(sender=sender, data=REFUSES)).contract
    with pytest.raises(Reverted) as caught:
        await chain.send(sender=sender, to=refuses)
    assert caught.value.transaction is None
    assert await chain.block_number() == 1
    with pytest.raises(Reverted) as caught:
        await chain.send(sender=sender, to=refuses, gas=100_000)
    assert caught.value.transaction is not None
    assert await chain.block_number() == 2
    await chain.aclose()


async def test_a_transaction_that_costs_more_in_its_block_than_the_estimate_has_gas_enough(
    chain_url: str,
) -> None:
    chain = Chain(chain_url)
    sender, *_ = await chain.accounts()
    receipt = await chain.send(sender=sender, data=COSTS_MORE)
    await chain.set_mining_mode(MiningMode(automine=False, interval_s=0))
    message = {"from": sender, "to": receipt.contract}
    estimate = int(await chain.rpc.call("eth_estimateGas", [message]), 16)
    first, second = [await chain.submit(sender=sender, to=receipt.contract) for _ in range(2)]
    await chain.mine()
    assert (await chain.mined(first)).succeeded
    done = await chain.mined(second)
    assert done.gas_used > estimate
    assert done.succeeded
    await chain.aclose()
