"""The scenarios that come with the protocol's stack, run by the command, on the real parts."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from graph_test_daemon.scenarios import Allocation, Result, Scenario, Subgraph
from tests.subgraphs.building import SUBGRAPHS

from .playground import Playground, own_graft

pytestmark = [pytest.mark.usefixtures("graph_tools"), pytest.mark.timeout(300)]


def outputs(playground: Playground, done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Return path → outputs of the steps of a run that must have succeeded."""
    assert done.returncode == 0, done.stdout + done.stderr
    run = json.loads(done.stdout.splitlines()[-1])["run"]
    return playground.outputs(run["id"])


def test_deploy_and_index(playground: Playground) -> None:
    playground.store(1, "hi")
    name = playground.name("indexed")
    words = ("--path", "events", "--name", name, "--json")
    done = playground.run("deploy-and-index", *words, cwd=SUBGRAPHS)
    status = outputs(playground, done)["status"]
    assert (status["health"], status["synced"]) == ("healthy", True)
    assert playground.notes(name) == ["hi"]


def test_reorganisation(playground: Playground) -> None:
    words = ("--path", "events", "--name", playground.name("followed"), "--json")
    done = playground.run("reorganisation", *words, "--depth", "2", cwd=SUBGRAPHS)
    found = outputs(playground, done)
    ids = [one["deployment"] for one in found["followed"]["deployments"]]
    assert found["deployed"]["deployment"] in ids
    assert found["verified"]["ok"] is True


def test_allocation_lifecycle(playground: Playground) -> None:
    words = ("--path", "events", "--name", playground.name("allocated"), "--json")
    done = playground.run("allocation-lifecycle", *words, cwd=SUBGRAPHS)
    assert outputs(playground, done)["closed"]["rewards"] > 0


def test_the_same_lifecycle_in_python(playground: Playground) -> None:
    notes = Subgraph(str(SUBGRAPHS / "events"), playground.name("python"), playground.values)
    opened, closed = Allocation("opened"), Result("closed")
    playground.store(1, "indexed")
    scenario = (
        Scenario("lifecycle", timeout="3m")
        .deploy(notes, publish=True, signal=1000)
        .stake(100_000)
        .allocate(opened, notes, 50_000)
        .advance_epochs(2)
        .close(opened, to=closed)
        .query(notes, "{notes{text}}", expect={"notes": [{"text": "indexed"}]})
        .verify(notes)
    )
    ran = scenario.run(playground.stack)
    assert ran[closed["rewards"]] > 0
    (allocation,) = [
        one
        for one in playground.stack.action("network.allocations")
        if one["allocation"] == ran[opened.id]
    ]
    assert allocation["state"] == "closed"


def test_a_chain_of_grafts(playground: Playground, tmp_path: Path) -> None:
    playground.store(0, "before")
    own_graft(tmp_path)
    words = ("--base", str(SUBGRAPHS / "graft-base"), "--path", "graft", "--count", "3")
    more = ("--fill-in", "src/mapping.ts", "--name", playground.name("grafts"), "--json")
    found = outputs(playground, playground.run("graft-chain", *words, *more, cwd=tmp_path))
    ids = [one["deployment"] for one in found["grafted"]]
    assert found["lineage"] == [found["deployed"]["deployment"], *ids]
    statuses = [found[f"statuses[{at}]/status"] for at in range(3)]
    assert [(one["deployment"], one["health"]) for one in statuses] == [
        (deployment, "healthy") for deployment in ids
    ]
    playground.store(1, "after")
    assert playground.notes(ids[-1]) == ["base: before", "3: after"]


def test_several_subgraphs_side_by_side(playground: Playground) -> None:
    playground.store(1, "hi")
    kinds = ("events", "overloads", "blocks")
    words = [word for kind in kinds for word in ("--paths", kind)]
    done = playground.run(
        "parallel-subgraphs", *words, "--name", playground.name("side"), "--json", cwd=SUBGRAPHS
    )
    found = outputs(playground, done)
    for at in range(len(kinds)):
        deployed = found[f"deployed[{at}]/one"]
        status = found[f"statuses[{at}]/status"]
        assert deployed["name"] == f"{playground.name('side')}-{at + 1}"
        assert (status["deployment"], status["health"], status["synced"]) == (
            deployed["deployment"],
            "healthy",
            True,
        )


def test_a_subgraph_that_fails_is_reported(playground: Playground) -> None:
    playground.store(1, "fine")
    failed_at = playground.store(2, "fatal")
    playground.stack.action("chain.mine", blocks=2)
    words = ("--path", "fatal", "--name", playground.name("fatal"), "--json")
    done = playground.run("failing-subgraph", *words, cwd=SUBGRAPHS)
    report = outputs(playground, done)["report"]
    assert (report["health"], report["handler"]) == ("failed", "handleStored")
    assert report["message"].startswith("Mapping aborted at src/mapping.ts, line 5, column 3")
    assert report["message"].endswith("this text cannot be handled")
    assert report["backtrace"] == ["src/mapping/handleStored"]
    assert report["block"]["number"] == failed_at
    assert report["deterministic"]
    assert report["head"] >= failed_at + 2
    assert report["indexed"]["number"] in (failed_at - 1, failed_at)
    assert report["log"]
    assert all(report["deployment"] in line for line in report["log"])


def test_a_subgraph_that_does_not_fail_in_time_is_an_error(playground: Playground) -> None:
    playground.store(1, "fine")
    words = ("--path", "fatal", "--name", playground.name("fine"), "--timeout", "1s")
    done = playground.run("failing-subgraph", *words, cwd=SUBGRAPHS)
    assert done.returncode == 1
    assert "it has not failed within 1 s: it is healthy, at block" in done.stderr
