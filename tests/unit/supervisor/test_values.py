"""What has another value than at its start is started again, and only that."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from harness.executors import UnitProcess, Usage
from harness.model import (
    Backoff,
    PortSpec,
    RestartMode,
    RestartPolicy,
    SecretSpec,
    ServiceState,
    UnitSpec,
)
from harness.storage import MemoryStore
from harness.supervisor.unit import Unit
from harness.supervisor.views import usage_view
from tests.fakes.clock import FakeClock
from tests.unit.supervisor.scene import Scene, needs, scene, service, task


def planned(play: Scene, *units: UnitSpec, env: dict[str, str], **more: object) -> dict[str, str]:
    diff = play.stacks.diff(play.stack(*units, **more), env)
    return {c.unit: f"{c.action.value}: {', '.join(c.reasons)}" for c in diff.changes}


async def test_a_changed_variable_of_the_client_restarts_what_uses_it(play: Scene) -> None:
    units = (service("a", env={"Z": "${Y}"}), service("b", env={"Z": "fixed"}))
    play.client_env = {"Y": "1"}
    await play.brought_up(*units)
    assert planned(play, *units, env={"Y": "2"})["a"] == "restart: its values changed: env.Z"
    assert planned(play, *units, env={"Y": "1"})["a"] == "keep: it runs as defined"
    play.client_env = {"Y": "2"}
    await play.brought_up(*units)
    assert play.executor.requests["a"].env["Z"] == "2"
    assert sorted(play.executor.names("start")) == ["a", "a", "b"]
    await play.brought_up(*units)
    assert sorted(play.executor.names("start")) == ["a", "a", "b"]


async def test_the_plan_changes_nothing_of_the_project(play: Scene) -> None:
    play.client_env = {"Y": "1"}
    await play.brought_up(service("a", env={"Z": "${Y}"}))
    planned(play, service("a", env={"Z": "${Y}"}), env={"Y": "2"})
    assert play.project.context.client_env == {"Y": "1"}


async def test_changed_content_of_an_env_file_is_a_change(play: Scene) -> None:
    (play.directory / "a.env").write_text("ONE=1\nTWO=2\n")
    unit = service("a", env_file=("a.env",))
    await play.brought_up(unit)
    assert planned(play, unit, env={})["a"].startswith("keep")
    (play.directory / "a.env").write_text("ONE=1\nTHREE=3\n")
    assert planned(play, unit, env={})["a"] == "restart: its values changed: env.THREE, env.TWO"
    (play.directory / "a.env").unlink()
    assert planned(play, unit, env={})["a"].startswith("keep")


def test_a_secret_in_a_command_line_is_masked_before_the_line_is_cut() -> None:
    unit = cast("Unit", SimpleNamespace(name="a", secrets=frozenset({"p4ssw0rd"})))
    command = f"{'x' * 996} p4ssw0rd"
    process = UnitProcess(pid=7, parent=1, command=command, rss_bytes=1, cpu_s=0.5)
    view = usage_view(unit, Usage(processes=1, rss_bytes=1, cpu_s=0.5, tree=(process,)))
    (shown,) = view["tree"]
    assert (shown["pid"], shown["parent"]) == (7, 1)
    assert shown["command"] == f"{'x' * 996} ***"


async def test_a_changed_secret_is_a_change_and_is_stored_as_a_hash_only(play: Scene) -> None:
    secrets = {"key": SecretSpec(name="key", env="KEY")}
    unit = service("a", output=("${secrets.key}",))
    play.client_env = {"KEY": "old-password"}
    await play.brought_up(unit, secrets=secrets)
    new = planned(play, unit, env={"KEY": "new-password"}, secrets=secrets)
    assert new["a"] == "restart: its values changed: output"
    assert planned(play, unit, env={}, secrets=secrets)["a"].startswith("keep")
    assert "old-password" not in repr(play.project.unit("a").record.values)


async def test_the_port_of_another_unit_stays_and_is_no_change(play: Scene) -> None:
    units = (
        service("db", ports={"main": PortSpec(name="main", host=None)}),
        service("api", needs("db"), env={"DB": "${db.url}"}),
    )
    await play.brought_up(*units)
    await play.brought_up(*units)
    assert play.executor.names("start") == ["db", "api"]


async def test_a_task_whose_creation_is_gone_runs_again(play: Scene) -> None:
    path = play.directory / "made"
    path.touch()
    unit = task("t", creates=("made",))
    await play.brought_up(unit)
    assert planned(play, unit, env={})["t"].startswith("skip")
    path.unlink()
    assert planned(play, unit, env={})["t"].startswith("run")
    await play.brought_up(unit)
    assert play.executor.names("start") == ["t", "t"]
    assert play.state("t") == "failed"
    assert play.reason("t") == "it ended without having created made"


async def test_restart_counts_survive_a_daemon(tmp_path: Path) -> None:
    policy = RestartPolicy(mode=RestartMode.ALWAYS, backoff=Backoff(initial_s=1.0, jitter=0.0))
    store, clock = MemoryStore(), FakeClock()
    async with scene(tmp_path, store=store, clock=clock) as first:
        first.up(service("a", run_for=5.0, restart=policy))
        await first.clock.run_for(14)
        await first.reaches("a", ServiceState.RUNNING)
        before = first.project.unit("a")
        assert (before.record.restarts, before.history.attempts) == (2, 2)
    async with scene(tmp_path, store=store, clock=clock) as second:
        await second.stacks.recover()
        after = second.project.unit("a")
        assert after.record.restarts == 2
        assert after.history.attempts >= 2
        assert after.history.ended_at[:2] == pytest.approx(before.history.ended_at[:2])
