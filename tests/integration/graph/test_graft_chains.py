"""Chains of grafts on a real graph-node, by the actions of a stack."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.errors import InvalidParameters, RemoteFailure
from tests.subgraphs.building import SUBGRAPHS

from .playground import Playground, own_graft

pytestmark = [pytest.mark.usefixtures("graph_tools"), pytest.mark.timeout(300)]

MAPPING = ["src/mapping.ts"]


def everything_of(playground: Playground) -> tuple[Any, Any]:
    """Return what is deployed, and what is remembered of it."""
    statuses = playground.stack.action("graph-node.statuses")
    return sorted(one["deployment"] for one in statuses), playground.stack.action(
        "network.list-deployments"
    )


def test_ten_grafts_are_deployed_each_onto_the_one_before(
    playground: Playground, tmp_path: Path
) -> None:
    stack = playground.stack
    base = playground.deploy("graft-base", "base")
    before = playground.store(0, "before")
    name = playground.name("chain")
    done = stack.action(
        "network.graft-chain",
        base=playground.name("base"),
        name=name,
        path=str(own_graft(tmp_path)),
        values=playground.values,
        fill_in=MAPPING,
        mine=True,
        timeout_s=60.0,
    )
    assert [one["name"] for one in done] == [f"{name}-{number}" for number in range(1, 11)]
    ids = [base["deployment"], *(one["deployment"] for one in done)]
    assert [one["base"] for one in done] == ids[:-1]
    assert [one["block"] for one in done] == [before + 10 * step for step in range(10)]
    after = playground.store(1, "after")
    for number, deployment in enumerate(ids[1:], 1):
        # What was before the grafts is the base's; the rest is by each one's own mapping.
        assert playground.notes(deployment) == ["base: before", f"{number}: after"]
        assert playground.notes(deployment, block=after - 1) == ["base: before"]
    features = stack.action("graph-node.features", subgraph=f"{name}-10")
    assert features["features"] == ["grafting"]
    proofs = {
        stack.action("graph-node.proof-of-indexing", subgraph=deployment, block=after)["poi"]
        for deployment in ids
    }
    assert len(proofs) == len(ids)
    assert stack.action("network.graft-lineage", deployment=ids[-1]) == ids
    chains = stack.action("network.list-graft-chains")
    assert ids in [chain["deployments"] for chain in chains if chain["name"] == name]


def test_a_chain_with_a_graft_too_near_to_the_head_is_refused_before_anything_is_deployed(
    playground: Playground, tmp_path: Path
) -> None:
    stack = playground.stack
    playground.deploy("graft-base", "base")
    at = playground.store(0, "before")
    stack.action("chain.mine", blocks=12)
    head = stack.action("chain.block")["number"]
    before = everything_of(playground)
    path = str(own_graft(tmp_path))
    with pytest.raises(RemoteFailure, match="may be undone: it is within 10") as refused:
        stack.action(
            "network.graft-chain",
            base=playground.name("base"),
            name=playground.name("chain"),
            values=playground.values,
            steps=[
                {"path": path, "block": at, "fill_in": MAPPING},
                {"path": path, "block": head - 1, "name": playground.name("late")},
            ],
        )
    assert refused.value.remote_kind == "graft-refused"
    problems: Any = refused.value.details["problems"]
    (problem,) = problems
    assert problem["file"] == playground.name("late")
    assert problem["hint"] == f"graft at block {head - 10} or earlier, or mine 9 more blocks first"
    assert everything_of(playground) == before


def test_what_would_not_build_is_told_before_anything_is_deployed(
    playground: Playground, tmp_path: Path
) -> None:
    stack = playground.stack
    playground.deploy("graft-base", "base")
    stack.action("chain.mine", blocks=12)
    before = everything_of(playground)
    good, bad = own_graft(tmp_path), own_graft(tmp_path / "bad")
    (bad / "src" / "mapping.ts").write_text("export function handleStored(): void { nothing(); }")
    with pytest.raises(RemoteFailure, match="nothing") as refused:
        stack.action(
            "network.graft-chain",
            base=playground.name("base"),
            name=playground.name("chain"),
            values=playground.values,
            steps=[{"path": str(good), "fill_in": MAPPING}, {"path": str(bad)}],
        )
    assert refused.value.remote_kind == "build-failed"
    assert everything_of(playground) == before


def test_what_a_failed_base_has_indexed_before_can_be_gone_on_with(
    playground: Playground, tmp_path: Path
) -> None:
    stack = playground.stack
    fatal = playground.deploy("fatal", "fatal")
    playground.store(1, "fine")
    stack.action("chain.mine", blocks=12)
    failed_at = playground.store(2, "fatal")
    report = stack.action("graph-node.failure-report", subgraph=fatal["deployment"], timeout_s=30.0)
    assert report["block"]["number"] == failed_at
    graft = {
        "base": fatal["deployment"],
        "name": playground.name("mended"),
        "path": str(own_graft(tmp_path)),
        "count": 1,
        "values": playground.values,
        "fill_in": MAPPING,
    }
    with pytest.raises(RemoteFailure, match=f"failed at {failed_at}"):
        stack.action(
            "network.graft-chain",
            base=fatal["deployment"],
            name=playground.name("mended"),
            steps=[{"path": graft["path"], "block": failed_at, "fill_in": MAPPING}],
            values=playground.values,
        )
    told: list[str] = []
    (done,) = stack.client.actions.run(
        project=stack.project,
        service="network",
        action="graft-chain",
        parameters=graft,
        on_event=lambda event: told.append(event["name"]),
    )
    seen = list(dict.fromkeys(told))
    assert [name for name in seen if name not in ("build-progressed", "sync-progressed")] == [
        "grafts-planned",
        "subgraph-built",
        "file-uploaded",
        "subgraph-uploaded",
        "graft-deployed",
    ]
    assert seen[0] == "grafts-planned"
    assert seen[-1] == "sync-progressed"
    assert done["block"] == report["indexed"]["number"] - 10
    assert playground.notes(done["deployment"]) == ["fine", "1: fatal"]


def test_a_graft_that_fails_ends_the_chain_and_what_is_deployed_is_remembered(
    playground: Playground,
) -> None:
    stack = playground.stack
    base = playground.deploy("graft-base", "base")
    at = playground.store(0, "before")
    failed_at = playground.store(1, "fatal")
    stack.action("chain.mine", blocks=12)
    path = str(SUBGRAPHS / "fatal")
    with pytest.raises(
        RemoteFailure, match=rf"\(handler handleStored, block {failed_at}\)"
    ) as failed:
        stack.action(
            "network.graft-chain",
            base=base["deployment"],
            name=playground.name("chain"),
            values=playground.values,
            steps=[{"path": path, "block": at, "count": 2}],
        )
    assert failed.value.remote_kind == "indexing-failed"
    known = stack.action("network.list-deployments", state="active")
    (one,) = [one for one in known if one["name"].startswith(playground.name("chain"))]
    assert one["graft"] == {"base": base["deployment"], "block": at}
    names = [chain["name"] for chain in stack.action("network.list-graft-chains")]
    assert playground.name("chain") not in names


def test_one_subgraph_is_deployed_with_the_data_of_another(playground: Playground) -> None:
    stack = playground.stack
    base = playground.deploy("graft-base", "one")
    at = playground.store(1, "before")
    with pytest.raises(RemoteFailure, match="may be undone") as refused:
        playground.deploy("graft", "one", graft_base=base["deployment"], graft_block=at)
    assert refused.value.remote_kind == "graft-refused"
    stack.action("chain.mine", blocks=10)
    # A name goes on with its own data: the usual way to bring a new version out.
    done = playground.deploy("graft", "one", graft_base=playground.name("one"), graft_block=at)
    playground.store(2, "after")
    assert playground.notes(done["name"]) == ["base: before", "graft: after"]
    known = stack.action("network.list-deployments", name=done["name"], state="active")
    assert [one["graft"] for one in known] == [{"base": base["deployment"], "block": at}]
    with pytest.raises(InvalidParameters, match="nothing is said to graft onto"):
        playground.deploy("graft", "one", graft_block=at)
