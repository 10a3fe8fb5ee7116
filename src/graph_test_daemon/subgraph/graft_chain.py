"""Chains of grafts, deployed: each subgraph begins with the data of the one before.

    base ─▶ first ─▶ second ─▶ …

Blocks are chosen, and everything is checked and compiled, before anything is deployed. Then each is
deployed when the one before has indexed enough for graph-node to accept the graft.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from anyio import lowlevel, to_thread

from graph_test_daemon.chain import Chain
from graph_test_daemon.graph_node import (
    DeploymentStatus,
    IndexingFailed,
    Synced,
    SyncProgressed,
    check_name,
    wait_for_sync,
)

from .build import BuiltSubgraph, check_subgraph
from .checks import CheckedSubgraph, Expectations, require_sound
from .deployed import schema_of
from .deploying import DeployStep, SubgraphPlace
from .filling import Value
from .grafts import GraftBase, GraftStep, choose_blocks, grafted, require_grafts
from .manifest import MANIFEST

__all__ = [
    "GraftDeployed",
    "GraftSource",
    "GraftedSubgraph",
    "GraftsPlanned",
    "PlannedGraft",
    "deploy_graft_chain",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class GraftSource:
    """A subgraph that is to be grafted onto the one before.

    Attributes:
        name: that it is deployed under.
        directory: of its sources; its manifest need not speak of grafts, and what it says of them
            does not count.
        block: the last one whose data is taken over; None: the newest that can be.
        manifest: its name in the directory.
        values: of placeholders; `base` and `block` are known.
        fill_in: files with placeholders besides the manifest.
    """

    name: str
    directory: Path
    block: int | None = None
    manifest: str = MANIFEST
    values: Mapping[str, Value] = field(default_factory=dict)
    fill_in: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedGraft:
    """One graft as it will be.

    Attributes:
        name: that it is deployed under.
        block: the last one whose data is taken over.
        height: block that the one before has indexed by then.
    """

    name: str
    block: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GraftsPlanned:
    """The blocks of a chain of grafts are chosen, and it can work; nothing is built yet.

    Attributes:
        base: id of the deployment that it begins at.
        grafts: in order.
        compares_base: the base's schema was found in IPFS, and compared with the first one's.
    """

    base: str
    grafts: tuple[PlannedGraft, ...]
    compares_base: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GraftDeployed:
    """A subgraph is deployed that begins with another's data.

    Attributes:
        number: its place in the chain, from 1.
        name: that it is deployed under.
        deployment: its id.
        base: id of the deployment whose data it begins with.
        block: the last one whose data is taken over.
        directory: of its sources.
    """

    number: int
    name: str
    deployment: str
    base: str
    block: int
    directory: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GraftedSubgraph:
    """One of a chain of grafts.

    Attributes:
        name: that it is deployed under.
        deployment: its id.
        base: id of the deployment whose data it begins with.
        block: the last one whose data was taken over.
        indexed: block that it had indexed in the end; None: it was not waited for.
    """

    name: str
    deployment: str
    base: str
    block: int
    indexed: int | None


Told = DeployStep | GraftsPlanned | GraftDeployed | SyncProgressed
Tell = Callable[[Told], Awaitable[None]]


async def _nobody(_: object) -> None:
    await lowlevel.checkpoint()


async def deploy_graft_chain(
    place: SubgraphPlace,
    chain: Chain,
    base: str,
    sources: Sequence[GraftSource],
    *,
    mine: bool = False,
    wait: bool = True,
    expected: Expectations | None = None,
    history_blocks: int | None = None,
    timeout_s: float = 120.0,
    tell: Tell = _nobody,
    log: Callable[[], Sequence[str]] = tuple,
) -> tuple[GraftedSubgraph, ...]:
    """Deploy subgraphs, the first onto a deployment, each later one onto the one before.

    Args:
        place: where.
        chain: that they index.
        base: name of a subgraph, or id of a deployment.
        sources: in order.
        mine: mine the blocks that graph-node wants between a graft and the newest block.
        wait: return when the last one has caught up, too.
        expected: what is known of where they will run; None: the network's name.
        history_blocks: how many blocks back each can be queried; None: all.
        timeout_s: how long each, and the base, may take to catch up.
        tell: is awaited with what is done.
        log: gives the node's last lines of output, for errors.

    Raises:
        DeploymentNotFound: there is no such base.
        InvalidSubgraphName: graph-node takes no such names; nothing was done.
        PlaceholdersUnfilled: there are placeholders without a value.
        ManifestInvalid: one would not build, or not run here.
        GraftRefused: a graft would fail; all reasons are named, and nothing was done.
        BuildFailed: the tools could not build one; nothing was deployed.
        IndexingFailed: one has stopped at an error; those before it are deployed.
        NotSynced: one has not caught up in time; likewise.
    """
    for source in sources:
        check_name(source.name)
    building = _Chain(
        place=place,
        chain=chain,
        expected=expected or Expectations(network=place.network),
        mine=mine,
        timeout_s=timeout_s,
        tell=tell,
        log=log,
    )
    found = await building.find(base)
    plan = await building.plan(found, sources)
    for source, planned in zip(sources, plan, strict=True):
        await building.build(source, planned, base=found.base.deployment, tell=tell)
    under, goes_on = found.base.deployment, found.goes_on
    done: list[GraftedSubgraph] = []
    for source, planned in zip(sources, plan, strict=True):
        if goes_on:
            await building.reach(under, planned.height)
        # Compiled already: only the base's id is new.
        built = await building.build(source, planned, base=under, tell=_nobody)
        uploaded = await place.upload(grafted(built, base=under, block=planned.block), tell=tell)
        deployment = uploaded.deployment
        await place.node.deploy(source.name, deployment, history_blocks=history_blocks)
        await tell(
            GraftDeployed(
                number=len(done) + 1,
                name=source.name,
                deployment=deployment,
                base=under,
                block=planned.block,
                directory=str(source.directory),
            )
        )
        is_last = len(done) + 1 == len(sources)
        synced = None if is_last and not wait else await building.sync(deployment)
        done.append(
            GraftedSubgraph(
                name=source.name,
                deployment=deployment,
                base=under,
                block=planned.block,
                indexed=None if synced is None else synced.block.number,
            )
        )
        under, goes_on = deployment, True
    return tuple(done)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """The deployment that a chain begins at; `goes_on`: it indexes further blocks."""

    base: GraftBase
    goes_on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chain:
    """One chain that is deployed; the arguments are those of `deploy_graft_chain`."""

    place: SubgraphPlace
    chain: Chain
    expected: Expectations
    mine: bool
    timeout_s: float
    tell: Tell
    log: Callable[[], Sequence[str]]

    async def find(self, base: str) -> _Found:
        """Look at the base when it has caught up, where it goes on at all."""
        status = await self.place.node.find(base)
        if _goes_on(status):
            with suppress(IndexingFailed):  # what is before can be used
                await self.sync(status.deployment)
            status = await self.place.node.find(status.deployment)
        latest = 0 if status.latest is None else status.latest.number
        failed_at = None
        if status.health == "failed":
            error = status.fatal_error
            failed_at = latest if error is None or error.block is None else error.block.number
        return _Found(
            base=GraftBase(
                deployment=status.deployment,
                first_block=0 if status.earliest is None else status.earliest.number,
                latest_block=latest,
                failed_at=failed_at,
                schema=await schema_of(self.place.ipfs, status.deployment),
            ),
            goes_on=_goes_on(status),
        )

    async def plan(self, found: _Found, sources: Sequence[GraftSource]) -> tuple[PlannedGraft, ...]:
        """Choose the blocks, and check everything that can be without building."""
        blocks = choose_blocks(
            found.base,
            [source.block for source in sources],
            head=await self.chain.block_number(),
            mine=self.mine,
            goes_on=found.goes_on,
            reorg_threshold=self.expected.reorg_threshold,
        )
        plan = tuple(
            PlannedGraft(name=source.name, block=block, height=height)
            for source, (block, height) in zip(sources, blocks, strict=True)
        )
        steps = []
        for source, planned in zip(sources, plan, strict=True):
            checked = await self._checked(source, planned, found.base.deployment)
            manifest = require_sound(checked, source.directory)
            step = GraftStep(
                name=planned.name,
                block=planned.block,
                height=planned.height,
                schema=checked.schema,
                schema_file=str(source.directory / (manifest.schema or "")),
            )
            steps.append(step)
        require_grafts(found.base, steps, reorg_threshold=self.expected.reorg_threshold)
        await self.tell(
            GraftsPlanned(
                base=found.base.deployment,
                grafts=plan,
                compares_base=found.base.schema is not None,
            )
        )
        return plan

    async def _checked(
        self, source: GraftSource, planned: PlannedGraft, base: str
    ) -> CheckedSubgraph:
        values = {**self.place.values, **_values(source, planned, base)}
        checked, _ = await to_thread.run_sync(
            lambda: check_subgraph(
                source.directory,
                name=source.manifest,
                values=values,
                fill_in=source.fill_in,
                expected=self.expected,
            )
        )
        return checked

    async def build(
        self, source: GraftSource, planned: PlannedGraft, *, base: str, tell: Tell
    ) -> BuiltSubgraph:
        """Build one of them; the id of what it is grafted onto needs no compiler."""
        return await self.place.build(
            source.directory,
            manifest=source.manifest,
            values=_values(source, planned, base),
            fill_in=source.fill_in,
            expected=self.expected,
            tell=tell,
        )

    async def reach(self, deployment: str, height: int) -> None:
        """Have the chain at a height, as far as it may be mined, and a deployment there."""
        if self.mine:
            await self.chain.mine_until_block(height)
        await self.sync(deployment, height)

    async def sync(self, deployment: str, block: int | None = None) -> Synced:
        """Return when a deployment has caught up."""
        return await wait_for_sync(
            self.place.node,
            self.chain,
            deployment,
            block=block,
            timeout_s=self.timeout_s,
            stall_s=self.timeout_s,
            mine=self.mine,
            tell=self.tell,
            log=self.log,
        )


def _values(source: GraftSource, planned: PlannedGraft, base: str) -> dict[str, Value]:
    return {**source.values, "base": base, "block": planned.block}


def _goes_on(status: DeploymentStatus) -> bool:
    return status.node is not None and not status.paused and status.health != "failed"
