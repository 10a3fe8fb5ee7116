"""What is remembered of allocations follows the chain back, and forward again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from graph_test_daemon.chain import Chain, RawTransaction
from graph_test_daemon.contracts import Sent
from graph_test_daemon.contracts.protocol import GRT, Protocol
from graph_test_daemon.network import Network
from graph_test_daemon.network.remembering import Remembering
from graph_test_daemon.tracking import Allocation, AllocationState, Tracker
from tests.requirements import graph_tool

from .network_fixtures import DEPLOYMENT, POI, SharedProtocol, deployed_protocol


@dataclass
class Remembered:
    """A network, and who remembers what is done on it."""

    network: Network
    tracker: Tracker

    @property
    def chain(self) -> Chain:
        return self.network.protocol.chain

    async def allocation(self) -> Allocation:
        (found,) = await self.tracker.all(Allocation)
        return found


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedProtocol]:
    graph_tool("contracts")
    yield from deployed_protocol(tmp_path_factory.mktemp("chain"), "L2")


@pytest.fixture
async def remembered(shared: SharedProtocol, tmp_path: Path) -> AsyncIterator[Remembered]:
    tracker = Tracker(tmp_path / "tracking")
    async with shared.network() as plain:
        told = Protocol(
            plain.protocol.chain,
            shared.deployed.book,
            shared.provider,
            on_sent=Remembering(tracker),
        )
        yield Remembered(Network(told, roles=shared.deployed.accounts), tracker)
    await tracker.aclose()


async def test_an_allocation_is_as_the_chain_has_it_after_each_reorg(
    remembered: Remembered,
) -> None:
    network, tracker, chain = remembered.network, remembered.tracker, remembered.chain
    await network.curation.mint("curator", DEPLOYMENT, 1000 * GRT)
    await network.staking.stake("indexer", 100_000 * GRT)
    opened = await network.allocations.open("indexer", DEPLOYMENT, GRT)
    await network.epochs.advance()
    before = await remembered.allocation()
    await network.allocations.close(opened.allocation, POI)
    closed = await remembered.allocation()
    assert closed.closed is not None
    assert (closed.state, closed.poi) == (AllocationState.CLOSED, POI)
    raw = await chain.rpc.call("eth_getRawTransactionByHash", [closed.closed.transaction])

    done = await chain.reorg(1)
    ((was, changed),) = await tracker.follow_allocations(chain, since=done.common)
    assert was == closed
    assert changed == before == await remembered.allocation()
    assert (await network.allocations.get(opened.allocation)).state == "active"
    assert await tracker.follow_allocations(chain, since=done.common) == []

    # The same transaction comes back with another reorg: it is read again what it brought.
    await tracker.follow_reorg(chain, since=done.common)
    await chain.reorg(1, raw=[RawTransaction(data=raw)])
    (back,) = await tracker.follow_reorg(chain, since=done.common)
    receipt = await chain.receipt(back.hash)
    assert receipt is not None
    events = network.protocol.staking.events(receipt.logs)
    await Remembering(tracker).allocations(Sent(receipt=receipt, events=events))
    again = await remembered.allocation()
    assert (again.state, again.poi, again.closed) == (AllocationState.CLOSED, POI, closed.closed)

    await chain.reorg(await chain.block_number() - before.opened.block + 1)
    ((_, undone),) = await tracker.follow_allocations(chain, since=before.opened.block)
    assert (undone.state, undone.closed) == (AllocationState.UNDONE, None)
