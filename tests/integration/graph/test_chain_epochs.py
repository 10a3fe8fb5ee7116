"""Mining to epochs of the protocol's own EpochManager."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from graph_test_daemon.chain import Chain, epoch, mine_until_epoch
from graph_test_daemon.chain.errors import ChainRefused
from tests.requirements import graph_tool

LENGTH = 7


@pytest.fixture
async def chain(chain_url: str) -> AsyncIterator[Chain]:
    chain = Chain(chain_url)
    yield chain
    await chain.aclose()


def call(signature: str, *values: Any) -> bytes:
    types = signature.partition("(")[2].removesuffix(")").split(",")
    return bytes(keccak(text=signature)[:4]) + encode(types, values)


async def deploy(chain: Chain, name: str, arguments: bytes = b"") -> str:
    (artifact,) = graph_tool("contracts").rglob(f"{name}.json")
    code = bytes.fromhex(json.loads(artifact.read_text())["bytecode"].removeprefix("0x"))
    sender, *_ = await chain.accounts()
    receipt = await chain.send(sender=sender, data=code + arguments)
    assert receipt.contract is not None
    return receipt.contract


async def manager_of(chain: Chain) -> str:
    sender, *_ = await chain.accounts()
    admin = await deploy(chain, "GraphProxyAdmin")
    code = await deploy(chain, "EpochManager")
    proxy = await deploy(chain, "GraphProxy", encode(["address", "address"], [code, admin]))
    initialize = call("initialize(address,uint256)", sender, LENGTH)
    accept = call("acceptProxyAndCall(address,address,bytes)", code, proxy, initialize)
    await chain.send(sender=sender, to=admin, data=accept)
    return proxy


async def test_epochs_begin_with_their_first_block(chain: Chain) -> None:
    manager = await manager_of(chain)
    begun = await epoch(chain, manager)
    assert (begun.length, begun.block) == (LENGTH, await chain.block_number())
    await chain.mine(3)
    for wanted in (begun.number + 1, begun.number + 4):
        block = await mine_until_epoch(chain, manager, wanted)
        now = await epoch(chain, manager)
        assert (now.number, now.since_start, now.block) == (wanted, 0, block.number)
    assert await mine_until_epoch(chain, manager, begun.number) == block


async def test_what_is_no_epoch_manager_is_refused(chain: Chain) -> None:
    with pytest.raises(ChainRefused, match="no EpochManager"):
        await mine_until_epoch(chain, "0x" + "a" * 40, 3)
    assert await chain.block_number() == 0
