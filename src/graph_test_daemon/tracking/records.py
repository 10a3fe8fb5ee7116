"""What is remembered of a stack: deployments, grafts, allocations, transactions, queries' results.

Each record has the version of its layout. Hashes and addresses are texts with 0x, in lower case;
amounts of tokens are in wei; times are in UTC. How records are kept is not decided here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

__all__ = [
    "Allocation",
    "AllocationState",
    "BlockAt",
    "Deployment",
    "DeploymentState",
    "Graft",
    "GraftChain",
    "Moment",
    "Note",
    "QuerySnapshot",
    "Record",
    "Transaction",
    "TransactionState",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockAt:
    """A block.

    Attributes:
        number: its height.
        hash: with 0x; None where it is not known.
    """

    number: int
    hash: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Graft:
    """What a deployment goes on from.

    Attributes:
        base: id of the other deployment.
        block: the last one that is taken from it.
    """

    base: str
    block: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What can be remembered.

    Attributes:
        version: of its layout; a class whose layout is another one says so.
        named_by: the field that tells one from the others of its kind.
    """

    named_by: ClassVar[str] = "name"

    version: int = 1

    @property
    def key(self) -> str:
        """What tells it from the others of its kind."""
        return str(getattr(self, self.named_by))


class DeploymentState(StrEnum):
    """What has become of a deployment."""

    ACTIVE = "active"
    REPLACED = "replaced"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment(Record):
    """A deployment under a name; there is one record for each pair.

    Attributes:
        name: of the subgraph.
        deployment: its id, `Qm…`.
        network: that it indexes, as its manifest calls it.
        source_directory: where it was built from; None: it was deployed by its id alone.
        label: of the version, such as `v0.0.2`.
        deployed_at: when; the last time, where it was replaced or removed meanwhile.
        block: the chain's newest then, where it was asked for.
        graft: what it goes on from, or None.
        subgraph_id: on the Graph Network, once it is published there.
        state: whether the name still stands for it.
        removed_at: when it ceased to; None: it does not.
    """

    name: str
    deployment: str
    network: str
    source_directory: str | None = None
    label: str | None = None
    deployed_at: datetime
    block: BlockAt | None = None
    graft: Graft | None = None
    subgraph_id: str | None = None
    state: DeploymentState = DeploymentState.ACTIVE
    removed_at: datetime | None = None

    @property
    def key(self) -> str:
        """What tells it from the others of its kind."""
        return f"{self.name}@{self.deployment}"


@dataclass(frozen=True, slots=True, kw_only=True)
class GraftChain(Record):
    """Deployments of which each goes on from the one before.

    Attributes:
        name: of the chain.
        deployments: their ids, the one that grafts on nothing first.
        recorded_at: when.
    """

    name: str
    deployments: tuple[str, ...]
    recorded_at: datetime


class AllocationState(StrEnum):
    """What has become of an allocation."""

    ACTIVE = "active"
    CLOSED = "closed"
    UNDONE = "undone"
    """A reorganisation has undone its opening."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When something was done on the chain.

    Attributes:
        epoch: its number.
        block: its height.
        transaction: the hash of what did it.
    """

    epoch: int
    block: int
    transaction: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation(Record):
    """Stake that an indexer has put on a deployment.

    Attributes:
        id: its address.
        indexer: its address.
        deployment: its id, `Qm…`.
        tokens: wei.
        opened: when.
        closed: when; None: it is open.
        poi: the proof of indexing that it was closed with.
        rewards: wei that closing it has brought.
        state: whether it is open, as the chain is now.
    """

    named_by: ClassVar[str] = "id"

    id: str
    indexer: str
    deployment: str
    tokens: int
    opened: Moment
    closed: Moment | None = None
    poi: str | None = None
    rewards: int | None = None
    state: AllocationState = AllocationState.ACTIVE


class TransactionState(StrEnum):
    """Whether a transaction is in the chain."""

    INCLUDED = "included"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction(Record):
    """A transaction that the stack's own actions have sent.

    Attributes:
        hash: its hash.
        sender: who sent it.
        to: the contract; None: it deployed one.
        what: in words of the contracts, such as `Staking.allocate`.
        block: that it is in; the last one that it was in, where it was dropped.
        succeeded: it was not reverted.
        gas_used: by it.
        state: a reorg may have dropped it, and a later block may have it again.
        moved: how often it was found in another block than before.
        recorded_at: when it was sent.
    """

    named_by: ClassVar[str] = "hash"

    hash: str
    sender: str
    to: str | None
    what: str
    block: BlockAt
    succeeded: bool
    gas_used: int
    state: TransactionState = TransactionState.INCLUDED
    moved: int = 0
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class QuerySnapshot(Record):
    """What a subgraph has answered to a query.

    Attributes:
        name: of the snapshot.
        subgraph: whom it was asked, by its name or the id of a deployment.
        query: GraphQL, as it was given.
        variables: of the query, by name.
        block: as of which it was answered.
        result: the data.
        taken_at: when.
    """

    name: str
    subgraph: str
    query: str
    variables: Mapping[str, Any]
    block: BlockAt
    result: Mapping[str, Any]
    taken_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(Record):
    """What has become of records, where that is not what somebody asked for.

    Attributes:
        name: of what is noted; a newer note takes the place of an older one.
        text: in words.
        count: of records, or of times, as the text says.
        noted_at: when last.
    """

    name: str
    text: str
    count: int = 1
    noted_at: datetime
