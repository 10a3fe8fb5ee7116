"""Epochs, stake, allocations, curation and disputes on the real contracts, L1 and L2."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from graph_test_daemon.contracts.protocol import GRT
from graph_test_daemon.errors import Reverted
from graph_test_daemon.ipfs.errors import InvalidCid
from graph_test_daemon.network import Network, bytes32_of
from graph_test_daemon.network.errors import (
    AllocationNotFound,
    DisputeNotFound,
    EpochNotReached,
    KeyUnknown,
    NoProof,
    NotThawed,
    SubgraphNotPublished,
    UnknownParticipant,
)
from graph_test_daemon.network.keys import address_of
from tests.requirements import graph_tool

from .network_fixtures import (
    DEPLOYMENT,
    OTHER_DEPLOYMENT,
    POI,
    SharedProtocol,
    deployed_protocol,
)

STAKE = 100_000 * GRT
NOBODY = "0x" + "00" * 19 + "09"


BOTH = pytest.mark.parametrize("shared", ["L1", "L2"], indirect=True)


@pytest.fixture(scope="module")
def shared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SharedProtocol]:
    graph_tool("contracts")
    yield from deployed_protocol(tmp_path_factory.mktemp("chain"), getattr(request, "param", "L2"))


@pytest.fixture
async def network(shared: SharedProtocol) -> AsyncIterator[Network]:
    async with shared.network() as network:
        yield network


class Told(list[Any]):
    async def __call__(self, event: Any) -> None:
        self.append(event)


async def _block(network: Network) -> int:
    return await network.protocol.chain.block_number()


# ── epochs ───────────────────────────────────────────────────────────────────────────────────────


async def test_epochs_are_advanced_one_by_one_with_their_bookkeeping(network: Network) -> None:
    before, told = await network.epochs.now(), Told()
    after = await network.epochs.advance(3, tell=told)
    assert [(one.from_epoch, one.to_epoch) for one in told] == [
        (before.number + n, before.number + n + 1) for n in range(3)
    ]
    assert [one.block for one in told] == [
        before.start_block + before.length * n for n in (1, 2, 3)
    ]
    assert all(one.run for one in told)
    assert (after.number, after.last_run) == (before.number + 3, before.number + 3)
    assert after.block == after.start_block == await _block(network)
    assert (after.blocks_since_start, after.blocks_to_next) == (0, after.length)
    manager = network.protocol.epoch_manager
    assert await manager.call("currentEpoch") == after.number
    assert await manager.call("currentEpochBlock") == after.start_block
    assert await manager.call("isCurrentEpochRun") is True


async def test_an_epoch_is_reached_without_bookkeeping_at_its_first_block(
    network: Network,
) -> None:
    before = await network.epochs.now()
    after = await network.epochs.advance(run=False)
    assert after.number == before.number + 1
    assert after.block == after.start_block == before.start_block + before.length
    assert after.last_run == before.last_run
    assert await network.epochs.advance_to(after.number) == after


@pytest.mark.parametrize("length", [1, 2])
async def test_epochs_as_short_as_a_transaction_are_advanced(network: Network, length: int) -> None:
    changed = await network.epochs.set_length(length)
    assert (changed.old_length, changed.length) == (30, length)
    before, told = await network.epochs.now(), Told()
    after = await network.epochs.advance(3, tell=told)
    assert [one.to_epoch - before.number for one in told] == [1, 2, 3]
    assert after.last_run == after.number == before.number + 3


@pytest.mark.parametrize("interval", [0, 3600])
async def test_epochs_are_advanced_on_a_chain_that_does_not_mine_by_itself(
    network: Network, interval: int
) -> None:
    rpc = network.protocol.chain.rpc
    await rpc.call("evm_setAutomine", [False])
    if interval:
        await rpc.call("evm_setIntervalMining", [interval])
    try:
        before = await network.epochs.now()
        after = await network.epochs.advance(2)
        assert after.number == after.last_run == before.number + 2
        assert after.block == after.start_block
    finally:
        if interval:
            await rpc.call("evm_setIntervalMining", [0])
        await rpc.call("evm_setAutomine", [True])


async def test_the_present_length_is_refused_with_the_contracts_reason(network: Network) -> None:
    with pytest.raises(Reverted) as refused:
        await network.epochs.set_length(30)
    assert refused.value.reason == "Epoch length must be different to current"
    assert "`epoch` shows" in str(refused.value.hint)


async def test_waiting_for_an_epoch_says_how_many_blocks_are_missing(network: Network) -> None:
    now = await network.epochs.now()
    assert await network.epochs.wait_for(now.number) == now
    with pytest.raises(EpochNotReached) as late:
        await network.epochs.wait_for(now.number + 2, timeout_s=0.2)
    assert late.value.blocks == now.blocks_to_next + now.length


# ── who ──────────────────────────────────────────────────────────────────────────────────────────


async def test_participants_have_names_places_and_addresses(network: Network) -> None:
    who, own = network.participants, await network.protocol.chain.accounts()
    assert await who.address("indexer") == await who.address(6) == own[6].lower()
    assert await who.address("consumer") == own[9].lower()
    assert await who.address("9") == own[9].lower()
    assert await who.address(own[3]) == own[3].lower()
    assert await who.address("Availability_Oracle") == own[4].lower()
    assert await who.address("Staking") == network.protocol.staking.address
    # Place 10 of the mnemonic that every local chain begins with.
    assert await who.address("indexer-2") == "0xbcd4042de499d14e55001ccbb24a551f3b954096"
    with pytest.raises(UnknownParticipant) as unknown:
        await who.address("indexr")
    assert unknown.value.hint == 'did you mean "indexer"?'


async def test_an_account_is_funded_with_tokens_and_ether(network: Network) -> None:
    who = network.participants
    before = await who.account("indexer-2")
    await who.fund("indexer-2", tokens=5 * GRT, ether=7)
    after = await who.account("indexer-2")
    assert (after.tokens - before.tokens, after.ether - before.ether) == (5 * GRT, 7)
    assert (after.names, (await who.account("curator")).names) == (("indexer-2",), ("curator",))
    assert (await who.account("governor")).names == ("governor",)


async def test_who_has_not_enough_and_is_not_funded_is_refused(network: Network) -> None:
    with pytest.raises(Reverted, match="transfer amount exceeds balance") as refused:
        await network.staking.stake("indexer", STAKE, fund=False)
    assert refused.value.hint == "fund gives tokens"


# ── stake and delegation ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("indexer", ["indexer", "indexer-2", NOBODY])
async def test_stake_thaws_and_is_withdrawn(network: Network, indexer: str) -> None:
    staking = network.staking
    deposited = await staking.stake(indexer, 2 * STAKE)
    assert (deposited.tokens, deposited.staked) == (2 * STAKE, 2 * STAKE)
    found = await staking.indexer(indexer)
    assert (found.staked, found.capacity, found.thawing) == (2 * STAKE, 2 * STAKE, 0)
    thawing = await staking.unstake(indexer, STAKE)
    assert (thawing.tokens, thawing.until) == (STAKE, await _block(network) + 20)
    with pytest.raises(NotThawed) as early:
        await staking.withdraw(indexer)
    assert (early.value.until, early.value.at) == (thawing.until, await _block(network))
    assert (await staking.withdraw(indexer, mine=True)).tokens == STAKE
    assert await _block(network) == thawing.until
    assert (await staking.unstake(indexer)).tokens == STAKE
    assert (await staking.withdraw(indexer, mine=True)).tokens == STAKE
    assert (await staking.indexer(indexer)).staked == 0
    assert (await network.participants.account(indexer)).tokens == 2 * STAKE


async def test_stake_below_the_minimum_is_refused_with_the_contracts_reason(
    network: Network,
) -> None:
    with pytest.raises(Reverted) as refused:
        await network.staking.stake("indexer", STAKE - 1)
    assert refused.value.reason == "!minimumIndexerStake"
    with pytest.raises(Reverted) as nothing:
        await network.staking.withdraw("indexer")
    assert nothing.value.reason == "!tokens"


async def test_delegation_adds_capacity_and_thaws_in_epochs(network: Network) -> None:
    await network.staking.stake("indexer", STAKE)
    delegated = await network.delegations.delegate("indexer", "delegator", 1000 * GRT)
    assert delegated.tokens == 995 * GRT  # the tax is half a percent
    assert (await network.staking.indexer("indexer")).capacity == STAKE + 995 * GRT
    undelegated = await network.delegations.undelegate("indexer", "delegator")
    assert (undelegated.shares, undelegated.tokens) == (delegated.shares, 995 * GRT)
    with pytest.raises(NotThawed, match=f"until epoch {undelegated.until}"):
        await network.delegations.withdraw("indexer", "delegator")
    told = Told()
    withdrawn = await network.delegations.withdraw("indexer", "delegator", advance=True, tell=told)
    assert withdrawn.tokens == 995 * GRT
    assert told[-1].to_epoch == undelegated.until
    after = await network.delegations.of("indexer", "delegator")
    assert (after.shares, after.tokens, after.thawing) == (0, 0, 0)


async def test_an_operator_allocates_for_an_indexer(network: Network) -> None:
    await network.staking.stake("indexer", STAKE)
    with pytest.raises(Reverted) as refused:
        await network.allocations.open("indexer", DEPLOYMENT, STAKE, operator="curator")
    assert refused.value.reason == "!auth"
    await network.staking.set_operator("indexer", "curator")
    opened = await network.allocations.open("indexer", DEPLOYMENT, STAKE, operator="curator")
    assert opened.indexer == await network.participants.address("indexer")


# ── allocations ──────────────────────────────────────────────────────────────────────────────────


@BOTH
async def test_the_life_of_an_allocation_earns_rewards_and_fees(network: Network) -> None:
    allocations = network.allocations
    await network.curation.mint("curator", DEPLOYMENT, 10_000 * GRT)
    await network.staking.stake("indexer", STAKE)
    await network.delegations.delegate("indexer", "delegator", 1000 * GRT)
    await network.staking.set_delegation_parameters(
        "indexer", indexing_reward_cut=900_000, query_fee_cut=900_000
    )
    opened = await allocations.open("indexer", DEPLOYMENT, STAKE)
    assert (opened.tokens, opened.deployment) == (STAKE, DEPLOYMENT)
    await network.epochs.advance()
    found = await allocations.get(opened.allocation)
    assert (found.state, found.created_at_epoch) == ("active", opened.epoch)
    assert found.pending_rewards == (await allocations.rewards(opened.allocation)).tokens > 0

    fees = await allocations.collect(opened.allocation, "consumer", 500 * GRT)
    assert (fees.tokens, fees.protocol_tax) == (500 * GRT, 5 * GRT)
    assert fees.curation_fees == 49_500_000_000_000_000_000
    assert 0 < fees.rebate <= fees.tokens - fees.protocol_tax - fees.curation_fees

    before = await network.staking.indexer("indexer")
    pending = (await allocations.rewards(opened.allocation)).tokens
    closed = await allocations.close(opened.allocation, POI)
    after = await network.staking.indexer("indexer")
    assert closed.poi == POI
    assert closed.rewards > pending  # the block that it is closed in counts, too
    assert after.staked - before.staked == closed.restaked
    # The indexer keeps 90 %, and the pool of its delegators has the rest.
    assert closed.rewards - closed.restaked == after.delegated - before.delegated
    assert abs(closed.restaked * 10 - closed.rewards * 9) < 10
    ended = await allocations.get(opened.allocation)
    assert (ended.state, ended.closed_at_epoch) == ("closed", closed.epoch)
    with pytest.raises(Reverted) as refused:
        await allocations.close(opened.allocation, POI)
    assert refused.value.reason == "!active"


async def test_an_allocation_that_is_closed_in_its_epoch_or_without_proof_gets_nothing(
    network: Network,
) -> None:
    await network.curation.mint("curator", DEPLOYMENT, 10_000 * GRT)
    await network.staking.stake("indexer", 2 * STAKE)
    await network.epochs.advance()
    first = await network.allocations.open("indexer", DEPLOYMENT, STAKE)
    assert (await network.allocations.close(first.allocation, POI)).rewards == 0
    second = await network.allocations.open("indexer", DEPLOYMENT, STAKE)
    await network.epochs.advance()
    assert (await network.allocations.close(second.allocation)).rewards == 0


async def test_ids_are_never_used_twice_and_their_keys_are_found_again(network: Network) -> None:
    await network.staking.stake("indexer", STAKE)
    await network.staking.stake("indexer-2", STAKE)
    await network.epochs.advance()
    opened = [
        await network.allocations.open(indexer, DEPLOYMENT, 0)
        for indexer in ("indexer", "indexer", "indexer-2")
    ]
    assert len({one.allocation for one in opened}) == 3
    assert len({one.epoch for one in opened}) == 1
    for one in opened:
        key = await network.allocations.key(one.allocation)
        assert key is not None
        assert address_of(key) == one.allocation


async def test_allocations_are_listed_by_indexer_deployment_and_state(network: Network) -> None:
    await network.staking.stake("indexer", STAKE)
    await network.staking.stake("indexer-2", STAKE)
    first = await network.allocations.open("indexer", DEPLOYMENT, 0)
    second = await network.allocations.open("indexer", OTHER_DEPLOYMENT, STAKE)
    third = await network.allocations.open("indexer-2", DEPLOYMENT, STAKE)
    await network.allocations.close(second.allocation)

    async def ids(**chosen: Any) -> list[str]:
        return [one.allocation for one in await network.allocations.all(**chosen)]

    assert await ids() == [first.allocation, second.allocation, third.allocation]
    assert await ids(indexer="indexer") == [first.allocation, second.allocation]
    assert await ids(deployment=DEPLOYMENT) == [first.allocation, third.allocation]
    assert await ids(active_only=True, indexer="indexer") == [first.allocation]


async def test_more_than_the_capacity_is_refused(network: Network) -> None:
    await network.staking.stake("indexer", STAKE)
    with pytest.raises(Reverted) as refused:
        await network.allocations.open("indexer", DEPLOYMENT, STAKE + 1)
    assert refused.value.reason == "!capacity"
    assert "`indexer` shows the capacity" in str(refused.value.hint)
    with pytest.raises(InvalidCid):
        await network.allocations.open("indexer", "Qm", STAKE)


async def test_anybody_closes_allocations_when_they_are_stale(network: Network) -> None:
    await network.staking.stake("indexer", STAKE)
    opened = await network.allocations.open("indexer", DEPLOYMENT, STAKE)
    with pytest.raises(Reverted) as refused:
        await network.allocations.close(opened.allocation, sender="consumer")
    assert refused.value.reason == "!auth"
    assert await network.allocations.close_stale("consumer") == []
    await network.epochs.advance(5)
    told = Told()
    (closed,) = await network.allocations.close_stale("consumer", tell=told)
    assert told == [closed]
    assert (closed.allocation, closed.rewards) == (opened.allocation, 0)
    assert closed.sender == await network.participants.address("consumer")


async def test_an_allocation_that_never_was_is_named(network: Network) -> None:
    for attempt in (
        network.allocations.get(NOBODY),
        network.allocations.collect(NOBODY, "consumer", 1),
        network.allocations.close(NOBODY),
        network.disputes.dispute_indexing(NOBODY, "consumer"),
    ):
        with pytest.raises(AllocationNotFound, match=NOBODY):
            await attempt


async def test_without_a_graph_node_there_is_no_proof(network: Network) -> None:
    await network.staking.stake("indexer", STAKE)
    opened = await network.allocations.open("indexer", DEPLOYMENT, STAKE)
    with pytest.raises(NoProof, match="there is no graph-node to ask"):
        await network.close_with_proof(None, opened.allocation)


@BOTH
async def test_a_voucher_is_redeemed_once(network: Network) -> None:
    await network.staking.stake("indexer", STAKE)
    opened = await network.allocations.open("indexer", DEPLOYMENT, STAKE)
    vouchers = network.vouchers
    voucher = await vouchers.sign(opened.allocation, 500 * GRT, authority="authority")
    redeemed = await vouchers.redeem(voucher, sender="consumer")
    assert 0 < redeemed.rebate < redeemed.tokens == 500 * GRT
    with pytest.raises(Reverted, match="allocation already redeemed"):
        await vouchers.redeem(voucher, sender="consumer")
    other = await network.allocations.open("indexer", DEPLOYMENT, 0)
    forged = await vouchers.sign(other.allocation, GRT, authority="curator")
    with pytest.raises(Reverted, match="invalid signer"):
        await vouchers.redeem(forged, sender="consumer")
    with pytest.raises(KeyUnknown, match="cannot sign a voucher"):
        await vouchers.sign(other.allocation, GRT, authority=NOBODY)


# ── curation ─────────────────────────────────────────────────────────────────────────────────────


@BOTH
async def test_a_subgraph_is_published_signalled_upgraded_and_deprecated(
    network: Network,
) -> None:
    curation = network.curation
    published = await curation.publish("curator", DEPLOYMENT, subgraph_metadata=OTHER_DEPLOYMENT)
    found = await curation.subgraph(published.subgraph)
    assert found == await curation.subgraph(str(published.number))
    assert (found.deployment, found.owner, found.signal) == (DEPLOYMENT, published.owner, 0)

    quote = await curation.quote(published.subgraph, 1000 * GRT)
    minted = await curation.mint("consumer", published.subgraph, 1000 * GRT)
    assert (quote.signal, quote.tax) == (minted.signal, 10 * GRT)
    assert await curation.signal_of("consumer", published.subgraph) == minted.signal
    pool = await curation.pool(DEPLOYMENT)
    assert (pool.tokens, pool.denied, pool.allocated) == (990 * GRT, False, 0)

    version = await curation.publish_version(published.subgraph, OTHER_DEPLOYMENT)
    assert (version.old_deployment, version.deployment) == (DEPLOYMENT, OTHER_DEPLOYMENT)
    found = await curation.subgraph(published.subgraph)
    assert (found.deployment, found.signal) == (OTHER_DEPLOYMENT, minted.signal)
    assert (await curation.pool(DEPLOYMENT)).tokens == 0

    burned = await curation.burn("consumer", published.subgraph, minted.signal // 2)
    assert 0 < burned.tokens < 1000 * GRT
    given = await curation.transfer(published.subgraph, "delegator")
    assert given.owner == await network.participants.address("delegator")
    deprecated = await curation.deprecate(published.subgraph)
    assert deprecated.withdrawable > 0
    for attempt in (
        curation.subgraph(published.subgraph),
        curation.mint("consumer", published.subgraph, GRT),
        curation.deprecate(published.number),
    ):
        with pytest.raises(SubgraphNotPublished):
            await attempt


@BOTH
async def test_signal_on_a_deployment_is_minted_and_burned(network: Network) -> None:
    curation = network.curation
    minted = await curation.mint("curator", DEPLOYMENT, 1000 * GRT)
    assert (await curation.quote(DEPLOYMENT, 1000 * GRT)).tax == 10 * GRT
    assert await curation.signal_of("curator", DEPLOYMENT) == minted.signal > 0
    burned = await curation.burn("curator", DEPLOYMENT)
    assert (burned.signal, burned.tokens) == (minted.signal, 990 * GRT)
    assert await curation.signal_of("curator", DEPLOYMENT) == 0


# ── disputes ─────────────────────────────────────────────────────────────────────────────────────


async def _allocated(network: Network) -> str:
    await network.curation.mint("curator", DEPLOYMENT, 10_000 * GRT)
    await network.staking.stake("indexer", STAKE)
    return (await network.allocations.open("indexer", DEPLOYMENT, STAKE // 2)).allocation


@BOTH
async def test_an_accepted_dispute_slashes_the_indexer(network: Network) -> None:
    allocation = await _allocated(network)
    created = await network.disputes.dispute_indexing(allocation, "consumer")
    assert (created.kind, created.deposit) == ("indexing", 10_000 * GRT)
    (listed,) = await network.disputes.all()
    assert listed == await network.disputes.get(created.dispute)
    assert (listed.status, listed.fisherman) == ("pending", created.fisherman)
    with pytest.raises(Reverted):
        await network.disputes.dispute_indexing(allocation, "consumer")
    resolved = await network.disputes.resolve(created.dispute, "accepted")
    assert (resolved.slashed, resolved.reward) == (2500 * GRT, 1250 * GRT)
    assert resolved.tokens == created.deposit + resolved.reward
    assert (await network.staking.indexer("indexer")).staked == STAKE - 2500 * GRT
    assert (await network.disputes.get(created.dispute)).status == "accepted"
    with pytest.raises(Reverted) as refused:
        await network.disputes.resolve(created.dispute, "drawn")
    assert refused.value.hint == "it is decided"


@pytest.mark.parametrize(("outcome", "left"), [("rejected", 0), ("drawn", 20_000 * GRT)])
async def test_an_answer_is_attested_and_disputed_in_vain(
    network: Network, outcome: Any, left: int
) -> None:
    allocation = await _allocated(network)
    attested = await network.disputes.attest(allocation, "{ a }", '{"data": {"a": 1}}')
    created = await network.disputes.dispute_query(attested.data, "consumer", 20_000 * GRT)
    assert created.kind == "query"
    assert created.indexer == await network.participants.address("indexer")
    resolved = await network.disputes.resolve(created.dispute, outcome)
    assert (resolved.slashed, resolved.tokens) == (0, 20_000 * GRT)
    assert (await network.participants.account("consumer")).tokens == left
    assert (await network.staking.indexer("indexer")).staked == STAKE
    assert (await network.disputes.get(created.dispute)).status == outcome


async def test_a_dispute_that_never_was_is_named(network: Network) -> None:
    with pytest.raises(DisputeNotFound):
        await network.disputes.get(bytes32_of(DEPLOYMENT))


async def test_denied_rewards_are_not_given(network: Network) -> None:
    allocation = await _allocated(network)
    await network.epochs.advance()
    await network.disputes.deny_rewards(DEPLOYMENT)
    assert (await network.curation.pool(DEPLOYMENT)).denied
    assert (await network.allocations.rewards(allocation)).denied
    closed = await network.allocations.close(allocation, POI)
    assert (closed.rewards, closed.denied) == (0, True)
    await network.disputes.deny_rewards(DEPLOYMENT, denied=False)
    assert not (await network.curation.pool(DEPLOYMENT)).denied
