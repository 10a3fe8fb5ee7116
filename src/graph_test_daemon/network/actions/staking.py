"""Actions on the stake of indexers."""

from __future__ import annotations

from decimal import Decimal

from graph_test_daemon.network.accounts import Who
from graph_test_daemon.network.amounts import wei
from graph_test_daemon.network.base import NetworkBase
from graph_test_daemon.network.staking import (
    DelegationParametersSet,
    Indexer,
    OperatorSet,
    StakeDeposited,
    StakeThawing,
    StakeWithdrawn,
)
from harness.actions import Call, action

__all__ = ["StakingActions"]


class StakingActions(NetworkBase):
    """Stake."""

    @action()
    async def indexer(self, indexer: Who = "indexer") -> Indexer:
        """Return an indexer's stake, delegation and capacity.

        Args:
            indexer: a name, a place, an address.
        """
        return await (await self.network()).staking.indexer(indexer)

    @action(events=[StakeDeposited])
    async def stake(
        self, call: Call, tokens: Decimal, indexer: Who = "indexer", fund: bool = True
    ) -> StakeDeposited:
        """Put tokens of an indexer at stake.

        Args:
            tokens: GRT.
            indexer: whose.
            fund: what it has not comes from the deployer.
        """
        staking = (await self.network()).staking
        deposited = await staking.stake(indexer, wei(tokens), fund=fund)
        await call.emit(deposited)
        return deposited

    @action(events=[StakeThawing])
    async def unstake(
        self, call: Call, tokens: Decimal | None = None, indexer: Who = "indexer"
    ) -> StakeThawing:
        """Let tokens of an indexer thaw.

        Args:
            tokens: GRT; all that are not allocated unless given.
            indexer: whose.
        """
        amount = None if tokens is None else wei(tokens)
        thawing = await (await self.network()).staking.unstake(indexer, amount)
        await call.emit(thawing)
        return thawing

    @action(events=[StakeWithdrawn])
    async def withdraw(
        self, call: Call, indexer: Who = "indexer", mine: bool = False
    ) -> StakeWithdrawn:
        """Take back tokens of an indexer that have thawed.

        Args:
            indexer: whose.
            mine: mine until they have.
        """
        withdrawn = await (await self.network()).staking.withdraw(indexer, mine=mine)
        await call.emit(withdrawn)
        return withdrawn

    @action(events=[OperatorSet])
    async def set_operator(
        self, call: Call, operator: Who, indexer: Who = "indexer", allowed: bool = True
    ) -> OperatorSet:
        """Have somebody act for an indexer, or not any more.

        Args:
            operator: who may.
            indexer: for whom.
            allowed: false: may not any more.
        """
        staking = (await self.network()).staking
        done = await staking.set_operator(indexer, operator, allowed=allowed)
        await call.emit(done)
        return done

    @action(events=[DelegationParametersSet])
    async def set_delegation_parameters(
        self, call: Call, indexing_reward_cut: int, query_fee_cut: int, indexer: Who = "indexer"
    ) -> DelegationParametersSet:
        """Say which parts of rewards and fees an indexer keeps for itself.

        Args:
            indexing_reward_cut: of rewards, in parts per million.
            query_fee_cut: of fees of queries, in parts per million.
            indexer: who keeps them.
        """
        staking = (await self.network()).staking
        done = await staking.set_delegation_parameters(
            indexer, indexing_reward_cut=indexing_reward_cut, query_fee_cut=query_fee_cut
        )
        await call.emit(done)
        return done
