"""What is left, when somebody comes back for it in the moment between the look and the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import anyio.lowlevel
import pytest

from harness.commands import ProcessRef, Stray
from harness.daemon import leftovers
from harness.daemon.leftovers import LeftoverKind, Leftovers
from harness.storage import SqliteStore
from harness.supervisor import Stacks


class NoStacks:
    """A daemon without projects."""

    def projects(self) -> list[Any]:
        return []

    def orphans(self) -> list[str]:
        return []


def _stray(state_dir: Path, unit: str, pid: int) -> Stray:
    return Stray(
        marker=f"HARNESS_UNIT=shop/{unit}/1",
        unit_dir=state_dir / "projects" / "shop" / "units" / unit,
        processes=(ProcessRef(pid, 1),),
        command="sleep 1000",
    )


async def test_processes_of_a_daemon_that_has_come_meanwhile_are_not_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    with SqliteStore(other):
        pass
    come: list[SqliteStore] = []
    ended: list[Stray] = []

    async def find() -> list[Stray]:
        await anyio.lowlevel.checkpoint()
        return [_stray(other, "first", 1), _stray(other, "second", 2)]

    async def end(stray: Stray) -> None:
        await anyio.lowlevel.checkpoint()
        ended.append(stray)
        come.append(SqliteStore(other))

    monkeypatch.setattr(leftovers, "find_strays", find)
    monkeypatch.setattr(leftovers, "_end", end)
    found = Leftovers(stacks=cast("Stacks", NoStacks()), directory=tmp_path / "own")
    first, second = await found.remove()
    for store in come:
        store.close()
    assert [stray.processes[0].pid for stray in ended] == [1]
    assert (first.kind, first.removed, first.error) == (LeftoverKind.PROCESSES, True, None)
    assert not second.removed
    assert "a daemon has come meanwhile" in str(second.error)
