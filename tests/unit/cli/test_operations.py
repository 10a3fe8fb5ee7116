"""Long work: up, down, start, stop, restart, task run."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from harness.errors import ConfigSyntaxError, ServiceNotFound


def test_up_sends_the_source_and_its_options(cli: Any, tmp_path: Path) -> None:
    cli.operation("up")
    result = cli(
        "up", "web", "--force", "--keep-going", "--no-deps", "--timeout", "2m", "-f", "s.yaml",
        "--profile", "debug", env={"TOKEN": "x"},
    )  # fmt: skip
    assert result.exit_code == 0
    (call,) = cli.client.calls_of("services.up")
    source = call["source"]
    assert source["files"] == [str(tmp_path / "s.yaml")]
    assert source["directory"] == str(tmp_path)
    assert source["profiles"] == ["debug"]
    assert source["env"]["TOKEN"] == "x"
    assert {key: value for key, value in call.items() if key != "source"} == {
        "units": ["web"],
        "force": True,
        "keep_going": True,
        "deps": False,
        "timeout_s": 120.0,
        "lease": None,
        "keep_lease": True,
    }


def test_up_prints_progress_on_stderr_and_the_table_on_stdout(
    cli: Any, make_unit: Any, make_event: Any
) -> None:
    url = {"host": "127.0.0.1", "port": 80, "url": "http://127.0.0.1:80"}
    cli.client.answers["services.status"] = {
        "project": "shop",
        "services": [
            make_unit("db", endpoints={"http": url}),
            make_unit("other"),
            make_unit("web", kind="task", state="exited", exit_code=0, outputs={"blocks": 3}),
        ],
    }
    cli.operation(
        "up",
        events=[
            make_event(9, "unit-state-changed", unit="db", old="stopped", new="starting"),
            make_event(10, "unit-state-changed", unit="db", old="starting", new="running", pid=7),
            make_event(11, "probe-finished", unit="db", stage="ready", ok=True, latency_ms=1),
            make_event(12, "health-changed", unit="db", old="starting", new="healthy"),
            make_event(13, "task-completed", unit="web", outputs={"blocks": 3}),
        ],
    )
    assert cli("up", "-v").stderr.splitlines()[0] == "db: starting"
    result = cli("up")
    assert result.exit_code == 0
    assert result.stderr.splitlines() == [
        "db: running (pid 7)",
        "db: healthy",
        "web: completed; outputs: blocks=3",
    ]
    assert result.stdout.splitlines() == [
        " db   ready  4.0 s  http://127.0.0.1:80",
        " web  done   5.0 s  outputs: blocks=3",
    ]


def test_up_without_a_terminal_says_in_a_silence_what_it_waits_for(
    cli: Any, make_unit: Any, make_event: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.cli.progress._SILENCE_S", 0.0)
    monkeypatch.setattr("harness.cli.progress._REMIND_EVERY_S", 0.01)
    asked: list[str] = []
    twice = anyio.Event()

    def why(unit: str, **_: object) -> dict[str, object]:
        asked.append(unit)
        if len(asked) == 2:
            twice.set()
        probe = {"stage": "ready", "check": "tcp :1", "tries": 7, "message": "connection refused"}
        return {"needs": [], "probe": probe, "summary": ""}

    async def events() -> AsyncIterator[dict[str, object]]:
        yield make_event(8, "operation-started", id="op-1", units=["db", "seed", "web"])
        await twice.wait()
        yield make_event(11, "operation-finished", id="op-1")

    async def wait(**_: object) -> dict[str, object]:
        await twice.wait()
        return {"id": "op-1", "state": "done", "error": None, "results": []}

    cli.operation("up")
    cli.client.answers |= {
        "events.subscribe": lambda **_: events(),
        "operations.wait": wait,
        "services.why": why,
        "services.status": {
            "project": "shop",
            "services": [
                make_unit("db", ready=False, health="starting"),
                make_unit("seed", kind="task", ready=False),
                make_unit("web"),
            ],
        },
    }
    lines = cli("up").stderr.splitlines()
    assert [line.partition(" (")[0] for line in lines[:2]] == ["db: waiting", "seed: running"]
    assert lines[0].endswith("): own probe tcp :1: connection refused (7 tries)")


def test_up_follows_the_events_after_the_operations_number(cli: Any) -> None:
    cli.operation("up")
    cli("up")
    assert cli.client.calls_of("events.subscribe") == [{"after": 7, "project": "shop"}]
    assert cli.client.calls_of("operations.wait") == [{"id": "op-1"}]


def test_quiet_up_prints_nothing_when_all_went_well(cli: Any, make_event: Any) -> None:
    cli.operation("up", events=[make_event(9, "unit-state-changed", unit="db", new="starting")])
    result = cli("up", "-q")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")


def test_up_as_json_is_the_operation_and_nothing_else(cli: Any, make_event: Any) -> None:
    cli.operation("up", events=[make_event(9, "unit-state-changed", unit="db", new="starting")])
    result = cli("up", "--json")
    assert json.loads(result.stdout)["state"] == "done"
    assert result.stderr == ""


def test_no_wait_prints_the_id_and_waits_for_nothing(cli: Any) -> None:
    cli.operation("up")
    assert cli("up", "--no-wait").stdout == "op-1\n"
    assert json.loads(cli("up", "--no-wait", "--json").stdout)["id"] == "op-1"
    assert cli.client.calls_of("operations.wait") == []


@pytest.mark.parametrize(
    ("kind", "code"),
    [("start-failed", 1), ("wait-timeout", 124), ("config-unresolved-reference", 6)],
)
def test_a_failed_operation_has_the_code_of_its_error(cli: Any, kind: str, code: int) -> None:
    error = {"kind": kind, "message": 'cannot start "db": no', "hint": "look", "details": {}}
    cli.operation("up", state="failed", error=error)
    result = cli("up")
    assert result.exit_code == code
    assert result.stderr.endswith('harness: cannot start "db": no\nhint: look\n')
    document = json.loads(cli("up", "--json").stderr)
    assert document["error"]["kind"] == kind


def test_a_failed_operation_without_an_error_names_the_units(cli: Any) -> None:
    results = [
        {"unit": "db", "outcome": "failed", "message": "exit 3"},
        {"unit": "web", "outcome": "done", "message": None},
    ]
    cli.operation("up", state="failed", results=results)
    result = cli("up")
    assert result.exit_code == 1
    assert "harness: cannot up shop: db: exit 3" in result.stderr


CANCELLED: dict[str, object] = {
    "id": "op-1",
    "verb": "up",
    "state": "cancelled",
    "error": None,
    "results": [],
}


def test_ctrl_c_cancels_and_says_what_keeps_running(
    cli: Any, make_unit: Any, make_event: Any
) -> None:
    cancelled = anyio.Event()

    async def events() -> AsyncIterator[dict[str, object]]:
        yield make_event(8, "operation-started", id="op-1", units=["chain", "follower"])
        yield make_event(9, "unit-state-changed", unit="follower", new="starting")
        os.kill(os.getpid(), signal.SIGINT)
        await cancelled.wait()
        yield make_event(10, "unit-state-changed", unit="follower", new="stopped")
        yield make_event(11, "operation-finished", id="op-1")

    def cancel(**_: object) -> None:
        cancelled.set()

    async def wait(**_: object) -> dict[str, object]:
        await cancelled.wait()
        return CANCELLED

    cli.operation("up")
    cli.client.answers |= {
        "events.subscribe": lambda **_: events(),
        "operations.cancel": cancel,
        "operations.wait": wait,
        "services.status": {
            "project": "shop",
            "services": [
                make_unit("chain"),
                make_unit("follower", state="stopped", ready=False),
            ],
        },
    }
    result = cli("up")
    assert result.exit_code == 130
    assert cli.client.calls_of("operations.cancel") == [{"id": "op-1"}]
    assert result.stderr.splitlines()[-1] == (
        "harness: interrupted; 1 service keeps running; stopped what was not ready: follower"
        "   (harness down takes all down)"
    )
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("states", "said"),
    [
        (("stopping", "stopping"), "still stopping: db (pid 4711), web (pid 4711)"),
        (("running", "stopping"), "1 service keeps running; still stopping: web (pid 4711)"),
        (("stopping", "stopped"), "still stopping: db (pid 4711); stopped: web"),
    ],
)
def test_ctrl_c_during_down_says_what_is_still_stopping(
    cli: Any, make_unit: Any, make_event: Any, states: tuple[str, str], said: str
) -> None:
    cancelled = anyio.Event()

    async def events() -> AsyncIterator[dict[str, object]]:
        yield make_event(9, "unit-state-changed", unit="web", new="stopping")
        os.kill(os.getpid(), signal.SIGINT)
        await cancelled.wait()
        yield make_event(10, "operation-finished", id="op-1")

    async def wait(**_: object) -> dict[str, object]:
        await cancelled.wait()
        return {**CANCELLED, "verb": "down"}

    cli.operation("down")
    units = [
        make_unit(name, state=state) for name, state in zip(("db", "web"), states, strict=True)
    ]
    cli.client.answers |= {
        "events.subscribe": lambda **_: events(),
        "operations.cancel": lambda **_: cancelled.set(),
        "operations.wait": wait,
        "services.status": {"project": "shop", "services": units},
    }
    result = cli("down")
    assert result.exit_code == 130
    last = result.stderr.splitlines()[-1]
    assert last.removesuffix("   (harness down takes all down)") == f"harness: interrupted; {said}"


def test_a_second_ctrl_c_leaves_the_operation_to_be_cancelled(cli: Any) -> None:
    async def never(**_: object) -> dict[str, object]:
        os.kill(os.getpid(), signal.SIGINT)
        await anyio.sleep_forever()
        return {}

    def cancel(**_: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    cli.operation("up")
    cli.client.answers |= {"operations.wait": never, "operations.cancel": cancel}
    result = cli("up")
    assert result.exit_code == 130
    assert "op-1 is being cancelled" in result.stderr


@pytest.mark.parametrize("verb", ["start", "stop", "restart"])
def test_lifecycle_commands_send_units_and_timeout(cli: Any, verb: str) -> None:
    cli.operation(verb)
    assert cli(verb, "web", "--timeout", "500ms").exit_code == 0
    assert cli.client.calls_of(f"services.{verb}") == [
        {"project": "shop", "units": ["web"], "timeout_s": 0.5}
    ]


def test_down_takes_the_whole_project_down(cli: Any) -> None:
    cli.operation("down")
    assert cli("down", "--volumes").exit_code == 0
    assert cli.client.calls_of("services.down") == [
        {"project": "shop", "volumes": True, "timeout_s": None}
    ]


def test_down_of_what_never_ran_is_no_error(cli: Any) -> None:
    cli.client.answers["projects.resolve"] = {"name": None, "others": []}
    result = cli("down")
    assert result.exit_code == 0
    assert result.stdout == ""
    assert result.stderr == "nothing of this project runs\n"


def test_task_run_is_an_operation_with_its_table(cli: Any, make_unit: Any) -> None:
    cli.operation("tasks.run")
    result = cli("task", "run", "seed", "--force")
    assert result.exit_code == 0
    (call,) = cli.client.calls_of("tasks.run")
    assert (call["tasks"], call["force"]) == (["seed"], True)
    assert " db " in result.stdout


def test_reload_needs_a_name_and_sends_it(cli: Any) -> None:
    cli.client.answers["services.reload"] = None
    assert cli("reload").exit_code == 2
    assert cli("reload", "web").exit_code == 0
    assert cli.client.calls_of("services.reload") == [{"project": "shop", "units": ["web"]}]


def test_wait_passes_target_and_timeout(cli: Any) -> None:
    cli.client.answers["services.wait"] = None
    assert cli("wait", "seed", "--for", "completed", "--timeout", "5").exit_code == 0
    assert cli.client.calls_of("services.wait") == [
        {"project": "shop", "units": ["seed"], "target": "completed", "timeout_s": 5.0}
    ]


@pytest.mark.parametrize(
    ("arguments", "method"),
    [
        (["wait"], "services.wait"),
        (["reload", "web"], "services.reload"),
        (["task", "reset", "seed"], "tasks.reset"),
    ],
)
def test_a_command_without_an_answer_prints_an_empty_document(
    cli: Any, arguments: list[str], method: str
) -> None:
    cli.client.answers[method] = {}
    assert json.loads(cli(*arguments, "--json").stdout) == {}


def test_down_of_nothing_prints_an_empty_document_and_starts_no_daemon(cli: Any) -> None:
    cli.client.running = False
    result = cli("down", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, {})
    assert cli.client.starts == [False]
    assert cli("down", "--no-start").exit_code == 5


def test_down_of_a_name_nobody_knows_exits_with_4(cli: Any) -> None:
    cli.client.answers["services.down"] = ServiceNotFound("no", hint='did you mean "shop"?')
    result = cli("down", "-p", "shp")
    assert result.exit_code == 4
    assert 'did you mean "shop"?' in result.stderr


def test_ctrl_c_before_the_daemon_answers_cancels_the_operation(cli: Any) -> None:
    cancelled = anyio.Event()

    async def up(**_: object) -> dict[str, object]:
        os.kill(os.getpid(), signal.SIGINT)
        await anyio.lowlevel.checkpoint()
        return {"id": "op-1", "project": "shop", "after": 7}

    async def wait(**_: object) -> dict[str, object]:
        await cancelled.wait()
        return CANCELLED

    cli.operation("up")
    cli.client.answers |= {
        "services.up": up,
        "operations.wait": wait,
        "operations.cancel": lambda **_: cancelled.set(),
    }
    assert cli("up").exit_code == 130
    assert cli.client.calls_of("operations.cancel") == [{"id": "op-1"}]


@pytest.fixture
def restarted(cli: Any, tmp_path: Path) -> Any:
    (tmp_path / "harness.yaml").write_text("name: shop\n")
    cli.operation("restart")
    changes = [
        {"unit": "db", "differs": True},
        {"unit": "web", "differs": False},
        {"unit": "new", "differs": True},
    ]
    cli.client.answers["plan.diff"] = {"project": "shop", "changes": changes}
    return cli


def test_restart_says_when_the_stack_file_has_changed(restarted: Any) -> None:
    advice = "note: the stack file has changed for db, new; `harness up` applies it\n"
    assert restarted("restart").stderr.endswith(advice)
    assert "for db; `harness up`" in restarted("restart", "db", "web").stderr


def test_restart_says_so_though_it_failed(restarted: Any) -> None:
    restarted.client.answers["operations.wait"] |= {"state": "failed", "results": []}
    result = restarted("restart", "db")
    assert result.exit_code == 1
    assert "for db; `harness up` applies it" in result.stderr


@pytest.mark.parametrize("words", [("web",), ("-q",), ("--json",)])
def test_restart_says_nothing_when_nothing_it_is_about_has_changed_or_when_told_to_be_quiet(
    restarted: Any, words: tuple[str, ...]
) -> None:
    assert "changed" not in restarted("restart", *words).stderr


def test_restart_of_a_project_of_other_files_says_nothing(restarted: Any, tmp_path: Path) -> None:
    restarted.client.answers["plan.diff"]["project"] = "other"
    assert "changed" not in restarted("restart").stderr
    (tmp_path / "harness.yaml").unlink()
    del restarted.client.answers["plan.diff"]
    assert "changed" not in restarted("restart").stderr


def test_restart_of_a_project_that_is_named_says_nothing_of_the_file_here(restarted: Any) -> None:
    assert "changed" not in restarted("restart", "-p", "shop").stderr
    assert "changed" in restarted("restart", "-p", "shop", "-f", "harness.yaml").stderr


def test_restart_with_a_broken_stack_file_says_what_shows_its_problems(restarted: Any) -> None:
    restarted.client.answers["plan.diff"] = ConfigSyntaxError(problems=[])
    result = restarted("restart")
    assert result.exit_code == 0
    assert "`harness validate` shows them" in result.stderr
