"""A store that can take nothing: supervision goes on, and what is wanted happens all the same."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.errors import StoreFull
from harness.storage import MemoryStore
from harness.supervisor import OperationState
from tests.unit.supervisor.scene import Scene, scene, service


class Disk(MemoryStore):
    """A store on a disk that is full when the test says so; each commit needs space."""

    def __init__(self) -> None:
        super().__init__()
        self.is_full = False

    def put(self, collection: str, key: str, value: Mapping[str, Any]) -> None:
        self._check()
        super().put(collection, key, value)

    @contextmanager
    def batch(self) -> Iterator[None]:
        yield
        self._check()

    def _check(self) -> None:
        if self.is_full:
            raise StoreFull("cannot write the state database: the disk is full")


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
async def play(tmp_path: Path, disk: Disk) -> AsyncIterator[Scene]:
    async with scene(tmp_path, store=disk) as running:
        yield running


async def test_a_stop_needs_no_space(play: Scene, disk: Disk) -> None:
    await play.brought_up(service("db"), service("web"))
    disk.is_full = True
    down = await play.taken_down()
    assert down.state is OperationState.DONE
    assert play.states() == {"db": "stopped", "web": "stopped"}
    assert sorted(play.executor.names("stop")) == ["db", "web"]


async def test_an_end_is_seen_and_its_next_change_is_stored(play: Scene, disk: Disk) -> None:
    spec = service("db")
    await play.brought_up(spec)
    disk.is_full = True
    await play.end("db")
    await play.settle()
    assert play.state("db") == "failed"
    disk.is_full = False
    await play.brought_up(spec)
    record = disk.record("units:p", "db")
    assert record is not None
    assert (record["state"], record["generation"]) == ("running", 2)


async def test_a_start_without_space_fails_and_says_why(play: Scene, disk: Disk) -> None:
    await play.brought_up(service("db"))
    await play.ended(play.stacks.stop(play.project, ["db"]))
    disk.is_full = True
    operation = await play.ended(play.stacks.start(play.project, ["db"]))
    assert operation.state is OperationState.FAILED
    assert "the disk is full" in play.reason("db")
    assert play.executor.names("start") == ["db"]
