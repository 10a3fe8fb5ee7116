"""What a type's author writes of setup, snapshots and tasks, as the supervisor asks for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import anyio
import pytest

from harness.actions import ActionEvent, Call, Service, ServiceType, TaskRun, TaskType
from harness.actions.setting_up import ServiceSetup
from harness.actions.snapshotting import ServiceSnapshots
from harness.errors import ActionError, ActionFailed, ActionTimeout
from harness.executors import Completion, StartRequest, TypedOptions
from harness.model import UnitKind
from harness.supervisor import Project

SHOP = cast("Project", SimpleNamespace(name="shop"))  # nothing else of it is looked at


@dataclass(frozen=True)
class Painted:
    """A wall has its colour."""

    wall: int


@dataclass(frozen=True)
class Strange:
    """Nobody has declared it."""


class Room(ServiceType):
    """Does what the test says."""

    name = "room"
    setup_events = (Painted,)
    snapshot_events = (Painted,)
    quiesce_timeout_s = 0.01
    act: Callable[[Call], Awaitable[None]]

    async def set_up(self, call: Call) -> None:
        await self.act(call)

    async def quiesce(self, call: Call) -> None:
        await self.act(call)

    async def snapshot(self, call: Call, directory: Path) -> None:
        await self.act(call)

    async def restore(self, call: Call, directory: Path) -> None:
        await self.act(call)


async def paint(call: Call) -> None:
    await call.emit(Painted(wall=1))


async def be_strange(call: Call) -> None:
    await call.emit(Strange())


async def break_down(_: Call) -> None:
    raise KeyError("brush")


async def refuse(_: Call) -> None:
    raise ActionError("cannot paint: no colour")


async def dawdle(_: Call) -> None:
    await anyio.sleep_forever()


@pytest.fixture
def room() -> Room:
    return Room(Service(SHOP, "hall"))


async def test_setting_up_tells_what_it_has_declared(room: Room) -> None:
    told: list[tuple[str, Any]] = []

    async def send(event: ActionEvent) -> None:
        told.append((event.name, event.data))

    room.act = paint
    await ServiceSetup(room, send).set_up()
    assert told == [("painted", {"wall": 1})]
    room.act = be_strange
    with pytest.raises(TypeError, match="Strange is not among the events of set-up"):
        await ServiceSetup(room, send).set_up()


async def test_a_snapshot_tells_what_it_has_declared_and_by_which_method(
    room: Room, tmp_path: Path
) -> None:
    told: list[tuple[str, str]] = []

    async def send(verb: str, event: ActionEvent) -> None:
        told.append((verb, event.name))

    room.act = paint
    part = ServiceSnapshots(room, send)
    await part.snapshot(tmp_path)
    await part.restore(tmp_path)
    assert told == [("snapshot", "painted"), ("restore", "painted")]
    assert part.has_state


async def test_what_goes_wrong_in_a_snapshot_names_method_and_service(
    room: Room, tmp_path: Path
) -> None:
    async def send(_: str, __: ActionEvent) -> None:
        """Take no note of it."""

    part = ServiceSnapshots(room, send)
    room.act = break_down
    with pytest.raises(ActionFailed, match="snapshot of hall: KeyError: 'brush'"):
        await part.snapshot(tmp_path)
    room.act = refuse
    with pytest.raises(ActionError, match="no colour"):
        await part.restore(tmp_path)
    room.act = dawdle
    with pytest.raises(ActionTimeout, match=r"quiesce of hall: it took longer than 0\.01 s"):
        await part.quiesce()


class Wall(TaskType):
    """Paint a wall."""

    name = "wall"
    answer: Any = True

    async def execute(self) -> None:
        """Paint it."""

    async def is_completed(self) -> bool:
        return self.answer  # type: ignore[no-any-return] # as an author may


@pytest.mark.parametrize("is_done", [True, False])
async def test_a_class_is_asked_whether_its_task_is_done(
    tmp_path: Path, is_done: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Wall, "answer", is_done)
    found = await _run(tmp_path).completion()
    assert found == Completion(is_done=is_done, outputs={} if is_done else None)


async def test_an_answer_that_is_neither_yes_nor_no_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Wall, "answer", None)
    with pytest.raises(ActionFailed, match="its result does not fit"):
        await _run(tmp_path).completion()


def _run(directory: Path) -> TaskRun:
    async def send(_: ActionEvent) -> None:
        """Take no note of it."""

    request = StartRequest(
        project="shop",
        unit="north",
        kind=UnitKind.TASK,
        generation=1,
        token="t",
        run_dir=directory,
        log_dir=directory,
        base_dir=directory,
        options=TypedOptions(task_type="wall"),
    )
    return TaskRun(Wall, SHOP, request, send)
