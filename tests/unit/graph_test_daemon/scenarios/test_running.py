"""Who is cancelled while a daemon runs a scenario cancels it there, whenever that is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

import anyio
import pytest
from anyio import lowlevel

from graph_test_daemon.scenarios import Scenario
from harness.client import Client
from harness.errors import DaemonUnavailable


class Daemon:
    """Begins a run when `answer` is set, and never ends it by itself."""

    def __init__(self, *, gone_at: str | None = None) -> None:
        self.workflows = self.operations = self  # both nouns have few methods
        self.calls: list[str] = []
        self.begins, self.answer, self.waits = anyio.Event(), anyio.Event(), anyio.Event()
        self._gone_at = gone_at

    async def run(self, **_: Any) -> dict[str, Any]:
        self.begins.set()
        await self.answer.wait()
        return {"id": "op-1"}

    async def cancel(self, *, id: str) -> None:  # noqa: A002 - as on the wire
        await self._call(f"cancel {id}")

    async def wait(self, *, id: str) -> dict[str, Any]:  # noqa: A002 - as on the wire
        self.waits.set()
        if not self.calls:
            await anyio.sleep_forever()
        await self._call(f"wait {id}")
        return {"state": "cancelled"}

    async def _call(self, text: str) -> None:
        await lowlevel.checkpoint()
        self.calls.append(text)
        if self._gone_at is not None and text.startswith(self._gone_at):
            raise DaemonUnavailable("it is gone")


async def cancelled(daemon: Daemon, when: Callable[[anyio.CancelScope], Awaitable[None]]) -> bool:
    """Run a scenario, cancel it, and return whether that is how it ended."""
    scope = anyio.CancelScope()

    async def work() -> None:
        with scope:
            await Scenario().mine().arun(cast("Client", daemon), project="p")

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(work)
            await when(scope)
    return scope.cancelled_caught


async def test_it_is_cancelled_there_also_before_its_id_is_known() -> None:
    daemon = Daemon()

    async def while_it_begins(scope: anyio.CancelScope) -> None:
        await daemon.begins.wait()
        scope.cancel()
        await anyio.wait_all_tasks_blocked()
        daemon.answer.set()

    assert await cancelled(daemon, while_it_begins)
    assert daemon.calls == ["cancel op-1", "wait op-1"]


async def test_it_does_not_wait_for_ever_for_the_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graph_test_daemon.scenarios.running._BEGIN_WITHIN_S", 0.01)
    daemon = Daemon()

    async def while_it_begins(scope: anyio.CancelScope) -> None:
        await daemon.begins.wait()
        scope.cancel()

    assert await cancelled(daemon, while_it_begins)
    with pytest.raises(DaemonUnavailable, match=r"no answer came within 0\.01 s"):
        await Scenario().mine().arun(cast("Client", daemon), project="p")


@pytest.mark.parametrize("gone_at", ["cancel", "wait"])
async def test_a_daemon_that_is_gone_does_not_replace_the_cancellation(gone_at: str) -> None:
    daemon = Daemon(gone_at=gone_at)
    daemon.answer.set()

    async def while_it_runs(scope: anyio.CancelScope) -> None:
        await daemon.waits.wait()
        scope.cancel()

    assert await cancelled(daemon, while_it_runs)
    assert daemon.calls[-1] == f"{gone_at} op-1"
