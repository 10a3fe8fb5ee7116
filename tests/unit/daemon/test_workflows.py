"""Workflows over the wire, with services that are only played and a plugin of the tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from harness.client import Client
from harness.errors import (
    ConfigSchemaError,
    HarnessError,
    InvalidParameters,
    WorkflowNotFound,
)
from harness.workflows import Param, Start, Stop, Uses, Wait, Workflow

from .test_methods import _up
from .test_methods import daemon as plain_daemon

pytestmark = pytest.mark.usefixtures("swept", "plugin")

STACK = """
name: shop
secrets: {key: {env: KEY}}
services:
  toy: {type: fake, service_type: toy, ports: {rpc: {port: 8545, scheme: http}}}
  other: {type: fake}
  real: {type: process, command: sleep 1000}
tasks:
  seed: {type: process, command: "echo '{\\"n\\": 5}'", outputs: [n]}
workflows:
  all:
    description: All there is.
    parameters: {times: {type: integer, default: 2}}
    variables: {url: "${toy.url}"}
    steps:
      - {name: up, start: [toy, real], compensate: [{stop: [toy, real]}]}
      - {name: count, action: {name: toy.count, parameters: {times: "${params.times}"}}}
      - {name: add, action: {name: add, parameters: {a: "${steps.count.outputs.now}"}}}
      - {name: seeded, task: seed}
      - name: say
        exec:
          service: real
          command: [sh, -c, 'echo "{\\"k\\": \\"$KEY\\"}"']
          env: {KEY: "${secrets.key}", N: "${steps.seeded.outputs.n}"}
      - {wait: {service: toy, timeout: 5s}}
      - {wait: {until: "services.toy.ready && tasks.seed.completed", timeout: 5s}}
      - {set: {sum: "${steps.add.outputs + 1}"}}
      - {name: note, uses: note, with: {text: "${vars.url} ${vars.sum}", times: "${params.times}"}}
      - {restart: other}
      - {stop: other}
  fails:
    steps:
      - {name: up, start: real, compensate: [{stop: real}]}
      - {name: bad, exec: {service: real, command: "sh -c 'echo ${secrets.key}; exit 3'"}}
  slow:
    steps:
      - {name: up, start: other, compensate: [{stop: other}]}
      - {name: pause, sleep: 1000}
  waits:
    steps:
      - parallel:
          - {name: told, wait: {event: action-event, where: event.data.name == 'counted'}}
          - {name: seen, wait: {until: "has(vars.x) && vars.x > 1"}}
          - sequence:
              - {action: toy.count}
              - {set: {x: 2}}
"""


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the daemon load the tests' plugin."""
    monkeypatch.setenv("HARNESS_PLUGINS", "tests.toy_plugin")


@asynccontextmanager
async def daemon(directory: Path, stack: str) -> AsyncIterator[tuple[Client, Any]]:
    """Serve a client that knows the secret."""
    async with plain_daemon(directory, stack) as (client, source):
        yield client, {**source, "env": {**source["env"], "KEY": "verysecret"}}


async def _run(client: Client, workflow: str, **more: Any) -> tuple[Mapping[str, Any], Any]:
    """Run a workflow to its end; return the operation and the run with its trace."""
    reference = await client.workflows.run(workflow=workflow, **more)
    ended = await client.operations.wait(id=reference["id"])
    return ended, await client.workflows.trace(run=reference["id"])


def _outputs(run: Any) -> dict[str, Any]:
    return {step["name"]: step["outputs"] for step in run["trace"] if step["name"]}


async def test_every_step_that_is_built_in_does_what_it_says(tmp_path: Path) -> None:
    async with daemon(tmp_path, STACK) as (client, source):
        ended, run = await _run(client, "all", source=source, parameters={"times": 3})
        assert (ended["state"], ended["error"], ended["verb"]) == ("done", None, "workflow")
        assert {step["state"] for step in run["trace"]} == {"done"}
        outputs = _outputs(run)
        assert outputs["count"] == {"before": 0, "now": 3}
        assert (outputs["add"], outputs["seeded"]) == (5, {"n": 5})
        assert outputs["say"]["json"] == {"k": "********"}
        assert outputs["note"] == {"said": ["http://127.0.0.1:8545 6"] * 3, "step": "note"}
        assert "verysecret" not in str(run)
        assert run["trace"][4]["inputs"]["env"] == {"KEY": "********", "N": "5"}
        (listed,) = await client.workflows.runs(project="shop", workflow="all")
        assert (listed["state"], listed["parameters"]) == ("done", {"times": 3})
        kinds = {e["kind"] for e in await client.events.list(limit=10_000)}
        assert {"workflow-started", "workflow-step-finished", "workflow-finished"} <= kinds


async def test_a_secret_that_a_program_prints_is_known_to_a_run_and_shown_nowhere(
    tmp_path: Path,
) -> None:
    stack = """
name: shop
secrets:
  key: {command: [echo, printed-secret]}
  other: {command: ["false"]}
services: {real: {type: process, command: sleep 1000}}
workflows:
  say:
    steps:
      - {start: real}
      - name: said
        exec:
          {service: real, command: [sh, -c, 'echo "$KEY" | tr s z'], env: {KEY: "${secrets.key}"}}
  fails: {steps: [{set: {x: "${secrets.other}"}}]}
"""
    async with daemon(tmp_path, stack) as (client, source):
        _, run = await _run(client, "say", source=source)
        assert run["state"] == "done"
        assert _outputs(run)["said"]["stdout"].strip() == "printed-zecret"
        assert "printed-secret" not in str(run)
        _, run = await _run(client, "fails", source=source)
        assert 'cannot read the secret "other": its command: exit status 1' in str(run["error"])


async def test_a_failed_run_says_which_step_and_what_was_undone(tmp_path: Path) -> None:
    async with daemon(tmp_path, STACK) as (client, source):
        ended, run = await _run(client, "fails", source=source)
        assert (ended["state"], ended["error"]["kind"]) == ("failed", "workflow-failed")
        assert ended["error"]["message"].splitlines() == [
            (
                'cannot finish workflow "fails": step "bad" failed: cannot run '
                "`sh -c 'echo ********; exit 3'`: exit status 3: ********"
            ),
            "compensated: up",
        ]
        assert (run["state"], run["compensated"], run["error"]["step"]) == ("failed", ["up"], "bad")
        status = await client.services.status(project="shop")
        assert {s["name"]: s["state"] for s in status["services"]}["real"] == "stopped"


async def test_a_cancelled_run_is_undone(tmp_path: Path) -> None:
    async with daemon(tmp_path, STACK) as (client, source):
        reference = await client.workflows.run(workflow="slow", source=source)
        async with client.events.subscribe(after=reference["after"], project="shop") as events:
            async for event in events:
                if event["kind"] == "workflow-step-started" and event["data"]["step"] == "pause":
                    break
        await client.operations.cancel(id=reference["id"])
        ended = await client.operations.wait(id=reference["id"])
        run = await client.workflows.trace(run=reference["id"])
        assert (ended["state"], run["state"], run["compensated"]) == (
            "cancelled", "cancelled", ["up"],
        )  # fmt: skip
        assert [step["state"] for step in run["trace"]] == ["done", "cancelled", "done"]


async def test_waits_are_woken_by_events(tmp_path: Path) -> None:
    async with daemon(tmp_path, STACK) as (client, source):
        ended, run = await _run(client, "waits", source=source)
        assert ended["state"] == "done", ended
        assert _outputs(run)["told"]["data"]["data"] == {"value": 1}


async def test_a_dry_run_changes_nothing_and_finds_what_would_fail(tmp_path: Path) -> None:
    async with daemon(tmp_path, STACK) as (client, source):
        planned = await client.workflows.plan(workflow="all", source=source)
        steps = {step["path"]: step for step in planned["steps"]}
        assert planned["problems"] == []
        assert steps["count"]["inputs"]["parameters"] == {"times": 2}
        assert steps["add"]["inputs"]["parameters"] == {"a": "${steps.count.outputs.now}"}
        assert steps["up/compensate/1-stop"]["because"] == "if up is to be undone"
        assert str(steps["up"]["place"]).startswith("harness.yaml:")
        assert await client.projects.list() == []
        await _up(client, source)
        wrong = Workflow("w", [Uses("note", {"text": "${params.n}"})], parameters={
            "n": Param("integer", default=1)})  # fmt: skip
        document = {**wrong.document(), "steps": [
            *wrong.document()["steps"],
            {"action": {"name": "toy.count", "parameters": {"times": "x"}}},
            {"action": "toy.cuont"},
        ]}  # fmt: skip
        planned = await client.workflows.plan(workflow="w", document=document, project="shop")
        texts = [problem["message"] for problem in planned["problems"]]
        assert texts[0] == "cannot use its options: text: input should be a valid string"
        assert texts[1].startswith("cannot run toy.count: times: ")
        assert 'cannot find the action "cuont"' in texts[2]


async def test_workflows_of_python_run_as_those_of_the_file(tmp_path: Path) -> None:
    async with daemon(tmp_path, STACK) as (client, source):
        listed = {w["name"]: w["origin"] for w in await client.workflows.list(source=source)}
        assert (listed["noted"], listed["all"]) == ("plugin", "stack")
        ended, run = await _run(client, "noted", source=source)
        assert ended["state"] == "done", ended
        assert [s["path"] for s in run["trace"]] == [
            "1-parallel", "1-parallel/one", "1-parallel/2-sleep", "2-if", "2-if/then/1-set",
            "3-sequence", "3-sequence/1-for_each", "3-sequence/1-for_each[0]/two",
            "3-sequence/1-for_each[1]/two",
        ]  # fmt: skip
        built = Workflow("own", [Start("other", compensate=[Stop("other")]), Wait("other")])
        ended, run = await _run(client, "own", document=built.document(), project="shop")
        assert (ended["state"], run["workflow"]) == ("done", "own")


@pytest.mark.parametrize(
    ("workflow", "more", "error", "text"),
    [
        ("al", {}, WorkflowNotFound, 'cannot find workflow "al"'),
        ("all", {"parameters": {"times": "x", "far": 1}}, InvalidParameters, "times: input"),
        ("w", {"document": {"steps": [{"start": "tox"}]}}, ConfigSchemaError, 'did you mean "toy"'),
        ("w", {"document": {"steps": [{"uses": "nte"}]}}, ConfigSchemaError, 'did you mean "note"'),
        (
            "w", {"document": {"steps": [{"uses": "note", "with": {"txt": "x"}}]}},
            ConfigSchemaError, "txt: unknown parameter",
        ),
    ],
)  # fmt: skip
async def test_what_cannot_run_is_refused(
    tmp_path: Path, workflow: str, more: Any, error: type[HarnessError], text: str
) -> None:
    async with daemon(tmp_path, STACK) as (client, source):
        with pytest.raises(error) as failure:
            await client.workflows.run(workflow=workflow, source=source, **more)
        assert text in str(failure.value)
        with pytest.raises(WorkflowNotFound):
            await client.workflows.trace(run="nope")
        with pytest.raises(InvalidParameters):
            await client.workflows.list()


async def test_a_stack_that_wants_an_unknown_step_is_refused_with_its_place(tmp_path: Path) -> None:
    stack = STACK + "  odd: {steps: [{uses: nothing}]}\n"
    async with daemon(tmp_path, stack) as (client, source):
        with pytest.raises(ConfigSchemaError) as failure:
            await client.services.up(source=source)
        assert 'no plugin brings a step "nothing"; known: note' in str(failure.value)
        line = stack.splitlines().index("  odd: {steps: [{uses: nothing}]}") + 1
        assert f"harness.yaml:{line}:17" in str(failure.value)


async def test_a_step_of_a_plugin_that_breaks_fails_its_workflow(tmp_path: Path) -> None:
    async with daemon(tmp_path, STACK) as (client, source):
        document = {"steps": [{"uses": "note", "with": {"text": "defect"}}]}
        ended, _ = await _run(client, "w", document=document, source=source)
        assert "cannot do it: RuntimeError: a defect" in ended["error"]["message"]


async def test_what_is_waited_for_in_vain_is_said(tmp_path: Path) -> None:
    async with daemon(tmp_path, STACK) as (client, source):
        wait = {"until": "services.toy.restarts > 3", "timeout": "10ms"}
        ended, _ = await _run(client, "w", document={"steps": [{"wait": wait}]}, source=source)
        assert "10" not in ended["state"]
        text = "0.01 s have passed: services.toy.restarts > 3: it does not hold"
        assert text in ended["error"]["message"]
    await anyio.lowlevel.checkpoint()
