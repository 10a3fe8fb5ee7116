"""Commands run beside a unit, attached to this client."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from .connection import Connection
from .subscription import WINDOW_BYTES, Items, Subscription

__all__ = ["Exec", "RemoteProcess"]


class RemoteProcess:
    """A running command; iterate over it for its output.

    Attributes:
        id: the daemon's name of it.
        exit_code: exit status once the iteration has ended, or None.
        exit_signal: number of the signal that ended it, or None.
    """

    def __init__(self, connection: Connection, subscription: Subscription) -> None:
        self._connection = connection
        self._subscription = subscription
        self.id = subscription.id
        self.exit_code: int | None = None
        self.exit_signal: int | None = None

    def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        """Iterate over {stream, data}, data being bytes; at its end the exit status is set."""
        return Items(self._subscription, self._item)

    def _item(self, method: str, params: Mapping[str, Any]) -> dict[str, Any] | None:
        if method == "exec.exit":
            self.exit_code, self.exit_signal = params["code"], params["signal"]
            return None
        return {"stream": params["stream"], "data": base64.b64decode(params["data"])}

    async def write(self, data: bytes) -> None:
        """Write to the command's input; return once it is taken, however long it reads none."""
        text = base64.b64encode(data).decode("ascii")
        params = {"id": self.id, "data": text}
        await self._connection.call("exec.write", params, timeout_s=None)

    async def close_stdin(self) -> None:
        """End the command's input."""
        await self._connection.call("exec.close_stdin", {"id": self.id})

    async def signal(self, signal: str) -> None:
        """Send a signal, named such as SIGINT."""
        await self._connection.call("exec.signal", {"id": self.id, "signal": signal})

    async def resize(self, *, columns: int, rows: int) -> None:
        """Change the size of its terminal."""
        window = {"columns": columns, "rows": rows}
        await self._connection.call("exec.resize", {"id": self.id, "terminal": window})


class Exec:
    """Methods `exec.*`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @asynccontextmanager
    async def run(
        self,
        *,
        project: str,
        unit: str,
        argv: Sequence[str],
        env: Mapping[str, str] | None = None,
        working_dir: str | None = None,
        stdin: bool = False,
        terminal: Mapping[str, int] | None = None,
    ) -> AsyncIterator[RemoteProcess]:
        """Run a command beside a unit; it is ended with the context if it still runs.

        Args:
            project: name.
            unit: name; the command gets its place and environment.
            argv: program and arguments; no shell.
            env: on top of the unit's environment.
            working_dir: None: the unit's.
            stdin: input will be written; otherwise it is empty.
            terminal: {columns, rows} of a terminal to run it on; all output is then of stdout.
        """
        params: dict[str, Any] = {
            "project": project,
            "unit": unit,
            "argv": list(argv),
            "env": dict(env or {}),
            "working_dir": working_dir,
            "stdin": stdin,
        }
        if terminal is not None:
            params["terminal"] = dict(terminal)
        async with self._connection.subscribe(
            "exec.run", params, window=WINDOW_BYTES
        ) as subscription:
            yield RemoteProcess(self._connection, subscription)
