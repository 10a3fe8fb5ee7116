"""Workflows over the wire, with services that are only played and a plugin of the tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.client import Client
from harness.errors import (
    ConfigSchemaError,
    HarnessError,
    InvalidParameters,
    WorkflowNotFound,
)
from harness.storage import MemoryStore
from harness.workflows import Param, Start, Stop, Uses, Wait, Workflow
from harness.workflows import trace as traces
from tests.fakes.clock import FakeClock
from tests.unit.health.servers import http_service, response

from . import test_methods
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


async def test_a_command_may_be_a_list_that_is_known_when_it_runs(tmp_path: Path) -> None:
    stack = """
name: shop
services: {real: {type: process, command: sleep 1000}}
workflows:
  say:
    parameters: {argv: {type: list}}
    steps:
      - {start: real}
      - {name: said, exec: {service: real, command: "${params.argv}"}}
"""
    async with daemon(tmp_path, stack) as (client, source):
        argv = ["echo", "a b", "${c}"]
        _, run = await _run(client, "say", source=source, parameters={"argv": argv})
        assert _outputs(run)["said"]["stdout"] == "a b ${c}\n"
        _, run = await _run(client, "say", source=source, parameters={"argv": ["echo", "\0"]})
        assert (run["state"], run["error"]["kind"]) == ("failed", "workflow-failed")
        assert "cannot run it: " in run["error"]["message"]
        _, run = await _run(client, "say", source=source, parameters={"argv": []})
        assert "cannot run it: " in run["error"]["message"]


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


async def test_a_failed_run_says_what_to_do_about_its_step(tmp_path: Path) -> None:
    document = {"steps": [{"name": "x", "exec": {"service": "real", "command": "true"}}]}
    async with daemon(tmp_path, STACK) as (client, source):
        reference = await client.workflows.run(workflow="w", document=document, source=source)
        ended = await client.operations.wait(id=reference["id"])
        shows = f"harness workflow show {reference['id']}"
        error = ended["error"] or {}
        assert error["hint"] == f"harness start real; `{shows}` shows its steps"
        kept = (await client.workflows.trace(run=reference["id"]))["error"] or {}
        assert kept["hint"] == "harness start real"


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
        told = {"steps": [{"set": {"x": "${secrets.key} as it is"}}]}
        planned = await client.workflows.plan(workflow="w", document=told, project="shop")
        assert planned["steps"][0]["inputs"] == {"values": {"x": "******** as it is"}}
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


async def test_a_dry_run_without_parameters_shows_what_wants_them_as_it_is_written(
    tmp_path: Path,
) -> None:
    document = {
        "parameters": {
            "times": {"type": "integer"}, "text": {}, "given": {}, "left": {"default": "x"},
        },
        "steps": [
            {"action": {"name": "toy.count", "parameters": {"times": "${params.times}"}}},
            {"uses": "note", "with": {"text": "${params.given}", "times": "${params.times}"}},
            {"set": {"a": "${params.given} ${params.left}", "b": "${params.text}!",
                     "c": "${size(params)}"}},
            {"for_each": {"items": "params.times", "steps": [{"sleep": 1}]}},
        ],
    }  # fmt: skip
    async with daemon(tmp_path, STACK) as (client, source):
        await _up(client, source)
        planned = await client.workflows.plan(
            workflow="w", document=document, project="shop", parameters={"given": "g"}
        )
        assert planned["missing"] == ["times", "text"]
        assert planned["parameters"] == {"given": "g", "left": "x"}
        assert planned["problems"] == []
        inputs = [step["inputs"] for step in planned["steps"]]
        assert inputs[0]["parameters"] == {"times": "${params.times}"}
        assert inputs[1] == {"text": "g", "times": "${params.times}"}
        assert inputs[2]["values"] == {
            "a": "g x", "b": "${params.text}!", "c": "${size(params)}",
        }  # fmt: skip
        with pytest.raises(InvalidParameters, match="times: "):
            await client.workflows.plan(
                workflow="w", document=document, project="shop", parameters={"times": "x"}
            )


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
            "w", {"document": {"steps": [{"sleep": 0, "compensate": [{"uses": "nte"}]}]}},
            ConfigSchemaError, 'did you mean "note"',
        ),
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
        assert ended["state"] == "failed"
        text = "0.01 s have passed: services.toy.restarts > 3: it does not hold"
        assert text in ended["error"]["message"]


def _state_of(run: Any) -> tuple[Any, Any]:
    return run["state"], run["error"] and run["error"]["kind"]


async def test_a_run_that_takes_longer_than_it_may_says_so_and_is_undone(tmp_path: Path) -> None:
    async with daemon(tmp_path, STACK) as (client, source):
        steps = [{"name": "up", "start": "other", "compensate": [{"stop": "other"}]}]
        document = {"timeout": "100ms", "steps": [*steps, {"name": "pause", "sleep": 1000}]}
        ended, run = await _run(client, "w", document=document, source=source)
        assert (ended["state"], ended["error"]["kind"]) == ("failed", "workflow-timeout")
        assert "the workflow took longer than 0.1 s" in ended["error"]["message"]
        assert _state_of(run) == ("failed", "workflow-timeout")
        document = {"steps": [{"sleep": 1000, "timeout": "10ms"}]}
        ended, run = await _run(client, "w", document=document, source=source)
        assert (ended["error"]["kind"], _state_of(run)) == (
            "workflow-failed", ("failed", "workflow-failed"),
        )  # fmt: skip


async def test_runs_go_with_a_project_that_is_removed(tmp_path: Path) -> None:
    async with daemon(tmp_path, STACK) as (client, source):
        document = {"steps": [{"set": {"x": 1}}]}
        _, run = await _run(client, "w", document=document, source=source)
        slow = await client.workflows.run(workflow="slow", source=source)
        await _until_step(client, slow, "pause")
        down = await client.services.down(project="shop", volumes=True)
        await client.operations.wait(id=down["id"])
        with pytest.raises(WorkflowNotFound):
            await client.workflows.trace(run=run["id"])
        await client.operations.cancel(id=slow["id"])
        await client.operations.wait(id=slow["id"])
        with pytest.raises(WorkflowNotFound):
            await client.workflows.trace(run=slow["id"])
        await _up(client, source)
        assert await client.workflows.runs(project="shop") == []


async def test_http_steps_send_what_they_say_and_judge_the_answer(tmp_path: Path) -> None:
    answer = response('{"n": 7}', X_Way="back")
    async with daemon(tmp_path, STACK) as (client, source), http_service(answer) as web:
        steps = [
            {"name": "got", "http": {"url": f"{web.url}x"}},
            {
                "name": "sent",
                "http": {
                    "url": web.url,
                    "json": {"a": "${steps.got.outputs.json.n + 1}"},
                    "headers": {"Authorization": "Bearer ${secrets.key}"},
                },
            },
            {"name": "put", "http": {"url": web.url, "method": "PUT", "body": "text"}},
        ]
        ended, run = await _run(client, "w", document={"steps": steps}, source=source)
        assert ended["state"] == "done", ended
        outputs = _outputs(run)["got"]
        assert (outputs["status"], outputs["json"]) == (200, {"n": 7})
        assert {name.lower(): v for name, v in outputs["headers"].items()}["x-way"] == "back"
        heads = [head for head, _ in web.requests]
        assert [head.split(" HTTP")[0] for head in heads] == ["GET /x", "POST /", "PUT /"]
        assert [body for _, body in web.requests] == [b"", b'{"a": 8}', b"text"]
        assert "authorization: bearer verysecret" in heads[1].lower()
        assert "content-type: application/json" in heads[1].lower()
        assert "verysecret" not in str(run)


@pytest.mark.parametrize(
    ("answer", "options", "cause"),
    [
        (response("busy", status=503), {}, "status 503: busy"),
        (response(status=302, Location="/"), {}, "status 302"),
        (response(status=404), {"status": 404}, None),
        (response(status=404), {"status": [404, 410]}, None),
        (response(status=200), {"status": 404}, "status 200"),
        (response("x" * 2_000_000), {}, "bytes or more"),
        (b"nonsense\r\n\r\n", {}, "cannot finish GET"),
    ],
)
async def test_an_answer_is_wanted_or_fails_the_step(
    tmp_path: Path, answer: bytes, options: Any, cause: str | None
) -> None:
    async with daemon(tmp_path, STACK) as (client, source), http_service(answer) as web:
        document = {"steps": [{"http": {"url": web.url, **options}}]}
        ended, _ = await _run(client, "w", document=document, source=source)
        assert ended["state"] == ("failed" if cause else "done"), ended
        if cause is not None:
            assert cause in ended["error"]["message"]


# ── services and tasks ───────────────────────────────────────────────────────────────────────────

UNREADY = """
name: shop
services:
  stuck: {type: process, command: sleep 1000, health_check: {command: ["false"]}}
  broken: {type: process, command: /no/such/program, restart: "no"}
tasks:
  once: {type: process, command: sh -c "echo x >> runs"}
"""


async def _until_step(client: Client, reference: Any, path: str) -> None:
    async with client.events.subscribe(after=reference["after"], project="shop") as events:
        async for event in events:
            if event["kind"] == "workflow-step-started" and event["data"]["step"] == path:
                return


async def _begun_start(client: Client, source: Any) -> tuple[str, str]:
    """Begin a workflow that starts what never is ready; return its id, and that of the start."""
    document = {"steps": [{"name": "up", "start": "stuck"}]}
    run = await client.workflows.run(workflow="w", document=document, source=source)
    async with client.events.subscribe(after=run["after"], project="shop") as events:
        async for event in events:
            if event["kind"] == "operation-started" and event["data"]["verb"] == "start":
                return run["id"], event["data"]["id"]
    raise AssertionError


async def test_why_a_service_does_not_start_is_why_the_step_fails(tmp_path: Path) -> None:
    async with daemon(tmp_path, UNREADY) as (client, source):
        ended, _ = await _run(client, "w", document={"steps": [{"start": "broken"}]}, source=source)
        assert "/no/such/program" in ended["error"]["message"]


async def test_a_start_that_somebody_else_cancels_fails_the_step(tmp_path: Path) -> None:
    async with daemon(tmp_path, UNREADY) as (client, source):
        run, start = await _begun_start(client, source)
        await client.operations.cancel(id=start)
        ended = await client.operations.wait(id=run)
        assert (ended["state"], ended["error"] and ended["error"]["message"]) == (
            "failed",
            'cannot finish workflow "w": step "up" failed: cannot start: it was cancelled',
        )


async def test_cancelling_a_run_cancels_what_its_step_does(tmp_path: Path) -> None:
    async with daemon(tmp_path, UNREADY) as (client, source):
        run, start = await _begun_start(client, source)
        await client.operations.cancel(id=run)
        assert (await client.operations.wait(id=run))["state"] == "cancelled"
        assert (await client.operations.wait(id=start))["state"] == "cancelled"


async def test_a_task_that_was_done_runs_again_unless_told_otherwise(tmp_path: Path) -> None:
    async with daemon(tmp_path, UNREADY) as (client, source):
        steps = [{"task": "once"}, {"task": "once"}, {"task": {"name": "once", "force": False}}]
        ended, _ = await _run(client, "w", document={"steps": steps}, source=source)
        assert ended["state"] == "done", ended
        assert (tmp_path / "runs").read_text() == "x\nx\n"


@pytest.mark.parametrize(("wanted", "state"), [(3, "done"), (0, "failed"), (4, "failed")])
async def test_a_command_ends_with_the_status_that_is_wanted(
    tmp_path: Path, wanted: int, state: str
) -> None:
    async with daemon(tmp_path, STACK) as (client, source):
        command = {"service": "real", "command": ["sh", "-c", "exit 3"], "status": wanted}
        steps = [{"start": "real"}, {"exec": command}]
        ended, _ = await _run(client, "w", document={"steps": steps}, source=source)
        assert ended["state"] == state, ended


async def test_what_has_no_value_yet_is_waited_for_and_other_events_are_not(
    tmp_path: Path,
) -> None:
    async with daemon(tmp_path, STACK) as (client, source):
        count = {"action": {"name": "toy.count", "parameters": {"times": 2}}}
        wanted = {"event": "action-event", "where": "event.data.data.value == 2"}
        steps = [
            {"name": "told", "wait": wanted},
            {"name": "seen", "wait": {"until": "vars.x > 1"}},
            {"sequence": [count, {"set": {"x": 2}}, count]},
        ]
        document = {"steps": [{"parallel": steps}]}
        ended, run = await _run(client, "w", document=document, source=source)
        assert ended["state"] == "done", ended
        assert _outputs(run)["told"]["data"]["data"] == {"value": 2}


# ── what is remembered ───────────────────────────────────────────────────────────────────────────


async def test_ended_runs_make_room_for_new_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traces, "KEPT_RUNS", 2)
    async with daemon(tmp_path, STACK) as (client, source):
        document = {"steps": [{"sleep": 0}]}
        ran = [
            (await _run(client, "w", document=document, source=source))[1]["id"] for _ in range(3)
        ]
        found = [run["id"] for run in await client.workflows.runs(project="shop")]
        assert found == ran[1:]


async def test_a_daemon_that_ends_undoes_nothing_and_leaves_an_interrupted_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = MemoryStore()
    monkeypatch.setattr(test_methods, "MemoryStore", lambda: store)
    async with daemon(tmp_path, STACK) as (client, source):
        slow = await client.workflows.run(workflow="slow", source=source)
        await _until_step(client, slow, "pause")
    run = traces.Traces(store=store, clock=FakeClock()).run(slow["id"])
    assert (run["state"], run["compensated"]) == ("interrupted", [])
    assert [step["path"] for step in run["trace"]] == ["up", "pause"]
