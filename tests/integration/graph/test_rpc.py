"""JSON-RPC against a real chain."""

from __future__ import annotations

import pytest

from graph_test_daemon.errors import RpcFault, Unreachable
from graph_test_daemon.rpc import JsonRpc


async def test_a_call_gives_its_result_and_connections_are_kept(shared_chain_url: str) -> None:
    rpc = JsonRpc(shared_chain_url)
    assert await rpc.call("eth_chainId") == "0x7a69"
    assert await rpc.call("eth_getBlockByNumber", ["0x0", False]) is not None
    await rpc.aclose()
    assert await rpc.call("eth_chainId") == "0x7a69"
    await rpc.aclose()


async def test_a_batch_gives_results_in_order(shared_chain_url: str) -> None:
    rpc = JsonRpc(shared_chain_url)
    found = await rpc.batch([("eth_chainId", ()), ("web3_clientVersion", []), ("net_version", [])])
    assert found[0] == "0x7a69"
    assert found[1].startswith("anvil/")
    assert found[2] == "31337"
    assert await rpc.batch([]) == []
    await rpc.aclose()


async def test_a_refused_call_tells_what_the_server_said(shared_chain_url: str) -> None:
    rpc = JsonRpc(shared_chain_url)
    with pytest.raises(RpcFault) as refused:
        await rpc.call("eth_nonsense")
    assert (refused.value.method, refused.value.code) == ("eth_nonsense", -32601)
    with pytest.raises(RpcFault):
        await rpc.batch([("eth_chainId", ()), ("eth_nonsense", ())])
    await rpc.aclose()


async def test_nobody_there_is_told_with_the_address() -> None:
    rpc = JsonRpc("http://127.0.0.1:1/")
    with pytest.raises(Unreachable, match=r"cannot reach http://127.0.0.1:1:"):
        await rpc.call("eth_chainId")
    await rpc.aclose()
