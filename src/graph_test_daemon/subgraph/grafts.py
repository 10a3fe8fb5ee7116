"""Grafts: whether one would work, and chains of them, each onto the one before.

Everything is checked before anything is built or deployed: graph-node would refuse later, or accept
and fail when blocks are undone (a graft too near to the head). The blocks are known beforehand; the
ids of deployments are not, so each manifest of a chain is made when the one before was uploaded.

Source: graph-node, docs/subgraph-manifest.md and its validation of grafts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .build import BuiltSubgraph
from .checks import REORG_THRESHOLD
from .errors import GraftRefused
from .problems import Problem
from .schema import Schema, SchemaType

__all__ = [
    "GraftBase",
    "GraftStep",
    "check_grafts",
    "choose_blocks",
    "compare_schemas",
    "grafted",
    "require_grafts",
]

_GRAFTING = "grafting"


@dataclass(frozen=True, slots=True, kw_only=True)
class GraftBase:
    """A deployment that others may be grafted onto.

    Attributes:
        deployment: its id.
        first_block: the first block that it has data of: its start, or where it was grafted.
        latest_block: that it has indexed.
        failed_at: the block that it failed at, or None; what is before can be used.
        schema: None: not known, and not compared.
    """

    deployment: str
    first_block: int
    latest_block: int
    failed_at: int | None = None
    schema: Schema | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GraftStep:
    """One graft of a chain.

    Attributes:
        name: for messages.
        block: the last one whose data is taken over.
        height: block that what is under it has indexed when it is deployed; None: the base's.
        schema: of the subgraph that is grafted; None: not known, and not compared.
        schema_file: where that is, for messages; None: the name says enough.
    """

    name: str
    block: int
    height: int | None = None
    schema: Schema | None = None
    schema_file: str | None = None


def check_grafts(
    base: GraftBase, steps: Sequence[GraftStep], *, reorg_threshold: int = REORG_THRESHOLD
) -> tuple[Problem, ...]:
    """Tell what would go wrong with a chain of grafts; the first is onto `base`.

    Each step is taken to be synced as far as the base is when the next one is grafted onto it,
    unless the next one says how far.

    Args:
        base: of the first.
        steps: in order.
        reorg_threshold: how near to the newest block graph-node may still undo.
    """
    problems: list[Problem] = []
    under, what = base, base.deployment
    for step in steps:
        if step.height is not None:
            under = replace(under, latest_block=step.height)
        problems += (
            Problem(message=message, file=step.name, hint=hint)
            for message, hint in _blocks(under, what, step, reorg_threshold)
        )
        if under.schema is not None and step.schema is not None:
            problems += compare_schemas(under.schema, step.schema, step.schema_file or step.name)
        schema = step.schema or under.schema
        under = replace(under, first_block=step.block, failed_at=None, schema=schema)
        what = step.name
    return tuple(problems)


def require_grafts(
    base: GraftBase, steps: Sequence[GraftStep], *, reorg_threshold: int = REORG_THRESHOLD
) -> None:
    """Do nothing when a chain of grafts can work; see `check_grafts`.

    Raises:
        GraftRefused: it cannot; all reasons are named.
    """
    if problems := check_grafts(base, steps, reorg_threshold=reorg_threshold):
        raise GraftRefused(base=base.deployment, problems=problems)


def choose_blocks(
    base: GraftBase,
    wanted: Sequence[int | None],
    *,
    head: int,
    mine: bool = False,
    goes_on: bool = True,
    reorg_threshold: int = REORG_THRESHOLD,
) -> tuple[tuple[int, int], ...]:
    """Return for each graft its block, and the height that the one before has indexed by then.

    Whether they can work is not looked at; `check_grafts` does.

    Args:
        base: of the first.
        wanted: blocks; None: the newest that can be.
        head: height of the chain.
        mine: blocks are mined where a graft needs them; the newest block that can be is then the
            one that is the newest before.
        goes_on: the base indexes further blocks.
        reorg_threshold: how near to the newest block graph-node may still undo.
    """
    chosen = []
    at, first, can_mine = base.latest_block, base.first_block, mine and goes_on
    last = base.failed_at - 1 if base.failed_at is not None else None
    for block in wanted:
        if block is None:
            newest = at if can_mine else at - reorg_threshold
            block = max(newest if last is None else min(newest, last), first, 0)
        if can_mine:
            at = max(at, block + reorg_threshold)
        chosen.append((block, at))
        # What is grafted catches up with the chain, even where its base stands still.
        at, first, can_mine, last = max(at, head), block, mine, None
    return tuple(chosen)


def grafted(built: BuiltSubgraph, *, base: str, block: int) -> BuiltSubgraph:
    """Return a built subgraph as one that begins with another's data; nothing is built anew.

    Args:
        built: whose mappings go on.
        base: id of the deployment whose data it begins with.
        block: the last one whose data is taken over.
    """
    manifest: dict[str, Any] = {**built.manifest, "graft": {"base": base, "block": block}}
    features = list(manifest.get("features") or ())
    if _GRAFTING not in features:
        manifest["features"] = [*features, _GRAFTING]
    return replace(built, manifest=manifest)


def compare_schemas(before: Schema, after: Schema, file: str) -> tuple[Problem, ...]:
    """Tell of what is not alike enough for data to be taken over.

    Types may come and go, fields may go, and may come or become optional; they do not become
    required, and do not change what they hold.
    """
    problems = []
    for entity in after.entities:
        old = before.types.get(entity.name)
        if old is not None and old.is_entity:
            problems += list(_entity(old, entity, file))
    return tuple(problems)


def _blocks(
    base: GraftBase, what: str, step: GraftStep, threshold: int
) -> Iterator[tuple[str, str | None]]:
    """Yield what is wrong with the block of a graft, and what to do about it."""
    newest = max(base.latest_block - threshold, 0)
    if step.block < 0:
        yield f"there is no block {step.block}", None
    elif step.block < base.first_block:
        message = f"it cannot begin at block {step.block}: {what} has data from "
        yield f"{message}{base.first_block} on", f"graft at block {base.first_block} or later"
    elif base.failed_at is not None and step.block >= base.failed_at:
        message = f"it cannot begin at block {step.block}: {what} failed at {base.failed_at}"
        yield message, f"graft at block {base.failed_at - 1} or earlier"
    if step.block > base.latest_block:
        message = f"it cannot begin at block {step.block}: {what} is at {base.latest_block}"
        yield message, "mine blocks, and wait until they are indexed"
    elif step.block > newest:
        message = f"block {step.block} may be undone: it is within {threshold} blocks of "
        hints = []
        if newest >= base.first_block:
            hints.append(f"graft at block {newest} or earlier")
        if base.failed_at is None:
            hints.append(f"mine {step.block - newest} more blocks first")
        yield f"{message}{base.latest_block}, where {what} is", ", or ".join(hints) or None


def _entity(old: SchemaType, new: SchemaType, file: str) -> Iterator[Problem]:
    if old.is_immutable != new.is_immutable:
        yield Problem(
            message=f'the entity "{new.name}" may not become '
            + ("immutable" if new.is_immutable else "mutable"),
            file=file,
            line=new.place.line,
            column=new.place.column,
            hint="keep the flag of @entity as it is in the base",
        )
    for name, field in new.fields.items():
        if "derivedFrom" in field.directives:
            continue
        message, hint = None, None
        before = old.fields.get(name)
        if before is None or "derivedFrom" in before.directives:
            if field.type.endswith("!"):
                message, hint = "is new and required", f"make it {field.type.removesuffix('!')}"
        elif before.type.removesuffix("!") != field.type.removesuffix("!"):
            message = f"was {before.type} in the base, and is {field.type}"
            hint = "give it another name"
        elif field.type.endswith("!") and not before.type.endswith("!"):
            message, hint = "was optional in the base, and is required", f"make it {before.type}"
        if message is not None:
            yield Problem(
                message=f'the field "{new.name}.{name}" {message}',
                file=file,
                line=field.place.line,
                column=field.place.column,
                hint=hint,
            )
