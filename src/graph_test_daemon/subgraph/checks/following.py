"""What a subgraph follows: networks, addresses, start blocks, other subgraphs."""

from __future__ import annotations

import re

from graph_test_daemon.subgraph.manifest import DataSource, SourceKind
from graph_test_daemon.subgraph.schema import Schema

from .structure import DEPLOYMENT_ID
from .subject import Subject

__all__ = ["check_following"]

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_MOST_SUBGRAPHS = 5


def check_following(subject: Subject) -> None:
    """Tell of networks, addresses and start blocks that cannot work here."""
    _networks(subject)
    for source in subject.manifest.sources:
        if source.kind is SourceKind.SUBGRAPH:
            _subgraph(subject, source)
        elif source.kind is SourceKind.CHAIN:
            _contract(subject, source)
        elif source.kind is SourceKind.OTHER and source.path:
            kind = subject.manifest.document.at(*source.path, "kind")
            message = f'a data source of the kind "{kind}" cannot be followed here'
            subject.unknown(message, str(kind), ("ethereum", "subgraph"), *source.path, "kind")
    _mixture(subject)


def _networks(subject: Subject) -> None:
    stack = subject.expected.network
    for source in subject.manifest.sources:
        if source.network is None:
            if source.kind in (SourceKind.CHAIN, SourceKind.SUBGRAPH):
                subject.error('"network" is missing', *source.path, hint=f"network: {stack or '…'}")
        elif stack is not None and source.network != stack:
            subject.error(
                f'the network is "{source.network}", but the chain here is "{stack}"',
                *source.path,
                "network",
                hint=f'write "{stack}", or a placeholder such as @network@',
            )
    if stack is None and len(subject.manifest.networks) > 1:
        names = ", ".join(subject.manifest.networks)
        hint = "all data sources follow the same one"
        subject.error(f"it names several networks: {names}", "dataSources", hint=hint)


def _contract(subject: Subject, source: DataSource) -> None:
    where = (*source.path, "source")
    if source.address is not None and not _ADDRESS.fullmatch(source.address):
        message = f'"{source.address}" is no address'
        subject.error(message, *where, "address", hint="0x and 40 hexadecimal digits")
    start = subject.manifest.document.at(*where, "startBlock")
    if start is not None and (not isinstance(start, int) or start < 0):
        message = f"startBlock must be the number of a block, not {start!r}"
        subject.error(message, *where, "startBlock")
    elif start and not source.is_template:
        _headroom(subject, source)


def _headroom(subject: Subject, source: DataSource) -> None:
    """Tell of a start block that blocks cannot be undone for.

    graph-node refuses to undo to a block n unless startBlock ≤ max(n - threshold, 0).
    """
    expected = subject.expected
    first = source.start_block + expected.reorg_threshold
    if expected.lowest_block is not None and expected.lowest_block >= first:
        return
    message = (
        f"startBlock {source.start_block}: graph-node can undo blocks down to {first} only; "
        "a reorg below makes it fail"
    )
    tell = subject.error if expected.reorgs else subject.warning
    hint = f"set startBlock: 0, or stay at block {first} and above"
    tell(message, *source.path, "source", "startBlock", hint=hint)


def _subgraph(subject: Subject, source: DataSource) -> None:
    where = (*source.path, "source", "address")
    if source.address is None or not DEPLOYMENT_ID.fullmatch(source.address):
        message = f'"{source.address or ""}" is no id of a deployment'
        hint = "46 characters that begin with Qm, or a placeholder such as @source@"
        subject.error(message, *where, hint=hint)
        return
    schema = subject.expected.deployments.get(source.address)
    if schema is not None:
        _followed(subject, source, schema)


def _followed(subject: Subject, source: DataSource, schema: Schema) -> None:
    """Compare handlers with the entities that the followed subgraph has."""
    known = [entity.name for entity in schema.entities]
    for handler in source.handlers:
        if handler.trigger is None:
            continue
        entity, where = schema.types.get(handler.trigger), (*handler.path, "entity")
        if entity is None or not entity.is_entity:
            message = f'{source.address} has no entity "{handler.trigger}"'
            subject.unknown(message, handler.trigger, known, *where)
        elif not entity.is_immutable:
            subject.error(
                f'the entity "{handler.trigger}" of {source.address} may change',
                *where,
                hint="only entities with @entity(immutable: true) can be followed",
            )


def _mixture(subject: Subject) -> None:
    followed = [s for s in subject.manifest.data_sources if s.kind is SourceKind.SUBGRAPH]
    if not followed:
        return
    others = [s for s in subject.manifest.data_sources if s.kind is SourceKind.CHAIN]
    for source in others:
        message = "data sources from other subgraphs cannot be mixed with ones from the chain"
        subject.error(message, *source.path, "kind", hint="make two subgraphs of them")
    if len(followed) > _MOST_SUBGRAPHS:
        message = f"graph-node follows at most {_MOST_SUBGRAPHS} subgraphs, not {len(followed)}"
        subject.error(message, "dataSources")
    seen: set[str | None] = set()
    for source in followed:
        if source.address in seen:
            message = f"two data sources follow {source.address}"
            hint = "put their handlers into one"
            subject.error(message, *source.path, "source", "address", hint=hint)
        seen.add(source.address)
