"""What a graph-node says of its deployments, read from its status endpoint.

Source: graph-node, `server/index-node/src/schema.graphql`. Numbers of blocks are texts there, and
hashes have no 0x.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from .mapping_errors import read_mapping_error

__all__ = [
    "STATUS_FIELDS",
    "BlockPointer",
    "DeploymentStatus",
    "IndexingError",
    "ListedDeployment",
    "SubgraphFeatures",
]

_ERROR_FIELDS = "message handler deterministic block { number hash }"

STATUS_FIELDS = f"""
    subgraph synced health entityCount node paused historyBlocks
    fatalError {{ {_ERROR_FIELDS} }}
    nonFatalErrors {{ {_ERROR_FIELDS} }}
    chains {{
        network
        chainHeadBlock {{ number hash }}
        earliestBlock {{ number hash }}
        latestBlock {{ number hash }}
    }}
"""
"""What is asked of a deployment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockPointer:
    """A block: its height, and its hash with 0x."""

    number: int
    hash: str

    @classmethod
    def read(cls, answer: Mapping[str, Any] | None) -> Self | None:
        """Read one; None where there is none."""
        if answer is None:
            return None
        return cls(number=int(answer["number"]), hash=f"0x{answer['hash'].removeprefix('0x')}")


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexingError:
    """What went wrong while a deployment was indexed.

    Attributes:
        message: what went wrong, in graph-node's words.
        handler: of the mapping, taken from the text where only that names it; or None.
        block: where, or None.
        transaction: that was handled, where the text names it.
        deterministic: every indexer runs into it; others are tried again.
        backtrace: functions of the mapping that ran, innermost first.
    """

    message: str
    handler: str | None
    block: BlockPointer | None
    transaction: str | None
    deterministic: bool
    backtrace: tuple[str, ...]

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self:
        """Read one."""
        error = read_mapping_error(answer["message"])
        return cls(
            message=error.message,
            handler=answer.get("handler") or error.handler,
            block=BlockPointer.read(answer.get("block")),
            transaction=error.transaction,
            deterministic=bool(answer.get("deterministic")),
            backtrace=error.backtrace,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentStatus:
    """How far a deployment is.

    Attributes:
        deployment: its id, `Qm…`.
        health: `healthy`, `unhealthy` (with errors that do not stop it) or `failed`.
        synced: it has been at the head of the chain once; it stays so, even when it fails.
        node: the node that indexes it; None: nobody does.
        paused: its indexing is paused.
        entity_count: of all types.
        network: of its first data source.
        head: of the chain as the node knows it.
        earliest: the first block that can be queried.
        latest: the newest block that is indexed; None before the first.
        fatal_error: what stopped it, or None.
        errors: what did not stop it.
    """

    table_columns: ClassVar[Mapping[str, str]] = {
        "deployment": "deployment",
        "health": "health",
        "block": "latest.number",
        "head": "head.number",
        "entities": "entity_count",
        "paused": "paused",
        "node": "node",
    }

    deployment: str
    health: str
    synced: bool
    node: str | None
    paused: bool
    entity_count: int
    network: str
    head: BlockPointer | None
    earliest: BlockPointer | None
    latest: BlockPointer | None
    fatal_error: IndexingError | None
    errors: tuple[IndexingError, ...]

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self:
        """Read one."""
        chain = answer["chains"][0]
        fatal = answer["fatalError"]
        return cls(
            deployment=answer["subgraph"],
            health=answer["health"],
            synced=answer["synced"],
            node=answer["node"],
            paused=bool(answer["paused"]),
            entity_count=int(answer["entityCount"]),
            network=chain["network"],
            head=BlockPointer.read(chain["chainHeadBlock"]),
            earliest=BlockPointer.read(chain["earliestBlock"]),
            latest=BlockPointer.read(chain["latestBlock"]),
            fatal_error=None if fatal is None else IndexingError.read(fatal),
            errors=tuple(IndexingError.read(error) for error in answer["nonFatalErrors"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedDeployment(DeploymentStatus):
    """How far a deployment is, and what stands for it.

    Attributes:
        names: that stand for it, or are to when it has caught up; None: the node does not tell.
    """

    table_columns: ClassVar[Mapping[str, str]] = {
        "names": "names",
        **DeploymentStatus.table_columns,
    }

    names: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubgraphFeatures:
    """What a subgraph makes use of.

    Attributes:
        api_version: of its mappings, or None.
        spec_version: of its manifest.
        features: that it declares, such as `grafting`.
        data_sources: their kinds.
        handlers: their kinds.
        network: of its data sources, or None.
    """

    api_version: str | None
    spec_version: str
    features: tuple[str, ...]
    data_sources: tuple[str, ...]
    handlers: tuple[str, ...]
    network: str | None

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self:
        """Read them."""
        return cls(
            api_version=answer["apiVersion"],
            spec_version=answer["specVersion"],
            features=tuple(answer["features"]),
            data_sources=tuple(answer["dataSources"]),
            handlers=tuple(answer["handlers"]),
            network=answer["network"],
        )
