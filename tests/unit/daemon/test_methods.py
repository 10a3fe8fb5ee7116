"""Every method, over a pipe, with real stacks of services that are only played."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import anyio
import pytest

from harness.client import Client, make_source, opened
from harness.client.results import OperationRef, OperationStatus, UnitStatus
from harness.daemon.app import supervision
from harness.daemon.dispatcher import Dispatcher
from harness.daemon.server import Server
from harness.errors import (
    ConfigError,
    HandleLost,
    HarnessError,
    InvalidParameters,
    OperationFailed,
    OperationNotFound,
    ServiceNotFound,
    UnknownService,
    WaitTimeout,
)
from harness.protocol import METHODS, Endpoint, message_pipe, parse_result
from harness.storage import MemoryStore

pytestmark = pytest.mark.usefixtures("swept")

_STACK = """
version: "1"
name: shop
services:
  db:
    type: fake
    labels: {tier: back}
  web:
    type: fake
    depends_on: [db]
  real:
    type: process
    command: [sh, -c, "echo out; echo err >&2; exec cat"]
    stdin: true
    env: {COLOUR: red}
tasks:
  seed:
    type: process
    command: ["true"]
    depends_on: [db]
"""


@asynccontextmanager
async def daemon(directory: Path, stack: str = _STACK) -> AsyncIterator[tuple[Client, Any]]:
    """Serve one client; its stack file is in `directory`."""
    (directory / "harness.yaml").write_text(stack)
    shutdown = anyio.Event()
    server = Server(Dispatcher({}))
    endpoint = Endpoint(directory / "state")
    with anyio.fail_after(15):
        async with (
            server.running(),
            supervision(endpoint, MemoryStore(), server, shutdown) as stacks,
            anyio.create_task_group() as group,
        ):
            ours, theirs = message_pipe()
            group.start_soon(server.serve_stream, theirs)
            try:
                async with opened(ours) as client:
                    _check_results(client)
                    yield (
                        client,
                        make_source(directory=str(directory), env={"PATH": "/usr/bin:/bin"}),
                    )
            finally:
                with anyio.move_on_after(5, shield=True):
                    await stacks.stop_all()
                group.cancel_scope.cancel()


def _check_results(client: Client) -> None:
    """Compare every result with the schema that says what it is."""
    call = client.connection.call

    async def checked(method: str, params: Any = None, **rest: Any) -> Any:
        result = await call(method, params, **rest)
        parse_result(METHODS[method].result, result)
        return result

    client.connection.call = checked  # type: ignore[method-assign]


async def _up(client: Client, source: Any, **options: Any) -> OperationStatus:
    operation = await client.services.up(source=source, **options)
    return await client.operations.wait(id=operation["id"], timeout_s=10)


async def test_up_brings_a_stack_up_and_status_shows_it_in_file_order(tmp_path):
    async with daemon(tmp_path) as (client, source):
        operation = await _up(client, source)
        assert operation["state"] == "done"
        status = await client.services.status(project="shop")
        assert status["project"] == "shop"
        assert [unit["name"] for unit in status["services"]] == ["db", "web", "real", "seed"]
        assert [unit["state"] for unit in status["services"]] == ["running"] * 3 + ["exited"]


async def test_up_goes_on_with_the_rest_after_a_failure_when_asked_to(tmp_path):
    stack = (
        "name: shop\nservices:\n  bad: {type: fake, start_error: no}\n"
        "  good: {type: process, command: sleep 60, health_check: {command: [test, -e, go]}}\n"
    )
    async with daemon(tmp_path, stack) as (client, source):
        operation = await client.services.up(source=source, keep_going=True)
        with pytest.raises(OperationFailed):
            await client.services.wait(project="shop", units=["bad"])
        (tmp_path / "go").touch()
        ended = await client.operations.wait(id=operation["id"])
        assert _outcomes(ended) == {"bad": "failed", "good": "ready"}


async def test_a_completed_task_runs_again_only_when_that_is_forced(tmp_path):
    stack = "name: shop\ntasks: {seed: {type: process, command: [sh, -c, 'echo ran >>runs']}}\n"

    def runs() -> int:
        return len((tmp_path / "runs").read_text().splitlines())

    async with daemon(tmp_path, stack) as (client, source):
        found = []
        for force in (False, False, True):
            await _up(client, source, force=force)
            found.append(runs())
        for force in (False, True):
            run = await client.tasks.run(source=source, tasks=["seed"], force=force)
            await client.operations.wait(id=run["id"])
            found.append(runs())
        assert found == [1, 1, 2, 2, 3]


async def test_services_that_end_together_are_not_started_again_together(tmp_path):
    backoff = "{initial: 1000s, max: 1000s, jitter: 1}"
    services = [
        f"  s{n}: {{type: fake, run_for: 0, exit_code: 1, "
        f"restart: {{mode: always, backoff: {backoff}}}}}\n"
        for n in range(6)
    ]
    async with daemon(tmp_path, "".join(["name: shop\nservices:\n", *services])) as (
        client,
        source,
    ):
        await _up(client, source)
        units: list[UnitStatus] = []
        while {unit["state"] for unit in units} != {"backoff"}:
            units = (await client.services.status(project="shop"))["services"]
        moments = [datetime.fromisoformat(unit["next_try_at"] or "") for unit in units]
        # That all six are so near by chance happens once in 10^10 times.
        assert (max(moments) - min(moments)).total_seconds() > 1


def _outcomes(operation: OperationStatus) -> dict[str, str]:
    return {result["unit"]: result["outcome"] for result in operation["results"]}


async def test_a_broken_stack_file_is_reported_with_its_problems(tmp_path):
    async with daemon(tmp_path, "name: shop\nservices:\n  db: {type: fke}\n") as (client, source):
        with pytest.raises(ConfigError) as caught:
            await client.services.up(source=source)
        assert caught.value.problems[0].line == 3
        assert await client.projects.list() == []


async def test_a_plan_says_what_up_would_do_and_changes_nothing(tmp_path):
    async with daemon(tmp_path) as (client, source):
        plan = await client.plan.diff(source=source, units=["web"])
        assert [(c["unit"], c["action"]) for c in plan["changes"]] == [
            ("db", "start"),
            ("web", "start"),
        ]
        assert await client.projects.list() == []
        await _up(client, source, units=["web"])
        plan = await client.plan.diff(source=source, units=["web"])
        assert {change["action"] for change in plan["changes"]} == {"keep"}


async def test_a_graph_has_nodes_in_file_order_and_edges(tmp_path):
    async with daemon(tmp_path) as (client, source):
        graph = await client.plan.graph(source=source)
    assert [node["name"] for node in graph["nodes"]] == ["db", "web", "real", "seed"]
    assert [(edge["from"], edge["to"]) for edge in graph["edges"]] == [
        ("web", "db"),
        ("seed", "db"),
    ]


async def test_projects_are_found_by_their_files_or_their_directory(tmp_path):
    async with daemon(tmp_path) as (client, source):
        directory = str(tmp_path)

        async def name(**params: Any) -> Any:
            return (await client.projects.resolve(**params))["name"]

        assert await name(directory=directory) is None
        await _up(client, source, units=["db"])
        assert await name(directory=directory) == "shop"
        file = str(tmp_path / "harness.yaml")
        assert await name(directory="/", files=[file]) == "shop"
        assert await name(directory="/", project="shop") == "shop"
        assert await name(directory="/", project="shap") is None
        assert await name(directory="/") is None
        (project,) = await client.projects.list()
        assert (project["name"], project["units"], project["running"]) == ("shop", 4, 1)
        assert project["files"] == [file]


async def test_a_project_of_the_same_files_and_another_name_is_only_mentioned(tmp_path):
    async with daemon(tmp_path) as (client, source):
        await _up(client, {**source, "project": "copy"}, units=["db"])
        found = await client.projects.resolve(directory=str(tmp_path))
        assert found == {"name": None, "others": ["copy"]}


async def test_a_nearer_stack_that_never_ran_is_not_taken_for_one_above(tmp_path):
    below = tmp_path / "below"
    below.mkdir()
    async with daemon(tmp_path) as (client, source):
        await _up(client, source, units=["db"])

        async def found(directory: Path, *files: Path) -> Any:
            named = [str(file) for file in files]
            return await client.projects.resolve(directory=str(directory), files=named)

        shop: Any = {"name": "shop", "others": []}
        none: Any = {"name": None, "others": []}
        assert await found(below) == shop
        # Only reading them whole would tell what these are called.
        (below / "harness.yaml").write_text("name: ${NAME}\nservices: {}\n")
        assert await found(below) == none
        assert await found(below, below / "other.yaml") == none
        (below / "harness.yaml").unlink()
        (tmp_path / "harness.yaml").unlink()
        assert await found(below) == shop
        assert await found(below, below / "other.yaml") == none
        assert await found(below, tmp_path / "harness.yaml") == shop


async def test_units_are_stopped_started_restarted_and_taken_down(tmp_path):
    async with daemon(tmp_path) as (client, source):
        await _up(client, source, units=["db"])

        async def state() -> str:
            units = (await client.services.status(project="shop"))["services"]
            return str(units[0]["state"])

        async def ended(operation: OperationRef) -> str:
            return str((await client.operations.wait(id=operation["id"]))["state"])

        services = client.services
        assert await ended(await services.stop(project="shop", units=["db"])) == "done"
        assert await state() == "stopped"
        assert await ended(await services.start(project="shop", units=["db"])) == "done"
        assert await state() == "running"
        assert await ended(await services.restart(project="shop", units=["db"])) == "done"
        assert await state() == "running"
        assert await ended(await services.down(project="shop")) == "done"
        assert await state() == "stopped"


async def test_an_unknown_project_unit_and_operation_are_each_named(tmp_path):
    async with daemon(tmp_path) as (client, source):
        await _up(client, source, units=["db"])
        with pytest.raises(ServiceNotFound, match="shap") as caught:
            await client.services.status(project="shap")
        assert caught.value.hint == 'did you mean "shop"?'
        with pytest.raises(UnknownService, match="dbb"):
            await client.services.why(project="shop", unit="dbb")
        with pytest.raises(OperationNotFound, match="nope"):
            await client.operations.get(id="nope")


async def test_a_wait_that_takes_too_long_explains_itself(tmp_path):
    async with daemon(tmp_path) as (client, source):
        await _up(client, source, units=["db"])
        await client.services.wait(project="shop", units=["db"], timeout_s=5)
        with pytest.raises(WaitTimeout) as caught:
            await client.services.wait(
                project="shop", units=["db"], target="stopped", timeout_s=0.05
            )
        explanations: Any = caught.value.details["explanations"]
        assert explanations[0]["unit"] == "db"


async def test_a_wait_for_a_service_to_complete_is_refused_at_once(tmp_path):
    async with daemon(tmp_path) as (client, source):
        await _up(client, source, units=["db"])
        with pytest.raises(InvalidParameters, match="it is a service, not a task"):
            await client.services.wait(
                project="shop", units=["db"], target="completed", timeout_s=None
            )


async def test_an_operation_that_is_waited_for_too_long_goes_on(tmp_path):
    stack = (
        "name: shop\nservices:\n"
        "  db: {type: process, command: sleep 60, health_check: {command: ['false']}}\n"
    )
    async with daemon(tmp_path, stack) as (client, source):
        operation = await client.services.up(source=source)
        with pytest.raises(WaitTimeout):
            await client.operations.wait(id=operation["id"], timeout_s=0.05)
        assert (await client.operations.get(id=operation["id"]))["state"] == "running"
        assert [o["id"] for o in await client.operations.list()] == [operation["id"]]
        await client.operations.cancel(id=operation["id"])
        ended = await client.operations.wait(id=operation["id"])
        assert ended["state"] == "cancelled"


async def test_a_unit_is_explained_inspected_and_listed(tmp_path):
    async with daemon(tmp_path) as (client, source):
        await _up(client, source)
        assert (await client.services.why(project="shop", unit="db"))["state"] == "running"
        details = await client.services.inspect(project="shop", unit="real")
        assert details["spec"]["env"] == {"COLOUR": "red"}
        assert details["handle"] is not None
        assert details["handle"]["executor"] == "process"
        assert details["history"]
        env = await client.services.env(project="shop", unit="real")
        assert env["COLOUR"] == "red"
        top = await client.services.top(project="shop")
        assert "real" in [row["name"] for row in top]
        (task,) = await client.tasks.list(project="shop")
        assert task["completed_at"]
        assert task["input_hash"]
        health = await client.health.list(project="shop", unit="db")
        assert health[0]["unit"] == "db"
        assert (await client.health.check(project="shop", unit="db"))[0]["unit"] == "db"


async def test_the_registry_is_filtered_by_project_and_label(tmp_path):
    async with daemon(tmp_path) as (client, source):
        await _up(client, source, units=["db"])

        async def names(**filters: str) -> list[str]:
            return [entry["name"] for entry in await client.registry.list(**filters)]

        assert await names() == ["db", "web", "real", "seed"]
        assert await names(project="shop", label="tier") == ["db"]
        assert await names(label="tier=back") == ["db"]
        assert await names(label="tier=front") == []


async def test_tasks_are_run_reset_and_run_again(tmp_path):
    async with daemon(tmp_path) as (client, source):
        operation = await client.tasks.run(source=source, tasks=["seed"])
        assert (await client.operations.wait(id=operation["id"]))["state"] == "done"
        await client.tasks.reset(project="shop", tasks=["seed"])
        (task,) = await client.tasks.list(project="shop")
        assert task["input_hash"] is None
        with pytest.raises(ServiceNotFound, match='cannot reset "db": it is a service, not a task'):
            await client.tasks.reset(project="shop", tasks=["seed", "db"])


async def test_output_is_read_filtered_and_ends(tmp_path):
    async with daemon(tmp_path) as (client, source):
        await _up(client, source, units=["real"])

        async def text(**filters: Any) -> str:
            async with client.logs.read(project="shop", **filters) as chunks:
                return "".join([chunk["text"] async for chunk in chunks])

        async with client.logs.read(project="shop", units=["real"], follow=True) as chunks:
            seen = ""
            async for chunk in chunks:
                seen += chunk["text"]
                if "out\n" in seen and "err\n" in seen:
                    break
        assert await text(units=["real"], stream="stdout") == "out\n"
        assert await text(units=["real"], stream="stderr") == "err\n"
        assert await text(units=["real"], grep="^o.t$") == "out\n"
        assert await text(units=["real"], until="2001-01-01") == ""
        assert await text(units=["db"]) == ""
        with pytest.raises(InvalidParameters, match=r"^cannot search for \(: it is no regular"):
            await text(grep="(")
        with pytest.raises(InvalidParameters, match="since"):
            await text(since="yesterday")


async def test_what_does_not_run_cannot_be_reached_and_says_how_to_start_it(tmp_path):
    async with daemon(tmp_path) as (client, source):
        await _up(client, source)
        stopping = await client.services.stop(project="shop", units=["real"])
        await client.operations.wait(id=stopping["id"])
        with pytest.raises(HandleLost, match='cannot signal "real": it is not running') as caught:
            await client.services.signal(project="shop", unit="real", signal="SIGHUP")
        assert caught.value.hint == "harness start real"
        with pytest.raises(HandleLost, match='cannot write to "real"'):
            await client.services.write(project="shop", unit="real", data=b"x")
        with pytest.raises(HandleLost, match='cannot run a command beside "seed"') as caught:
            async with client.exec.run(project="shop", unit="seed", argv=["true"]):
                pass
        assert caught.value.hint == "harness task run seed --force"


async def test_input_of_a_unit_is_written_and_what_is_not_base64_refused(tmp_path):
    async with daemon(tmp_path) as (client, source):
        await _up(client, source, units=["real"])
        async with client.logs.read(project="shop", units=["real"], follow=True) as chunks:
            await client.services.write(project="shop", unit="real", data=b"hello\n")
            seen = ""
            async for chunk in chunks:
                seen += chunk["text"]
                if "hello\n" in seen:
                    break
        with pytest.raises(InvalidParameters, match="base64"):
            await client.connection.call(
                "services.write", {"project": "shop", "unit": "real", "data": "*"}
            )


async def test_signals_reach_a_unit_and_unknown_ones_are_refused(tmp_path):
    async with daemon(tmp_path) as (client, source):
        await _up(client, source, units=["real"])
        with pytest.raises(HarnessError):
            await client.services.signal(project="shop", unit="real", signal="SIGNONSENSE")
        await client.services.signal(project="shop", unit="real", signal="SIGTERM")
        await client.services.wait(project="shop", units=["real"], target="stopped")


async def test_a_command_runs_beside_a_unit_with_input_output_and_status(tmp_path):
    async with daemon(tmp_path) as (client, source):
        await _up(client, source, units=["real"])
        argv = ["sh", "-c", 'echo "$COLOUR $MORE"; cat; echo oops >&2; exit 3']
        async with client.exec.run(
            project="shop", unit="real", argv=argv, env={"MORE": "light"}, stdin=True
        ) as process:
            await process.write(b"typed\n")
            await process.close_stdin()
            output = {"stdout": b"", "stderr": b""}
            async for item in process:
                output[item["stream"]] += item["data"]
        assert output == {"stdout": b"red light\ntyped\n", "stderr": b"oops\n"}
        assert (process.exit_code, process.exit_signal) == (3, None)


async def test_a_command_runs_on_a_terminal_that_can_be_resized(tmp_path):
    async with daemon(tmp_path) as (client, source):
        await _up(client, source, units=["real"])
        argv = ["sh", "-c", "stty size; read line; stty size; tty >/dev/null && exit 4"]
        async with client.exec.run(
            project="shop", unit="real", argv=argv, stdin=True,
            terminal={"columns": 101, "rows": 31},
        ) as process:  # fmt: skip
            items = aiter(process)
            assert await anext(items) == {"stream": "stdout", "data": b"31 101\r\n"}
            with pytest.raises(InvalidParameters, match="columns"):
                await process.resize(columns=-1, rows=1)
            await process.resize(columns=50, rows=10)
            await process.write(b"\n")
            rest = b"".join([item["data"] async for item in items])
        assert rest == b"\r\n10 50\r\n"
        assert process.exit_code == 4


async def test_a_command_without_a_terminal_refuses_a_size(tmp_path):
    async with daemon(tmp_path) as (client, source):
        await _up(client, source, units=["real"])
        async with client.exec.run(project="shop", unit="real", argv=["sleep", "60"]) as process:
            with pytest.raises(HarnessError, match="has none"):
                await process.resize(columns=50, rows=10)


async def test_a_command_is_signalled_and_is_gone_afterwards(tmp_path):
    async with daemon(tmp_path) as (client, source):
        await _up(client, source, units=["real"])
        async with client.exec.run(project="shop", unit="real", argv=["sleep", "60"]) as process:
            await process.signal("SIGTERM")
            assert [item async for item in process] == []
            assert (process.exit_code, process.exit_signal) == (None, 15)
        with pytest.raises(OperationNotFound):
            await process.signal("SIGTERM")


async def test_events_are_listed_and_followed_from_a_number_on(tmp_path):
    async with daemon(tmp_path) as (client, source):
        operation = await client.services.up(source=source, units=["db"])
        await client.operations.wait(id=operation["id"])
        listed = await client.events.list(after=operation["after"], project="shop")
        numbers = [event["number"] for event in listed]
        assert numbers == sorted(numbers)
        async with client.events.subscribe(after=operation["after"], project="shop") as events:
            followed = [await anext(events) for _ in listed]
        assert followed == listed


async def test_the_daemon_describes_itself(tmp_path):
    async with daemon(tmp_path) as (client, source):
        await _up(client, source, units=["db"])
        status = await client.daemon.status()
        assert status["projects"] == ["shop"]
        assert status["rss_bytes"] > 1_000_000
        assert status["uptime_s"] >= 0
        document = await client.daemon.discover()
        assert [method["name"] for method in document["methods"]] == list(METHODS)


async def test_stop_takes_projects_down_and_keep_services_does_not(tmp_path):
    async with daemon(tmp_path) as (client, source):
        await _up(client, source, units=["db"])
        await client.connection.call("daemon.stop", {"keep_services": True})
        status = await client.services.status(project="shop")
        assert status["services"][0]["state"] == "running"
        await client.connection.call("daemon.stop")
        status = await client.services.status(project="shop")
        assert status["services"][0]["state"] == "stopped"


def test_every_method_has_a_handler():
    from harness.daemon.methods import all_handlers
    from harness.daemon.wiring import Wiring

    class _Anything:
        def __getattr__(self, name: str) -> Any:
            return self

    anything: Any = _Anything()
    wiring = Wiring(**dict.fromkeys(Wiring.__dataclass_fields__, anything))
    assert set(all_handlers(wiring)) == set(METHODS)


async def test_a_command_that_cannot_be_run_leaves_nothing_open(tmp_path):
    async with daemon(tmp_path) as (client, source):
        await _up(client, source, units=["real"])
        with pytest.raises(HarnessError):
            async with client.exec.run(project="shop", unit="web", argv=["true"], stdin=True):
                raise AssertionError("web does not run")
        # A stream that is left open is a warning here, which is an error.
        gc.collect()
