"""Actions that deploy subgraphs which begin with the data of others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from graph_test_daemon.graph_node import SyncProgressed
from graph_test_daemon.network.base import NetworkBase
from graph_test_daemon.subgraph.build import BuildProgressed
from graph_test_daemon.subgraph.checks import Expectations
from graph_test_daemon.subgraph.deploying import SubgraphBuilt, SubgraphPlace, SubgraphUploaded
from graph_test_daemon.subgraph.filling import Value
from graph_test_daemon.subgraph.graft_chain import (
    GraftDeployed,
    GraftedSubgraph,
    GraftSource,
    GraftsPlanned,
    deploy_graft_chain,
)
from graph_test_daemon.subgraph.place import place_of
from graph_test_daemon.subgraph.upload import FileUploaded
from graph_test_daemon.tracking.records import Graft
from harness.actions import Call, action
from harness.errors import InvalidParameters

__all__ = ["GRAFTING", "GraftActions", "GraftChainStep", "deploy_grafts"]

GRAFTING = (
    *(GraftsPlanned, BuildProgressed, SubgraphBuilt, FileUploaded, SubgraphUploaded),
    *(GraftDeployed, SyncProgressed),
)
"""What is told while grafts are deployed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GraftChainStep:
    """One subgraph of a chain of grafts, or several of the same sources."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {
        "extra": "forbid",
        "use_attribute_docstrings": True,
    }

    path: Path
    """Directory of its sources, from the stack file on."""
    name: str | None = None
    """That it is deployed under; made of the chain's name and its number unless given."""
    count: int = 1
    """So many, each onto the one before."""
    block: int | None = None
    """The last one whose data is taken over; the newest that can be unless given."""
    manifest: str = "subgraph.yaml"
    """Its name in the directory."""
    values: Mapping[str, Value] = field(default_factory=dict)
    """Of placeholders, besides the ones of the whole chain."""
    fill_in: tuple[str, ...] = ()
    """Files with placeholders besides the manifest."""


class GraftActions(NetworkBase):
    """Chains of grafts."""

    @action(events=GRAFTING)
    async def graft_chain(
        self,
        call: Call,
        base: str,
        name: str,
        path: Path | None = None,
        count: int | None = None,
        steps: list[GraftChainStep] | None = None,
        manifest: str | None = None,
        values: Mapping[str, Value] | None = None,
        fill_in: list[str] | None = None,
        mine: bool = False,
        timeout_s: float = 120.0,
    ) -> list[GraftedSubgraph]:
        """Deploy subgraphs, each grafted onto the one before; return them in order, synced.

        All of it is checked and compiled before anything is deployed. Placeholders may be `base`
        and `block`, of the graft, and `step`, the number in the chain.

        Args:
            base: name of the subgraph, or id of the deployment, that the first is grafted onto.
            name: of the chain; its subgraphs are deployed as `NAME-1`, `NAME-2` and so on.
            path: directory of sources, of all of them; from elsewhere than a command, from the
                stack file on.
            count: so many of that directory; ten unless given.
            steps: in place of a directory, what is grafted, in order, each with its own settings.
            manifest: its name in the directory; subgraph.yaml unless given.
            values: of placeholders; addresses of the contracts and the network are known.
            fill_in: files with placeholders besides the manifest.
            mine: mine the blocks that graph-node wants between a graft and the newest block.
            timeout_s: how long each may take to catch up.
        """
        if (path is None) == (steps is None):
            raise InvalidParameters(
                "cannot tell what is grafted: there is "
                + ("no directory and no steps" if path is None else "both a directory and steps"),
                hint="give `path`, with `count`, or `steps`",
            )
        if path is not None:
            step = GraftChainStep(
                path=path,
                count=10 if count is None else count,
                manifest=manifest or "subgraph.yaml",
                fill_in=tuple(fill_in or ()),
            )
            steps = [step]
        else:
            _require_none(count=count, manifest=manifest, fill_in=fill_in or None)
        sources = self._sources(name, steps or [], values or {})
        async with place_of(self.service, dict(self.addresses())) as place:
            done = await deploy_grafts(
                self, call, place, base, sources, mine=mine, timeout_s=timeout_s
            )
        before = await self.tracker.lineage(done[0].base)
        await self.tracker.grafted(name, [*before, *(one.deployment for one in done)])
        return list(done)

    def _sources(
        self, name: str, steps: Sequence[GraftChainStep], values: Mapping[str, Value]
    ) -> list[GraftSource]:
        sources: list[GraftSource] = []
        for step in steps:
            for _ in range(step.count):
                number = len(sources) + 1
                source = GraftSource(
                    name=step.name or f"{name}-{number}",
                    directory=self.service.directory / step.path,
                    block=step.block,
                    manifest=step.manifest,
                    values={"step": number, **values, **step.values},
                    fill_in=step.fill_in,
                )
                sources.append(source)
        if not sources:
            raise InvalidParameters(
                "cannot deploy a chain of no grafts", hint="`count` is 1 or more"
            )
        return sources


def _require_none(**settings: object) -> None:
    """Do nothing where none of the settings is given, which steps have of their own."""
    given = [f"`{name}`" for name, value in settings.items() if value is not None]
    if given:
        raise InvalidParameters(
            f"cannot use {', '.join(given)} with `steps`: each step has its own",
            hint="say it in the steps that it is for, or give `path` in place of `steps`",
        )


async def deploy_grafts(
    network: NetworkBase,
    call: Call,
    place: SubgraphPlace,
    base: str,
    sources: Sequence[GraftSource],
    *,
    mine: bool = False,
    wait: bool = True,
    reorgs: bool = False,
    history_blocks: int | None = None,
    timeout_s: float,
) -> tuple[GraftedSubgraph, ...]:
    """Deploy grafts for an action, and remember each; see `deploy_graft_chain`."""

    async def tell(told: object) -> None:
        await call.emit(told)
        if isinstance(told, GraftDeployed):
            await network.tracker.deployed(
                told.name,
                told.deployment,
                network=place.network,
                source_directory=told.directory,
                graft=Graft(base=told.base, block=told.block),
            )

    return await deploy_graft_chain(
        place,
        network.chain,
        base,
        sources,
        mine=mine,
        wait=wait,
        expected=Expectations(network=place.network, reorgs=reorgs),
        history_blocks=history_blocks,
        timeout_s=timeout_s,
        tell=tell,
        log=network.node_log,
    )
