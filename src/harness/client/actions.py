"""Typed actions: listed, described, and run with their events."""

from __future__ import annotations

import builtins
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Self

import anyio

from harness.errors import HarnessError

from .beside import tasks_beside
from .connection import Connection

if TYPE_CHECKING:
    from .results import ActionInfo, ActionSummary

__all__ = ["ActionRun", "Actions"]


class ActionRun:
    """An action under way: an iteration over its events, that ends with it.

    Each is {name, data}, and has `detail` where it is one of many.
    """

    def __init__(self) -> None:
        self._events: deque[Mapping[str, Any]] = deque()
        self._news = anyio.Event()
        self._ended = anyio.Event()
        self._result: Any = None
        self._error: HarnessError | None = None

    def offer(self, _: str, params: Mapping[str, Any], __: int) -> None:
        """Take an event; called by the connection."""
        self._events.append({key: value for key, value in params.items() if key != "id"})
        self._news.set()

    def fail(self, reason: HarnessError) -> None:
        """End with an error; called by the connection when it ends."""
        self.end(error=reason)

    def end(self, *, result: Any = None, error: HarnessError | None = None) -> None:
        """End it; only the first end counts."""
        if not self._ended.is_set():
            self._result, self._error = result, error
            self._ended.set()
            self._news.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Mapping[str, Any]:
        """Return the next event."""
        while not self._events:
            if self._ended.is_set():
                raise StopAsyncIteration
            self._news = anyio.Event()
            await self._news.wait()
        return self._events.popleft()

    async def result(self) -> Any:
        """Wait for the end; return what it returned, JSON values.

        Raises:
            HarnessError: why it failed.
        """
        await self._ended.wait()
        if self._error is not None:
            raise self._error
        return self._result


class Actions:
    """Methods `actions.*`; `service` None means the daemon's own actions."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._runs = 0

    async def list(
        self, *, project: str | None = None, service: str | None = None
    ) -> builtins.list[ActionSummary]:
        """Return {name, service, service_type, summary} of every action."""
        params = {"project": project, "service": service}
        result: builtins.list[ActionSummary] = await self._connection.call("actions.list", params)
        return result

    async def info(
        self, *, action: str, project: str | None = None, service: str | None = None
    ) -> ActionInfo:
        """Return all about an action, with the JSON Schemas of what goes in and out."""
        params = {"action": action, "project": project, "service": service}
        result: ActionInfo = await self._connection.call("actions.info", params)
        return result

    async def run(
        self,
        *,
        action: str,
        project: str | None = None,
        service: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        on_event: Callable[[Mapping[str, Any]], None] | None = None,
        timeout_s: float | None = None,
    ) -> Any:
        """Run an action to its end; return its result, JSON values. Cancelling this cancels it.

        Args:
            action: its name.
            project: where the service is.
            service: whose action it is.
            parameters: by name.
            on_event: called with each event {name, data}, and `detail` where it is one.
            timeout_s: how long it may take; None: as it is declared.

        Raises:
            HarnessError: why it failed.
        """
        params = _params(action, project, service, parameters, timeout_s)
        if on_event is None:
            return await self._call({**params, "run": self._name()})
        async with self._running(params) as run:
            async for event in run:
                on_event(event)
            return await run.result()

    @asynccontextmanager
    async def start(
        self,
        *,
        action: str,
        project: str | None = None,
        service: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        timeout_s: float | None = None,
    ) -> AsyncIterator[ActionRun]:
        """Run an action while the context is open; leaving it early cancels the action."""
        params = _params(action, project, service, parameters, timeout_s)
        async with self._running(params) as run:
            yield run

    @asynccontextmanager
    async def _running(self, params: Mapping[str, Any]) -> AsyncIterator[ActionRun]:
        run, name = ActionRun(), self._name()

        async def see_through() -> None:
            try:
                run.end(result=await self._call({**params, "run": name, "events": True}))
            except HarnessError as error:
                run.end(error=error)

        with self._connection.listening(name, run):
            async with tasks_beside() as group:
                group.start_soon(see_through)
                yield run

    async def _call(self, params: Mapping[str, Any]) -> Any:
        try:
            answer = await self._connection.call("actions.run", params, timeout_s=None)
        except anyio.get_cancelled_exc_class():
            with anyio.move_on_after(1, shield=True):
                await self._give_up(str(params["run"]))
            raise
        return answer["result"]

    async def _give_up(self, name: str) -> None:
        try:
            await self._connection.notify("actions.cancel", {"run": name})
        except HarnessError:
            return  # with the connection the run has ended, too

    def _name(self) -> str:
        self._runs += 1
        return f"run-{self._runs}"


def _params(
    action: str,
    project: str | None,
    service: str | None,
    parameters: Mapping[str, Any] | None,
    timeout_s: float | None,
) -> dict[str, Any]:
    return {
        "action": action,
        "project": project,
        "service": service,
        "parameters": parameters or {},
        "timeout_s": timeout_s,
    }
