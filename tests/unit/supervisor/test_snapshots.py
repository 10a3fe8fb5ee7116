"""Snapshots: order, what is undone when something fails, and what a crash leaves."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio import from_thread

from harness.errors import (
    ActionError,
    ActionNotFound,
    HarnessError,
    InvalidParameters,
    OperationConflict,
    SnapshotError,
    SnapshotMismatch,
    SnapshotNotFound,
    StartFailed,
    StoreFull,
)
from harness.model import EventKind
from harness.storage import MemoryStore
from harness.supervisor import Operation, OperationState, Unit
from harness.supervisor.snapshot_store import Snapshot, SnapshotStore
from tests.fakes.clock import FakeClock
from tests.unit.supervisor.scene import Scene, needs, scene, service, task

STACK = service("db"), service("api", needs("db")), service("plain")


class Part:
    """Notes what it is asked, and fails or hangs where the test says so."""

    def __init__(self, name: str, play: Players) -> None:
        self.name = name
        self.play = play
        self.stops = name in play.stopping
        self.has_state = not self.stops

    async def quiesce(self) -> None:
        await self._step("quiesce")

    async def resume(self) -> None:
        await self._step("resume")

    async def snapshot(self, directory: Path) -> None:
        await self._step("snapshot")
        (directory / "state").write_text(self.play.states[self.name])

    async def restore(self, directory: Path) -> None:
        await self._step("restore")
        self.play.states[self.name] = (directory / "state").read_text()

    async def _step(self, verb: str) -> None:
        await anyio.lowlevel.checkpoint()
        step = f"{verb} {self.name}"
        self.play.steps.append(step)
        if step in self.play.failing:
            raise ActionError(f"cannot {step}: told so")
        if step in self.play.hanging:
            self.play.hung.set()
            await anyio.sleep_forever()


class Players:
    """The services that take part, and what happened."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.failing: set[str] = set()
        self.hanging: set[str] = set()
        self.hung = anyio.Event()
        self.states = {"db": "one", "api": "one"}
        self.stopping: set[str] = set()
        self.unknown: set[str] = set()

    async def find(self, unit: Unit) -> Part | None:
        await anyio.lowlevel.checkpoint()
        if unit.name in self.unknown:
            raise ActionNotFound("no plugin brings its type")
        return Part(unit.name, self) if unit.name in self.states else None


@pytest.fixture
def players() -> Players:
    return Players()


@pytest.fixture
async def play(tmp_path: Path, players: Players) -> AsyncIterator[Scene]:
    async with scene(tmp_path, snapshotters=players.find) as running:
        yield running


async def created(play: Scene, name: str = "s") -> Operation:
    return await play.ended(play.stacks.snapshots.create(play.project, name))


async def restored(play: Scene, name: str = "s") -> Operation:
    return await play.ended(await play.stacks.snapshots.restore(play.project, name))


async def test_dependents_are_quiesced_first_and_resumed_last(
    play: Scene, players: Players
) -> None:
    await play.brought_up(*STACK)
    operation = await created(play)
    assert operation.state is OperationState.DONE
    assert players.steps == [
        "quiesce api", "quiesce db", "snapshot db", "snapshot api", "resume db", "resume api",
    ]  # fmt: skip
    assert play.outcomes(operation) == {"db": "snapshotted", "api": "snapshotted"}
    (found,) = await play.stacks.snapshots.list(play.project)
    assert (found.parts, found.left) == (["db", "api"], ["plain"])
    players.steps.clear()
    players.states.update(db="two", api="two")
    await restored(play)
    assert players.states == {"db": "one", "api": "one"}
    assert players.steps == [
        "quiesce api", "quiesce db", "restore db", "restore api", "resume db", "resume api",
    ]  # fmt: skip
    assert len(play.events(EventKind.UNIT_QUIESCED)) == 4
    assert play.store.records("snapshots") == {}


async def test_what_has_others_state_in_memory_is_stopped_meanwhile(
    play: Scene, players: Players
) -> None:
    players.stopping.add("api")
    await play.brought_up(*STACK)
    operation = await created(play)
    assert operation.state is OperationState.DONE
    assert players.steps == ["quiesce db", "snapshot db", "resume db"]
    assert play.executor.names("stop") == ["api"]
    assert play.executor.names("start").count("api") == 2
    assert set(play.states().values()) == {"running"}
    (found,) = await play.stacks.snapshots.list(play.project)
    assert found.parts == ["db"]
    players.steps.clear()
    players.states["db"] = "two"
    await restored(play)
    assert players.states["db"] == "one"
    assert players.steps == ["quiesce db", "restore db", "resume db"]
    assert play.executor.names("stop") == ["api", "api"]
    assert set(play.states().values()) == {"running"}


async def test_what_is_stopped_meanwhile_is_started_when_another_fails(
    play: Scene, players: Players
) -> None:
    players.stopping.add("api")
    await play.brought_up(*STACK)
    players.failing.add("snapshot db")
    operation = await created(play)
    assert "told so" in str(operation.error)
    assert set(play.states().values()) == {"running"}
    assert play.store.records("snapshots") == {}


async def test_what_would_be_stopped_and_is_stays_so(play: Scene, players: Players) -> None:
    players.stopping.add("api")
    await play.brought_up(*STACK)
    await play.ended(play.stacks.stop(play.project, ["api"]))
    operation = await created(play)
    assert operation.state is OperationState.DONE
    assert play.states()["api"] == "stopped"


async def test_what_does_not_start_again_is_told(play: Scene, players: Players) -> None:
    players.stopping.add("api")
    await play.brought_up(*STACK)
    play.executor.start_error = StartFailed(service="api", executor="fake", cause="no more")
    operation = await created(play)
    assert operation.state is OperationState.FAILED
    assert "cannot resume api" in str(operation.error)
    assert "no more" in str(operation.error)


async def test_a_quiesce_that_fails_resumes_what_was_begun(play: Scene, players: Players) -> None:
    await play.brought_up(*STACK)
    players.failing.add("quiesce db")
    operation = await created(play)
    assert "told so" in str(operation.error)
    assert players.steps == ["quiesce api", "quiesce db", "resume db", "resume api"]
    assert await play.stacks.snapshots.list(play.project) == []
    assert play.store.records("snapshots") == {}


async def test_a_resume_that_fails_is_an_error_and_the_others_are_resumed(
    play: Scene, players: Players
) -> None:
    await play.brought_up(*STACK)
    players.failing.add("resume db")
    operation = await created(play)
    assert str(operation.error).startswith("cannot resume db: cannot resume db: told so")
    assert players.steps[-1] == "resume api"


async def test_cancelling_resumes_all_and_leaves_nothing(play: Scene, players: Players) -> None:
    await play.brought_up(*STACK)
    players.hanging.add("snapshot api")
    operation = play.stacks.snapshots.create(play.project, "s")
    with anyio.fail_after(10):
        await players.hung.wait()
    with pytest.raises(OperationConflict):
        play.stacks.snapshots.create(play.project, "t")
    play.stacks.operations.cancel(operation.id)
    await play.ended(operation)
    assert operation.state is OperationState.CANCELLED
    assert players.steps[-2:] == ["resume db", "resume api"]
    assert await play.stacks.snapshots.list(play.project) == []


async def test_half_a_restore_is_marked_until_one_succeeds(play: Scene, players: Players) -> None:
    await play.brought_up(*STACK)
    await created(play)
    players.failing.add("restore api")
    operation = await restored(play)
    assert "restored are db, not or half are api" in str(operation.error)
    mark = play.stacks.snapshots.mark(play.project)
    assert mark is not None
    assert (mark.snapshot, list(mark.restored), list(mark.others)) == ("s", ["db"], ["api"])
    # One that is taken meanwhile changes nothing of that.
    await created(play, "t")
    assert play.stacks.snapshots.mark(play.project) is not None
    players.failing.clear()
    await restored(play)
    assert play.stacks.snapshots.mark(play.project) is None


async def test_the_next_daemon_resumes_what_was_left_quiesced(
    tmp_path: Path, players: Players
) -> None:
    store, clock = MemoryStore(), FakeClock()
    async with scene(tmp_path, store=store, clock=clock, snapshotters=players.find) as first:
        await first.brought_up(*STACK)
        players.hanging.add("snapshot api")
        first.stacks.snapshots.create(first.project, "s")
        with anyio.fail_after(10):
            await players.hung.wait()
        # As a kill leaves it: what the end of this scene still does is not stored.
        left = store.record("snapshots", "p")
        half = first.project.context.directory / "snapshots" / ".half"
        assert half.exists()
    assert left == {"version": 1, "quiesced": ["api", "db"], "restoring": None}
    store.put("snapshots", "p", left)
    half.mkdir()
    players.hanging.clear()
    players.steps.clear()
    async with scene(tmp_path, store=store, clock=clock, snapshotters=players.find) as second:
        await second.stacks.recover()
        (operation,) = second.stacks.operations.list()
        assert (operation.verb, (await second.ended(operation)).state) == (
            "resume", OperationState.DONE,
        )  # fmt: skip
        assert players.steps == ["resume db", "resume api"]
        assert not half.exists()
        assert store.records("snapshots") == {}


async def test_tasks_are_remembered_as_they_were(play: Scene) -> None:
    stack = (*STACK, task("seed"), task("other"))
    await play.brought_up(*stack, only=["db", "api", "seed"])
    await created(play)
    await play.brought_up(*stack, only=["other"])
    before = play.project.task("seed").record.completed
    play.project.task("seed").forget_completion()
    await restored(play)
    assert before is not None
    assert play.project.task("seed").record.completed == before
    assert play.project.task("other").record.completed is None


@pytest.mark.parametrize("name", ["", ".half", "../x", "a/b", "-x", "x" * 101])
async def test_names_that_are_none_are_refused(play: Scene, name: str) -> None:
    await play.brought_up(*STACK)
    with pytest.raises(InvalidParameters):
        play.stacks.snapshots.create(play.project, name)
    with pytest.raises(InvalidParameters):
        await play.stacks.snapshots.restore(play.project, name)


async def test_a_snapshot_that_cannot_be_read_is_said_so(play: Scene) -> None:
    await play.brought_up(*STACK)
    await created(play)
    path = play.project.context.directory / "snapshots" / "s" / "snapshot.json"
    value = json.loads(path.read_text())
    path.write_text(json.dumps({**value, "version": 2}))
    with pytest.raises(SnapshotError, match="a newer version made it"):
        await play.stacks.snapshots.restore(play.project, "s")
    path.write_text("{")
    with pytest.raises(SnapshotError, match='cannot read snapshot "s"'):
        await play.stacks.snapshots.list(play.project)
    await play.stacks.snapshots.remove(play.project, "s")
    with pytest.raises(SnapshotNotFound):
        await play.stacks.snapshots.remove(play.project, "s")


async def test_a_stack_without_any_part_has_no_snapshots(play: Scene) -> None:
    await play.brought_up(service("plain"))
    operation = await created(play)
    assert "no service of p has a type that has snapshots" in str(operation.error)


async def test_a_restore_under_way_is_no_half_one(play: Scene, players: Players) -> None:
    await play.brought_up(*STACK)
    await created(play)
    players.hanging.add("restore api")
    operation = await play.stacks.snapshots.restore(play.project, "s")
    with anyio.fail_after(10):
        await players.hung.wait()
    assert play.stacks.snapshots.mark(play.project) is None
    play.stacks.operations.cancel(operation.id)
    await play.ended(operation)
    assert play.stacks.snapshots.mark(play.project) is not None


async def test_a_snapshot_of_another_plan_is_restored_only_when_forced(
    play: Scene, players: Players
) -> None:
    await play.brought_up(*STACK)
    await created(play)
    players.states.update(db="two", api="two")
    await play.brought_up(*STACK[:2], service("new"))
    with pytest.raises(SnapshotMismatch) as failure:
        await play.stacks.snapshots.restore(play.project, "s")
    assert "plain is gone" in str(failure.value)
    assert "new is new" in str(failure.value)
    assert players.states["db"] == "two"
    await play.ended(await play.stacks.snapshots.restore(play.project, "s", force=True))
    assert players.states == {"db": "one", "api": "one"}


async def test_what_cannot_take_its_part_back_is_named_before_anything_is_quiesced(
    play: Scene, players: Players
) -> None:
    await play.brought_up(*STACK)
    await created(play)
    del players.states["api"]
    players.steps.clear()
    operation = await restored(play)
    assert 'cannot restore snapshot "s": api cannot take its part back' in str(operation.error)
    assert players.steps == []
    assert play.stacks.snapshots.mark(play.project) is None


async def test_what_does_not_run_has_no_state_of_this_moment(play: Scene, players: Players) -> None:
    await play.brought_up(*STACK)
    await play.ended(play.stacks.stop(play.project, ["api"]))
    operation = await created(play)
    assert str(operation.error) == 'cannot quiesce "api": it is not running, but stopped'
    assert players.steps == []


async def test_what_stops_while_it_is_quiesced_is_not_resumed(
    play: Scene, players: Players
) -> None:
    await play.brought_up(*STACK)
    players.hanging.add("snapshot db")
    operation = play.stacks.snapshots.create(play.project, "s")
    with anyio.fail_after(10):
        await players.hung.wait()
    await play.ended(play.stacks.stop(play.project, ["api"]))
    play.stacks.operations.cancel(operation.id)
    await play.ended(operation)
    assert players.steps[-2:] == ["snapshot db", "resume db"]


async def test_what_is_known_of_a_half_restore_goes_with_its_project(
    play: Scene, players: Players
) -> None:
    await play.brought_up(*STACK)
    await created(play)
    players.failing.add("restore api")
    await restored(play)
    assert list(play.store.records("snapshots")) == ["p"]
    await play.ended(play.stacks.down(play.project, volumes=True))
    assert play.store.records("snapshots") == {}


async def test_what_a_newer_daemon_has_left_quiesced_is_left_alone(
    tmp_path: Path, players: Players
) -> None:
    store, clock = MemoryStore(), FakeClock()
    async with scene(tmp_path, store=store, clock=clock, snapshotters=players.find) as first:
        await first.brought_up(*STACK)
    left = {"version": 2, "quiesced": ["api"], "restoring": None}
    store.put("snapshots", "p", left)
    async with scene(tmp_path, store=store, clock=clock, snapshotters=players.find) as second:
        await second.stacks.recover()
        assert second.stacks.operations.list() == []
        assert second.stacks.snapshots.mark(second.project) is None
        operation = await created(second)
        assert "a newer version has begun something" in str(operation.error)
    assert (store.record("snapshots", "p"), players.steps) == (left, [])


async def test_the_next_daemon_still_knows_of_a_half_restore_that_it_resumes(
    tmp_path: Path, players: Players
) -> None:
    store, clock = MemoryStore(), FakeClock()
    async with scene(tmp_path, store=store, clock=clock, snapshotters=players.find) as first:
        await first.brought_up(*STACK)
    restoring = {"name": "s", "parts": ["db", "api"], "restored": ["db"]}
    left = {"version": 1, "quiesced": ["api", "db"], "restoring": restoring}
    store.put("snapshots", "p", left)
    async with scene(tmp_path, store=store, clock=clock, snapshotters=players.find) as second:
        await second.stacks.recover()
        (operation,) = second.stacks.operations.list()
        await second.ended(operation)
        assert players.steps == ["resume db", "resume api"]
        mark = second.stacks.snapshots.mark(second.project)
        assert mark is not None
        assert (mark.snapshot, list(mark.others)) == ("s", ["api"])


async def test_one_that_nobody_knows_keeps_no_other_quiesced(
    tmp_path: Path, players: Players, caplog: pytest.LogCaptureFixture
) -> None:
    store, clock = MemoryStore(), FakeClock()
    async with scene(tmp_path, store=store, clock=clock, snapshotters=players.find) as first:
        await first.brought_up(*STACK)
    left = {"version": 1, "quiesced": ["api", "db"], "restoring": None}
    store.put("snapshots", "p", left)
    players.unknown.add("db")
    async with scene(tmp_path, store=store, clock=clock, snapshotters=players.find) as second:
        await second.stacks.recover()
        (operation,) = second.stacks.operations.list()
        await second.ended(operation)
        assert players.steps == ["resume api"]
        assert second.outcomes(operation) == {"db": "failed", "api": "resumed"}
        assert str(operation.error) == 'cannot resume "db": no plugin brings its type'
        assert "Cannot resume db: no plugin brings its type" in caplog.text
    assert store.record("snapshots", "p") == {**left, "quiesced": ["db"]}
    # With the plugin back it goes on.
    players.unknown.clear()
    players.steps.clear()
    async with scene(tmp_path, store=store, clock=clock, snapshotters=players.find) as third:
        await third.stacks.recover()
        (operation,) = third.stacks.operations.list()
        await third.ended(operation)
        assert (operation.state, players.steps) == (OperationState.DONE, ["resume db"])
    assert store.records("snapshots") == {}


async def test_one_of_which_nobody_knows_whether_it_runs_is_quiesced_still(
    tmp_path: Path, players: Players
) -> None:
    store, clock = MemoryStore(), FakeClock()
    async with scene(tmp_path, store=store, clock=clock, snapshotters=players.find) as first:
        await first.brought_up(*STACK)
    left = {"version": 1, "quiesced": ["api", "db"], "restoring": None}
    store.put("snapshots", "p", left)
    async with scene(tmp_path, store=store, clock=clock, snapshotters=players.find) as second:
        second.executor.recover_error = HarnessError("cannot reach the machine")
        await second.stacks.recover()
        (operation,) = second.stacks.operations.list()
        await second.ended(operation)
        assert "cannot reach the machine" in str(operation.error)
    assert store.record("snapshots", "p") == {**left, "quiesced": ["db", "api"]}


async def test_what_could_not_be_resumed_is_resumed_with_the_next_work(
    play: Scene, players: Players
) -> None:
    await play.brought_up(*STACK)
    players.failing.add("resume db")
    await created(play)
    left = play.store.record("snapshots", "p")
    assert left is not None
    assert left["quiesced"] == ["db"]
    players.failing.clear()
    assert (await created(play, "t")).state is OperationState.DONE
    assert play.store.records("snapshots") == {}


class _FullStore(MemoryStore):
    """Cannot forget that services are quiesced."""

    def delete(self, collection: str, key: str) -> None:
        if collection == "snapshots":
            raise StoreFull("the disk is full")
        super().delete(collection, key)


async def test_a_full_disk_keeps_nobody_quiesced(
    tmp_path: Path, players: Players, caplog: pytest.LogCaptureFixture
) -> None:
    async with scene(tmp_path, store=_FullStore(), snapshotters=players.find) as play:
        await play.brought_up(*STACK)
        operation = await created(play)
        assert operation.state is OperationState.DONE
        assert players.steps[-2:] == ["resume db", "resume api"]
        assert "Cannot store that services were resumed" in caplog.text


async def test_a_snapshot_that_is_removed_by_half_is_not_there(
    play: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await play.brought_up(*STACK)
    await created(play)

    def refuse(path: Any, ignore_errors: bool = False) -> None:
        if not ignore_errors:
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(shutil, "rmtree", refuse)
    with pytest.raises(SnapshotError, match="cannot remove the snapshot"):
        await play.stacks.snapshots.remove(play.project, "s")
    assert await play.stacks.snapshots.list(play.project) == []


class Gate:
    """Holds a call of the store, which is in a thread, until the test opens it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, verb: str) -> None:
        self.entered = anyio.Event()
        self._opened = anyio.Event()
        held = getattr(SnapshotStore, verb)

        def hold(store: SnapshotStore, *given: Any) -> Any:
            from_thread.run(self._wait)
            return held(store, *given)

        monkeypatch.setattr(SnapshotStore, verb, hold)

    async def _wait(self) -> None:
        self.entered.set()
        with anyio.fail_after(10):
            await self._opened.wait()

    @asynccontextmanager
    async def holding(self, call: Callable[[], Coroutine[Any, Any, object]]) -> AsyncIterator[None]:
        """Be within the call while the context is open; it has ended when that is left."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(call)
            with anyio.fail_after(10):
                await self.entered.wait()
            try:
                yield
            finally:
                self._opened.set()


async def test_a_removal_under_way_has_the_snapshots_for_itself(
    play: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await play.brought_up(*STACK)
    await created(play)
    snapshots = play.stacks.snapshots
    gate = Gate(monkeypatch, "remove")
    async with gate.holding(lambda: snapshots.remove(play.project, "s")):
        with pytest.raises(OperationConflict, match="one is being removed"):
            snapshots.create(play.project, "t")
        with pytest.raises(OperationConflict):
            await snapshots.restore(play.project, "s")
        with pytest.raises(OperationConflict):
            await snapshots.remove(play.project, "s")
    assert (await created(play)).state is OperationState.DONE


async def test_a_snapshot_is_not_removed_while_a_restore_reads_it(
    play: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await play.brought_up(*STACK)
    await created(play)
    gate = Gate(monkeypatch, "read")
    async with gate.holding(lambda: play.stacks.snapshots.restore(play.project, "s")):
        with pytest.raises(OperationConflict, match="one is being read"):
            await play.stacks.snapshots.remove(play.project, "s")


async def test_a_snapshot_that_goes_while_all_are_listed_is_left_out(
    play: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await play.brought_up(*STACK)
    await created(play, "s")
    await created(play, "t")
    read = SnapshotStore.read

    def read_late(store: SnapshotStore, name: str) -> Snapshot:
        if name == "s":
            store.remove(name)
        return read(store, name)

    monkeypatch.setattr(SnapshotStore, "read", read_late)
    assert [one.name for one in await play.stacks.snapshots.list(play.project)] == ["t"]


async def test_a_snapshot_without_its_manifest_is_damaged_and_no_unknown_one(play: Scene) -> None:
    await play.brought_up(*STACK)
    await created(play)
    (play.project.context.directory / "snapshots" / "s" / "snapshot.json").unlink()
    with pytest.raises(SnapshotError, match=r'cannot read snapshot "s": .*No such file'):
        await play.stacks.snapshots.list(play.project)
    await play.stacks.snapshots.remove(play.project, "s")


async def test_what_an_earlier_daemon_was_making_is_removed_beside_the_loop(
    tmp_path: Path, players: Players, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, clock = MemoryStore(), FakeClock()
    async with scene(tmp_path, store=store, clock=clock, snapshotters=players.find) as first:
        await first.brought_up(*STACK)
    gate = Gate(monkeypatch, "remove_half")
    async with scene(tmp_path, store=store, clock=clock, snapshotters=players.find) as second:
        async with gate.holding(second.stacks.recover):
            with pytest.raises(OperationConflict):
                second.stacks.snapshots.create(second.project, "s")
        assert (await created(second)).state is OperationState.DONE


async def test_snapshots_are_private(play: Scene) -> None:
    await play.brought_up(*STACK)
    await created(play)
    root = play.project.context.directory / "snapshots"
    found = [root, *(path for path in root.rglob("*") if path.is_dir())]
    assert {path.stat().st_mode & 0o777 for path in found} == {0o700}
