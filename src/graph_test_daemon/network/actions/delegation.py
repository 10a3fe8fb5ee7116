"""Actions on delegation."""

from __future__ import annotations

from decimal import Decimal

from graph_test_daemon.network.accounts import Who
from graph_test_daemon.network.amounts import wei
from graph_test_daemon.network.base import NetworkBase
from graph_test_daemon.network.delegation import (
    Delegation,
    DelegationWithdrawn,
    StakeDelegated,
    StakeUndelegated,
)
from graph_test_daemon.network.epochs import EpochAdvanced
from harness.actions import Call, action

__all__ = ["DelegationActions"]


class DelegationActions(NetworkBase):
    """Delegation."""

    @action()
    async def delegation(
        self, indexer: Who = "indexer", delegator: Who = "delegator"
    ) -> Delegation:
        """Return what somebody has delegated to an indexer.

        Args:
            indexer: to whom.
            delegator: who.
        """
        return await (await self.network()).delegations.of(indexer, delegator)

    @action(events=[StakeDelegated])
    async def delegate(
        self,
        call: Call,
        tokens: Decimal,
        indexer: Who = "indexer",
        delegator: Who = "delegator",
        fund: bool = True,
    ) -> StakeDelegated:
        """Delegate tokens to an indexer.

        Args:
            tokens: GRT, a tax of which is burnt.
            indexer: to whom.
            delegator: whose.
            fund: what the delegator has not comes from the deployer.
        """
        delegations = (await self.network()).delegations
        delegated = await delegations.delegate(indexer, delegator, wei(tokens), fund=fund)
        await call.emit(delegated)
        return delegated

    @action(events=[StakeUndelegated])
    async def undelegate(
        self,
        call: Call,
        shares: Decimal | None = None,
        indexer: Who = "indexer",
        delegator: Who = "delegator",
    ) -> StakeUndelegated:
        """Give shares of an indexer's pool back; the tokens thaw for some epochs.

        Args:
            shares: how many, with 18 places as tokens have; all unless given.
            indexer: whose pool.
            delegator: whose shares.
        """
        amount = None if shares is None else wei(shares)
        delegations = (await self.network()).delegations
        undelegated = await delegations.undelegate(indexer, delegator, amount)
        await call.emit(undelegated)
        return undelegated

    @action(events=[EpochAdvanced, DelegationWithdrawn])
    async def withdraw_delegation(
        self,
        call: Call,
        indexer: Who = "indexer",
        delegator: Who = "delegator",
        advance: bool = False,
    ) -> DelegationWithdrawn:
        """Take back what was undelegated and has thawed.

        Args:
            indexer: from whom.
            delegator: whose.
            advance: advance epochs until it has.
        """
        delegations = (await self.network()).delegations
        withdrawn = await delegations.withdraw(indexer, delegator, advance=advance, tell=call.emit)
        await call.emit(withdrawn)
        return withdrawn
