"""Workflows of a stack, and their runs."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .connection import Connection

if TYPE_CHECKING:
    from .results import (
        OperationRef,
        WorkflowInfo,
        WorkflowPlan,
        WorkflowRun,
        WorkflowRunTrace,
        WorkflowSummary,
    )

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
    ) -> builtins.list[WorkflowSummary]:
        """Return {name, description, parameters, origin} of every workflow."""
        result: builtins.list[WorkflowSummary] = await self._connection.call(
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
    ) -> WorkflowInfo:
        """Return all about a workflow, with the JSON Schema of its parameters."""
        result: WorkflowInfo = await self._call(
            "info", workflow=workflow, document=document, project=project, source=source
        )
        return result

    async def plan(
        self,
        *,
        workflow: str,
        document: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Any] | None = None,
        project: str | None = None,
        source: Mapping[str, Any] | None = None,
    ) -> WorkflowPlan:
        """Return what a run would do: {parameters, steps, problems}; nothing is changed."""
        result: WorkflowPlan = await self._call(
            "plan",
            workflow=workflow,
            document=document,
            project=project,
            source=source,
            parameters=parameters or {},
        )
        return result

    async def run(
        self,
        *,
        workflow: str,
        document: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Any] | None = None,
        project: str | None = None,
        source: Mapping[str, Any] | None = None,
    ) -> OperationRef:
        """Begin a run; return {id, project, after}. It is an operation: wait for it, cancel it.

        Raises:
            WorkflowNotFound, ConfigError, InvalidParameters: nothing was begun.
        """
        result: OperationRef = await self._call(
            "run",
            workflow=workflow,
            document=document,
            project=project,
            source=source,
            parameters=parameters or {},
        )
        return result

    async def runs(
        self, *, project: str, workflow: str | None = None
    ) -> builtins.list[WorkflowRun]:
        """Return the runs that are remembered, the oldest first."""
        result: builtins.list[WorkflowRun] = await self._connection.call(
            "workflows.runs", {"project": project, "workflow": workflow}
        )
        return result

    async def trace(self, *, run: str) -> WorkflowRunTrace:
        """Return a run with the records of its steps, as `trace`.

        Raises:
            WorkflowNotFound: it is unknown, or forgotten.
        """
        result: WorkflowRunTrace = await self._connection.call("workflows.trace", {"run": run})
        return result

    async def _call(self, verb: str, **params: Any) -> Any:
        return await self._connection.call(f"workflows.{verb}", params)
