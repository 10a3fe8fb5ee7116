"""Workflows of a stack, and their runs."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import Any

from .connection import Connection

__all__ = ["Workflows"]


class Workflows:
    """Methods `workflows.*`.

    Give `project`, a loaded one, or `source`, what `make_source` returns. With `document`, as
    `harness.workflows.Workflow.document` returns it, the workflow is that one, and not one that the
    stack or a plugin has under its name.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list(
        self, *, project: str | None = None, source: Mapping[str, Any] | None = None
    ) -> builtins.list[dict[str, Any]]:
        """Return {name, description, parameters, origin} of every workflow."""
        result: builtins.list[dict[str, Any]] = await self._connection.call(
            "workflows.list", {"project": project, "source": source}
        )
        return result

    async def info(
        self,
        *,
        workflow: str,
        document: Mapping[str, Any] | None = None,
        project: str | None = None,
        source: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return all about a workflow, with the JSON Schema of its parameters."""
        return await self._call(
            "info", workflow=workflow, document=document, project=project, source=source
        )

    async def plan(
        self,
        *,
        workflow: str,
        document: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Any] | None = None,
        project: str | None = None,
        source: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return what a run would do: {parameters, steps, problems}; nothing is changed."""
        return await self._call(
            "plan",
            workflow=workflow,
            document=document,
            project=project,
            source=source,
            parameters=parameters or {},
        )

    async def run(
        self,
        *,
        workflow: str,
        document: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Any] | None = None,
        project: str | None = None,
        source: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Begin a run; return {id, project, after}. It is an operation: wait for it, cancel it.

        Raises:
            WorkflowNotFound, ConfigError, InvalidParameters: nothing was begun.
        """
        return await self._call(
            "run",
            workflow=workflow,
            document=document,
            project=project,
            source=source,
            parameters=parameters or {},
        )

    async def runs(
        self, *, project: str, workflow: str | None = None
    ) -> builtins.list[dict[str, Any]]:
        """Return the runs that are remembered, the oldest first."""
        result: builtins.list[dict[str, Any]] = await self._connection.call(
            "workflows.runs", {"project": project, "workflow": workflow}
        )
        return result

    async def trace(self, *, run: str) -> dict[str, Any]:
        """Return a run with the records of its steps, as `trace`.

        Raises:
            WorkflowNotFound: it is unknown, or forgotten.
        """
        result: dict[str, Any] = await self._connection.call("workflows.trace", {"run": run})
        return result

    async def _call(self, verb: str, **params: Any) -> dict[str, Any]:
        result: dict[str, Any] = await self._connection.call(f"workflows.{verb}", params)
        return result
