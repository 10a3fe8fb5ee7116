"""How long after graph-node serves a block a wait for it returns.

Usage: graph_wait.py CHAIN_URL QUERY_URL ADMIN_URL STATUS_URL SUBGRAPH. Mines blocks, one after
another; asks graph-node again and again for the first moment in which queries know the block,
beside a wait for the same one. Prints the median delay in milliseconds.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Sequence

import anyio

from graph_test_daemon.chain import Chain
from graph_test_daemon.graph_node import GraphNode, NodeUrls, wait_for_sync

_BLOCKS = 15
_ASK_EVERY_S = 0.002


async def _served_at(node: GraphNode, subgraph: str, number: int) -> float:
    while True:
        found = await node.indexed(subgraph)
        if found is not None and found.block.number >= number:
            return time.perf_counter()
        await anyio.sleep(_ASK_EVERY_S)


async def _delay_s(chain: Chain, node: GraphNode, subgraph: str) -> float:
    number = (await chain.mine()).number
    returned: list[float] = []

    async def wait() -> None:
        await wait_for_sync(node, chain, subgraph, block=number)
        returned.append(time.perf_counter())

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        served_at = await _served_at(node, subgraph, number)
    return max(0.0, returned[0] - served_at)


async def _main(arguments: Sequence[str]) -> None:
    chain_url, query, admin, status, subgraph = arguments
    chain, node = Chain(chain_url), GraphNode(NodeUrls(query=query, admin=admin, status=status))
    found = [await _delay_s(chain, node, subgraph) for _ in range(_BLOCKS)]
    print(statistics.median(found) * 1000, flush=True)
    await node.aclose()
    await chain.aclose()


anyio.run(_main, sys.argv[1:])
