"""Workflows: each run is an operation, and is remembered after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.daemon.dispatcher import Handler
from harness.errors import InvalidParameters

from .services import operation_ref

if TYPE_CHECKING:
    from harness.daemon.session import Call
    from harness.daemon.wiring import Wiring
    from harness.model import StackSpec
    from harness.protocol import (
        ListWorkflowsParams,
        OperationRef,
        PlanWorkflowParams,
        RunWorkflowParams,
        WorkflowInfo,
        WorkflowParams,
        WorkflowRunParams,
        WorkflowRunsParams,
    )
    from harness.workflows import Workflows

__all__ = ["handlers"]


def handlers(wiring: Wiring) -> dict[str, Handler]:
    """Return the handlers of `workflows.*`."""
    noun = _Workflows(wiring)
    return {
        "workflows.list": noun.list_,
        "workflows.info": noun.info,
        "workflows.plan": noun.plan,
        "workflows.run": noun.run,
        "workflows.runs": noun.runs,
        "workflows.trace": noun.trace,
    }


class _Workflows:
    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._made: Workflows | None = None

    @property
    def _workflows(self) -> Workflows:
        """What runs them, made when it is first asked for."""
        if self._made is None:
            from harness.workflows import Workflows

            wiring = self._wiring
            self._made = Workflows(
                stacks=wiring.stacks,
                store=wiring.store,
                bus=wiring.bus,
                clock=wiring.clock,
                actions=wiring.extensions.actions,
                kinds=wiring.extensions.step_kinds,
                brought=wiring.extensions.workflows,
            )
        return self._made

    async def list_(self, params: ListWorkflowsParams, _: Call) -> list[dict[str, Any]]:
        stack = await self._stack(params)
        return [
            {
                "name": name,
                "description": found.document.get("description"),
                "parameters": list(found.document.get("parameters") or ()),
                "origin": "stack" if name in stack.workflows else "plugin",
            }
            for name, found in (await self._workflows.documents(stack)).items()
        ]

    async def info(self, params: WorkflowParams, _: Call) -> WorkflowInfo:
        from harness.protocol import WorkflowInfo
        from harness.workflows import parameters_schema

        stack = await self._stack(params)
        found = await self._workflows.read(stack, params.workflow, params.document)
        known = await self._workflows.documents(stack)
        document = params.document or known[params.workflow].document
        return WorkflowInfo(
            name=found.name,
            description=found.description,
            parameters=parameters_schema(found),
            timeout_s=found.timeout_s,
            steps=tuple(document.get("steps", ())),
            finally_steps=tuple(document.get("finally") or ()),
        )

    async def plan(self, params: PlanWorkflowParams, _: Call) -> dict[str, Any]:
        stack = await self._stack(params)
        workflow = await self._workflows.read(stack, params.workflow, params.document)
        planned = await self._workflows.plan(stack, workflow, params.parameters)
        return {"workflow": workflow.name, **planned}

    async def run(self, params: RunWorkflowParams, _: Call) -> OperationRef:
        stack = await self._stack(params)
        workflow = await self._workflows.read(stack, params.workflow, params.document)
        if params.source is not None:
            project = await self._wiring.stacks.apply(stack, params.source.env)
        else:
            project = self._wiring.stacks.project(stack.name)
        return operation_ref(self._workflows.begin(project, workflow, params.parameters))

    async def runs(self, params: WorkflowRunsParams, _: Call) -> list[dict[str, Any]]:
        project = self._wiring.stacks.project(params.project)
        return self._workflows.traces.runs(project.name, params.workflow)

    async def trace(self, params: WorkflowRunParams, _: Call) -> dict[str, Any]:
        return self._workflows.traces.run(params.run)

    async def _stack(self, params: ListWorkflowsParams) -> StackSpec:
        if (params.project is None) == (params.source is None):
            raise InvalidParameters("cannot find workflows: give one of project and source")
        if params.source is not None:
            return await self._wiring.reader.read(params.source)
        return self._wiring.stacks.project(params.project or "").spec
