"""Units whose executor no plugin brings any more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from harness.executors import AbsentExecutor, Executor, StartRequest
from harness.executors.fake import FakeExecutor
from harness.model import Handle
from harness.storage import MemoryStore
from harness.supervisor.adoption import absence
from tests.fakes.clock import FakeClock
from tests.unit.supervisor.scene import scene, service

CAUSE = 'no plugin brings the executor "other"'


class Other(FakeExecutor):
    """What a plugin brings."""

    name = "other"

    async def start(self, request: StartRequest) -> Handle:
        return replace(await super().start(request), executor=self.name)


def brought(clock: FakeClock) -> Mapping[str, Executor]:
    return {"other": Other(clock=clock)}


def missing(_: FakeClock) -> Mapping[str, Executor]:
    return {"other": AbsentExecutor("other")}


async def test_a_unit_without_its_executor_is_left_as_it_is_until_that_is_back(
    tmp_path: Path,
) -> None:
    store, clock = MemoryStore(), FakeClock()
    async with scene(tmp_path, store=store, clock=clock, extra=brought) as first:
        await first.brought_up(service("a", type="other"), service("b"))
        handle = first.project.unit("a").record.handle
    async with scene(tmp_path, store=store, clock=clock, extra=missing) as second:
        await second.stacks.recover()
        assert (second.states(), second.reason("a")) == ({"a": "unknown", "b": "running"}, CAUSE)
    async with scene(tmp_path, store=store, clock=clock, extra=brought) as third:
        await third.stacks.recover()
        assert third.states() == {"a": "running", "b": "running"}
        found = third.project.unit("a").record.handle
        assert found is not None
        assert handle is not None
        assert found.data == handle.data


async def test_to_look_whether_an_executor_is_there_changes_nothing(tmp_path: Path) -> None:
    async with scene(tmp_path, extra=missing) as play:
        await play.stacks.apply(play.stack(service("a", type="other"), service("b")), {})
        units = play.project.units
        before = units["a"].record.reason
        assert (absence(units["a"]), absence(units["b"])) == (CAUSE, None)
        assert units["a"].record.reason == before
