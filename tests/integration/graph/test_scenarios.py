"""Scenarios of Python, run by the daemon over the real stack."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from graph_test_daemon import stacks
from graph_test_daemon.scenarios import (
    Contract,
    Ref,
    Result,
    Scenario,
    ScenarioFailed,
    Subgraph,
)
from harness.testing import AsyncStack, Stack, harness_stack
from tests.requirements import graph_tool

pytestmark = [pytest.mark.timeout(120), pytest.mark.usefixtures("programs")]

NOTES = "{ notes(orderBy: id) { id text changes } }"
BOX = "0x00000000000000000000000000000000000000b0"

stack = harness_stack(stacks.minimal, "with_network.yaml", scope="module", name="stack")


@pytest.fixture(scope="module")
def programs() -> None:
    """Have all programs of the stack, or say why not."""
    for tool in ("anvil", "postgres", "gnd", "asc"):
        graph_tool(tool)


def _playground(name: str) -> Contract:
    # Relative to this file, wherever the tests are run.
    return Contract("../../subgraphs/contracts/Playground.json", name)


def _events(name: str, playground: Contract) -> Subgraph:
    return Subgraph(
        "../../subgraphs/events", f"scenarios/{name}", {"Playground": playground.address}
    )


def test_twenty_events_are_indexed_and_follow_a_reorganisation(stack: Stack) -> None:
    playground = _playground("twenty")
    notes = _events("twenty", playground)
    sent, compared = Result("sent"), Result("compared")
    first = [{"id": str(n), "text": f"text {n}", "changes": 1} for n in range(20)]
    scenario = (
        Scenario("twenty", timeout="90s")
        .deploy_contract(playground)
        .deploy(notes, reorgs=True)
        .send_each(playground, "store", [[n, f"text {n}"] for n in range(20)], to=sent)
        .mine(3)
        .query(notes, NOTES, expect={"notes": first})
        .keep_query("twenty", notes, NOTES)
        .send(playground, "store", 0, "changed")
        .wait_for_sync(notes)
        .compare_query("twenty", equal=False, to=compared)
        .reorg(1)
        .compare_query("twenty")
        .query(notes, NOTES, expect={"notes": first}, block=sent["last_block"])
    )
    ran = scenario.run(stack)
    assert ran[sent["count"]] == 20
    assert ran[sent["last_block"]] - ran[sent["first_block"]] == 19
    differences = [one["path"] for one in ran[compared["differences"]]]
    assert differences == ["notes[id=0].text", "notes[id=0].changes"]
    address = playground.address
    assert isinstance(address, Ref)
    asked = stack.action(
        "chain.call-contract",
        to=ran[address],
        abi=str(Path(__file__).parent / playground.artifact),
        function="texts",
        arguments=[7],
    )
    assert asked == "text 7"


def test_the_step_that_fails_is_told_with_its_line(stack: Stack) -> None:
    playground = _playground("failing")
    notes = _events("failing", playground)
    scenario = (
        Scenario("failing")
        .deploy_contract(playground)
        .deploy(notes)
        .send(playground, "store", 1, "hi")
        .query(notes, "{ notes { id text } }", expect={"notes": [{"id": "1", "text": "ho"}]})
        .mine(3)
    )
    with pytest.raises(ScenarioFailed) as caught:
        scenario.run(stack)
    text = str(caught.value)
    assert caught.value.step == "check_query"
    line = (
        Path(__file__).read_text("utf-8").splitlines()[int(text.split(".py:")[1].split(")")[0]) - 1]
    )
    assert '"ho"' in line
    assert "notes[id=1].text" in text
    assert "  done      scenarios_failing  test_scenarios.py:" in text
    assert "  failed    check_query  test_scenarios.py:" in text
    assert "mine" not in text
    assert caught.value.hint is not None
    assert "`ignore` leaves fields out" in caught.value.hint
    assert "; `harness workflow show " in caught.value.hint


def test_a_contract_that_refuses_is_told_by_its_reason(stack: Stack) -> None:
    playground = _playground("refusing")
    scenario = Scenario("refusing").deploy_contract(playground).send(playground, "half", 3)
    with pytest.raises(ScenarioFailed, match=r"half\(3\) on Playground 0x\w+: reverted: "):
        scenario.run(stack)


def test_branches_run_side_by_side(stack: Stack) -> None:
    one, other = _playground("one"), _playground("other")
    first, second = _events("one", one), _events("other", other)
    scenario = (
        Scenario("branches")
        .deploy_contract(one)
        .deploy_contract(other)
        .parallel(Scenario().deploy(first), Scenario().deploy(second), limit=2)
        .transfer(BOX, 5, times=3)
        .send(other, "store", 4, "four")
        .query(first, "{ notes { id } }", expect={"notes": []})
        .query(second, "{ notes { id } }", expect={"notes": [{"id": "4"}]})
        .action("chain.balance", address=BOX, to=Result("balance"))
        .restart("graph-node")
        .query(second, "{ notes { id } }", expect={"notes": [{"id": "4"}]})
    )
    ran = scenario.run(stack)
    assert ran[Result("balance").value] == 15


def test_a_client_runs_it_and_who_cancels_it_ends_it(stack: Stack) -> None:
    playground = _playground("cancelled")
    notes = _events("cancelled", playground)

    async def work(inner: AsyncStack) -> str:
        ready = Scenario("ready").deploy_contract(playground).deploy(notes)
        ran = await ready.arun(inner.client, project=inner.project)
        never = Scenario("never").action(
            "graph-node.wait-for-sync", subgraph=notes.name, block=10**9, stall_s=60
        )
        with anyio.move_on_after(0.5) as limit:
            await never.arun(inner.client, project=inner.project)
        assert limit.cancelled_caught
        runs = await inner.client.workflows.runs(project=inner.project)
        assert {run["id"]: run["state"] for run in runs}[ran.id] == "done"
        return next(run["state"] for run in runs if run["workflow"] == "never")

    assert stack.run(work) == "cancelled"
