"""Stake of indexers.

Amounts are in wei, cuts in parts per million. Source: Staking of contracts 7.2.1.
"""

from __future__ import annotations

from dataclasses import dataclass

from graph_test_daemon.contracts.protocol import Protocol

from .accounts import Participants, Who
from .epochs import Epochs
from .errors import NotThawed
from .sending import NOBODY, send

__all__ = [
    "DelegationParametersSet",
    "Indexer",
    "OperatorSet",
    "StakeDeposited",
    "StakeThawing",
    "StakeWithdrawn",
    "Staking",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexer:
    """An indexer.

    Attributes:
        address: of it.
        staked: own tokens, with those that are allocated or thaw.
        allocated: of its own and delegated ones.
        thawing: tokens that were unstaked and not withdrawn.
        thawing_until: from this block on they can be; 0: none thaw.
        delegated: tokens of its delegators.
        delegation_shares: of its delegators, in all.
        capacity: tokens that it can allocate besides.
        indexing_reward_cut: part of the rewards that it keeps.
        query_fee_cut: part of the query fees that it keeps.
        rewards_destination: who gets its rewards; None: they are staked.
    """

    address: str
    staked: int
    allocated: int
    thawing: int
    thawing_until: int
    delegated: int
    delegation_shares: int
    capacity: int
    indexing_reward_cut: int
    query_fee_cut: int
    rewards_destination: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StakeDeposited:
    """An indexer has put tokens at stake; `staked` is what it has in all."""

    indexer: str
    tokens: int
    staked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StakeThawing:
    """Tokens at stake thaw; `tokens` are all that do, withdrawable from block `until` on."""

    indexer: str
    tokens: int
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StakeWithdrawn:
    """An indexer has taken tokens back."""

    indexer: str
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorSet:
    """Somebody may act for an indexer, or may not any more."""

    indexer: str
    operator: str
    allowed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DelegationParametersSet:
    """An indexer has said which parts it keeps, in parts per million."""

    indexer: str
    indexing_reward_cut: int
    query_fee_cut: int


class Staking:
    """Stake of one network.

    Args:
        protocol: the contracts.
        participants: the accounts.
        epochs: mine blocks.
    """

    def __init__(self, protocol: Protocol, participants: Participants, epochs: Epochs) -> None:
        self._protocol = protocol
        self._who = participants
        self._epochs = epochs

    async def indexer(self, who: Who) -> Indexer:
        """Return an indexer as it is; one that never staked has nothing of everything."""
        address, staking = await self._who.address(who), self._protocol.staking
        stake = await staking.call("stakes", address)
        pool = await staking.call("delegationPools", address)
        destination = await staking.call("rewardsDestination", address)
        return Indexer(
            address=address,
            staked=stake["tokensStaked"],
            allocated=stake["tokensAllocated"],
            thawing=stake["tokensLocked"],
            thawing_until=stake["tokensLockedUntil"],
            delegated=pool["tokens"],
            delegation_shares=pool["shares"],
            capacity=await staking.call("getIndexerCapacity", address),
            indexing_reward_cut=pool["indexingRewardCut"],
            query_fee_cut=pool["queryFeeCut"],
            rewards_destination=None if destination == NOBODY else destination,
        )

    async def stake(self, indexer: Who, tokens: int, *, fund: bool = True) -> StakeDeposited:
        """Put tokens of an indexer at stake.

        Args:
            indexer: whose.
            tokens: in wei.
            fund: what it has not comes from the deployer.

        Raises:
            Reverted: they are too few, or it has not so many.
        """
        sender, staking = await self._who.sender(indexer), self._protocol.staking
        await self._who.spendable(sender, staking.address, tokens, fund=fund)
        await send(staking, "stake", tokens, sender=sender)
        staked = await staking.call("getIndexerStakedTokens", sender)
        return StakeDeposited(indexer=sender, tokens=tokens, staked=staked)

    async def unstake(self, indexer: Who, tokens: int | None = None) -> StakeThawing:
        """Let tokens of an indexer thaw; what has thawed before is withdrawn.

        Args:
            indexer: whose.
            tokens: in wei; None: all that are not allocated.

        Raises:
            Reverted: so many are not free, or fewer than the minimum would be left.
        """
        sender, staking = await self._who.sender(indexer), self._protocol.staking
        if tokens is None:
            found = await self.indexer(sender)
            tokens = found.staked - found.thawing - min(found.allocated, found.staked)
        await send(staking, "unstake", tokens, sender=sender)
        after = await staking.call("stakes", sender)
        return StakeThawing(
            indexer=sender, tokens=after["tokensLocked"], until=after["tokensLockedUntil"]
        )

    async def withdraw(self, indexer: Who, *, mine: bool = False) -> StakeWithdrawn:
        """Take back what has thawed.

        Args:
            indexer: whose.
            mine: mine until it has thawed.

        Raises:
            NotThawed: it has not.
            Reverted: nothing thaws.
        """
        sender, staking = await self._who.sender(indexer), self._protocol.staking
        until = (await staking.call("stakes", sender))["tokensLockedUntil"]
        if mine:
            await self._epochs.mine_until(until - 1)
        # The transaction is in the next block.
        block = await self._protocol.chain.block_number() + 1
        if block < until:
            raise NotThawed(
                what=f"the stake of {sender}",
                unit="block",
                until=until,
                at=block - 1,
                hint="mine blocks, or withdraw with `mine=true`",
            )
        sent = await send(staking, "withdraw", sender=sender)
        event = sent.event("StakeWithdrawn")
        return StakeWithdrawn(indexer=sender, tokens=event.values["tokens"] if event else 0)

    async def set_operator(
        self, indexer: Who, operator: Who, *, allowed: bool = True
    ) -> OperatorSet:
        """Have somebody act for an indexer, or not any more."""
        sender, address = await self._who.sender(indexer), await self._who.address(operator)
        await send(self._protocol.staking, "setOperator", address, allowed, sender=sender)
        return OperatorSet(indexer=sender, operator=address, allowed=allowed)

    async def set_delegation_parameters(
        self, indexer: Who, *, indexing_reward_cut: int, query_fee_cut: int
    ) -> DelegationParametersSet:
        """Say which parts of rewards and fees an indexer keeps, in parts per million."""
        sender = await self._who.sender(indexer)
        cuts = (indexing_reward_cut, query_fee_cut)
        await send(self._protocol.staking, "setDelegationParameters", *cuts, 0, sender=sender)
        return DelegationParametersSet(
            indexer=sender, indexing_reward_cut=indexing_reward_cut, query_fee_cut=query_fee_cut
        )
