"""Four stacks of the protocol on one daemon, at once: none sees anything of another."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from graph_test_daemon import stacks
from tests.requirements import graph_tool

from .harness_case import HarnessCase

pytestmark = pytest.mark.timeout(300)

SUBGRAPH = Path(__file__).parents[2] / "examples" / "graph" / "network-subgraph"
NAME = "side/by-side"
LIMIT_S = 120.0
STACKS = 4
STATE = "{indexers{stakedTokens} subgraphs{signalledTokens}}"


class _Stack:
    """One of them; `number` decides how much of everything it does."""

    def __init__(self, case: HarnessCase, number: int) -> None:
        self._case = case
        self.number = number
        self.project = f"{case.project}-{number}"

    def ok(self, *arguments: str) -> str:
        return self._case.ok("-p", self.project, *arguments, timeout_s=LIMIT_S)

    def act(self, action: str, **parameters: Any) -> Any:
        printed = self.ok("action", "run", action, "--json", json.dumps(parameters))
        return json.loads(printed.splitlines()[-1])["result"]

    def query(self, text: str) -> Any:
        self.act("graph-node.wait-for-sync", subgraph=NAME, mine=True)
        return self.act("graph-node.query", subgraph=NAME, query=text)


def _live(stack: _Stack, together: Barrier) -> dict[str, Any]:
    """Do all of it while the others do; return what is to be this stack's alone."""
    stack.ok("up", "-q")
    together.wait(LIMIT_S)
    deployed = stack.act(
        "network.deploy-subgraph",
        path=str(SUBGRAPH),
        name=NAME,
        publish=True,
        signal=str(100 * stack.number),
        reorgs=True,
    )
    stack.act("network.stake", tokens=str(100_000 * stack.number))
    before = stack.query(STATE)
    together.wait(LIMIT_S)
    stack.ok("snapshot", "create", "staked")
    stack.act("network.stake", tokens="7")
    stack.act("chain.mine", blocks=3 * stack.number)
    replaced = stack.act("network.inject-reorg", depth=stack.number)
    together.wait(LIMIT_S)
    block = stack.act("chain.block")
    stack.ok("snapshot", "restore", "staked")
    after = stack.query(STATE)
    together.wait(LIMIT_S)
    return {
        "deployment": deployed["deployment"],
        "before": before,
        "after": after,
        "depth": replaced["reorg"]["depth"],
        "block": block["hash"],
    }


def test_four_stacks_side_by_side_do_not_disturb_each_other(tmp_path: Path) -> None:
    for tool in ("anvil", "postgres", "gnd", "asc", "contracts"):
        graph_tool(tool)
    with HarnessCase(tmp_path) as case:
        case.env["HARNESS_FILE"] = str(stacks.protocol)
        four = [_Stack(case, number) for number in range(1, STACKS + 1)]
        together = Barrier(STACKS)
        with ThreadPoolExecutor(STACKS) as pool:
            lived = [pool.submit(_live, stack, together) for stack in four]
            found = [one.result() for one in lived]
        # The same sources give the same deployment: each graph-node indexes another chain for it.
        assert len({one["deployment"] for one in found}) == 1
        assert len({one["block"] for one in found}) == STACKS
        for stack, one in zip(four, found, strict=True):
            assert one["depth"] == stack.number
            assert one["before"] == {
                "indexers": [{"stakedTokens": str(100_000 * stack.number * 10**18)}],
                "subgraphs": [{"signalledTokens": str(100 * stack.number * 10**18)}],
            }
            assert one["after"] == one["before"]
        # One that is taken away leaves the others as they are.
        four[0].ok("down", "--volumes")
        assert case.marked(four[0].project) == []
        for stack, one in zip(four[1:], found[1:], strict=True):
            assert stack.query(STATE) == one["after"]
            stack.ok("down", "--volumes")
        for stack in four:
            assert case.marked(stack.project) == []
