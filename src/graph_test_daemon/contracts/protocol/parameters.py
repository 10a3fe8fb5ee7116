"""What the protocol is deployed with; the defaults are those of its own deployments.

Shares are in parts per million, tokens in wei, times in blocks, unless a text says otherwise.
Source: the configuration of `@graphprotocol/contracts` 7.2.1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

__all__ = ["GRT", "Accounts", "Parameters", "Variant"]

GRT = 10**18
"""Wei of one token."""

Variant = Literal["L1", "L2"]
"""Ethereum, or a layer above it such as Arbitrum."""

_STRICT = {"extra": "forbid", "use_attribute_docstrings": True}
_MILLION = 1_000_000
_SHARES = (
    "protocol_share",
    "curation_share",
    "delegation_tax",
    "curation_tax",
    "fisherman_reward",
    "query_slashing",
    "indexing_slashing",
)
_AT_LEAST_ONE = ("epoch_length", "thawing_period", "delegation_ratio", "max_allocation_epochs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """Who has which role: an address, or the place of one among the node's own accounts."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    deployer: int | str = 0
    """It deploys everything, and holds the first tokens."""
    governor: int | str = 1
    """It may change the protocol."""
    arbitrator: int | str = 2
    """It decides disputes."""
    pause_guardian: int | str = 3
    """It may pause the protocol."""
    availability_oracle: int | str = 4
    """It may deny rewards to a subgraph."""
    authority: int | str = 5
    """It signs the vouchers of AllocationExchange."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """Of a deployment."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    epoch_length: int = 50
    """Blocks of an epoch."""
    initial_supply: int = 10_000_000_000 * GRT
    """The deployer's first tokens."""
    issuance_per_block: int = 114_693_500_000_000_000_000
    """Tokens that are made for rewards in each block."""
    minimum_indexer_stake: int = 100_000 * GRT
    """Tokens that an indexer has at stake at least."""
    thawing_period: int = 20
    """Blocks between unstaking and withdrawing."""
    protocol_share: int = 10_000
    """Of query fees, which is burnt."""
    curation_share: int = 100_000
    """Of query fees, for curators."""
    max_allocation_epochs: int = 4
    """After as many, anyone may close an allocation."""
    delegation_unbonding_epochs: int = 12
    """Epochs between undelegating and withdrawing."""
    delegation_ratio: int = 16
    """Delegated tokens count up to as many times the own stake."""
    delegation_tax: int = 5_000
    """Of delegated tokens, which is burnt."""
    rebate_alpha: tuple[int, int] = (100, 100)
    """Of the rebates' formula: numerator and denominator."""
    rebate_lambda: tuple[int, int] = (60, 100)
    """Of the rebates' formula: numerator and denominator."""
    curation_tax: int = 10_000
    """Of signalled tokens, which is burnt."""
    reserve_ratio: int = 500_000
    """Of the bonding curve; L1 only."""
    minimum_curation_deposit: int | None = None
    """Tokens of the first signal at least; none given: 1 token on L1, 1 wei on L2."""
    dispute_minimum_deposit: int = 10_000 * GRT
    """Tokens that a dispute takes."""
    fisherman_reward: int = 500_000
    """Of what is slashed, for who disputed."""
    query_slashing: int = 25_000
    """Of the stake, for a wrong answer."""
    indexing_slashing: int = 25_000
    """Of the stake, for a wrong proof of indexing."""
    availability_vote_seconds: int = 300
    """How long a vote of the availability manager counts; L2 only."""
    accounts: Accounts = field(default_factory=Accounts)
    """Who has which role."""

    def __post_init__(self) -> None:
        """Check what contracts would refuse without a word, or accept and be useless."""
        for name in _AT_LEAST_ONE:
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1")
        for name in _SHARES:
            if not 0 <= getattr(self, name) <= _MILLION:
                raise ValueError(f"{name} must be from 0 to {_MILLION}, in parts per million")
