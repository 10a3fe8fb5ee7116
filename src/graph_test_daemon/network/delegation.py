"""Delegation: tokens of others at an indexer.

Amounts are in wei. Source: StakingExtension of contracts 7.2.1.
"""

from __future__ import annotations

from dataclasses import dataclass

from graph_test_daemon.contracts.protocol import Protocol

from .accounts import Participants, Who
from .epochs import Epochs
from .errors import NotThawed
from .sending import NOBODY, Tell, nothing_told, send

__all__ = [
    "Delegation",
    "DelegationWithdrawn",
    "Delegations",
    "StakeDelegated",
    "StakeUndelegated",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegation:
    """What somebody has delegated to an indexer.

    Attributes:
        indexer: address.
        delegator: address.
        shares: of the indexer's pool.
        tokens: that they are worth now.
        thawing: tokens that were undelegated and not withdrawn.
        thawing_until: from this epoch on they can be; 0: none thaw.
    """

    indexer: str
    delegator: str
    shares: int
    tokens: int
    thawing: int
    thawing_until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StakeDelegated:
    """Somebody has delegated tokens, after the tax, and got shares of the indexer's pool."""

    indexer: str
    delegator: str
    tokens: int
    shares: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StakeUndelegated:
    """Shares were given back; `tokens` thaw, withdrawable from epoch `until` on."""

    indexer: str
    delegator: str
    shares: int
    tokens: int
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DelegationWithdrawn:
    """A delegator has taken tokens back."""

    indexer: str
    delegator: str
    tokens: int


class Delegations:
    """Delegation of one network.

    Args:
        protocol: the contracts.
        participants: the accounts.
        epochs: in which it thaws.
    """

    def __init__(self, protocol: Protocol, participants: Participants, epochs: Epochs) -> None:
        self._protocol = protocol
        self._who = participants
        self._epochs = epochs

    async def of(self, indexer: Who, delegator: Who) -> Delegation:
        """Return what somebody has delegated to an indexer."""
        of, by = await self._who.address(indexer), await self._who.address(delegator)
        found = await self._protocol.staking.call("getDelegation", of, by)
        pool = await self._protocol.staking.call("delegationPools", of)
        worth = found["shares"] * pool["tokens"] // pool["shares"] if pool["shares"] else 0
        return Delegation(
            indexer=of,
            delegator=by,
            shares=found["shares"],
            tokens=worth,
            thawing=found["tokensLocked"],
            thawing_until=found["tokensLockedUntil"],
        )

    async def delegate(
        self, indexer: Who, delegator: Who, tokens: int, *, fund: bool = True
    ) -> StakeDelegated:
        """Delegate tokens to an indexer; a tax of them is burnt.

        Args:
            indexer: to whom.
            delegator: whose.
            tokens: in wei.
            fund: what the delegator has not comes from the deployer.
        """
        of, by, staking = (
            await self._who.address(indexer),
            await self._who.sender(delegator),
            self._protocol.staking,
        )
        await self._who.spendable(by, staking.address, tokens, fund=fund)
        sent = await send(staking, "delegate", of, tokens, sender=by)
        event = sent.event("StakeDelegated")
        assert event is not None  # noqa: S101 - else it is refused
        return StakeDelegated(
            indexer=of, delegator=by, tokens=event.values["tokens"], shares=event.values["shares"]
        )

    async def undelegate(
        self, indexer: Who, delegator: Who, shares: int | None = None
    ) -> StakeUndelegated:
        """Give shares of an indexer's pool back; the tokens thaw for some epochs.

        Args:
            indexer: whose pool.
            delegator: whose shares.
            shares: how many; None: all.
        """
        of, by, staking = (
            await self._who.address(indexer),
            await self._who.sender(delegator),
            self._protocol.staking,
        )
        if shares is None:
            shares = (await staking.call("getDelegation", of, by))["shares"]
        sent = await send(staking, "undelegate", of, shares, sender=by)
        event = sent.event("StakeDelegatedLocked")
        assert event is not None  # noqa: S101 - else it is refused
        return StakeUndelegated(
            indexer=of,
            delegator=by,
            shares=event.values["shares"],
            tokens=event.values["tokens"],
            until=event.values["until"],
        )

    async def withdraw(
        self, indexer: Who, delegator: Who, *, advance: bool = False, tell: Tell = nothing_told
    ) -> DelegationWithdrawn:
        """Take back what was undelegated and has thawed.

        Args:
            indexer: from whom.
            delegator: whose.
            advance: advance epochs until it has thawed.
            tell: is awaited with EpochAdvanced of each.

        Raises:
            NotThawed: it has not.
            Reverted: nothing thaws.
        """
        found = await self.of(indexer, delegator)
        now = await self._epochs.now()
        if advance:
            now = await self._epochs.advance_to(found.thawing_until, tell=tell)
        if now.number < found.thawing_until:
            raise NotThawed(
                what=f"what {found.delegator} has delegated",
                unit="epoch",
                until=found.thawing_until,
                at=now.number,
                hint="advance epochs, or withdraw with `advance=true`",
            )
        sender = await self._who.sender(found.delegator)
        arguments = (found.indexer, NOBODY)
        sent = await send(self._protocol.staking, "withdrawDelegated", *arguments, sender=sender)
        event = sent.event("StakeDelegatedWithdrawn")
        tokens = event.values["tokens"] if event else 0
        return DelegationWithdrawn(indexer=found.indexer, delegator=sender, tokens=tokens)
