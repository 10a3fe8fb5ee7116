"""The chain's client against a real chain."""

from __future__ import annotations

from graph_test_daemon.chain import Chain

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
