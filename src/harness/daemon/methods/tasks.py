"""Tasks: units that are to complete once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.daemon.dispatcher import Handler
from harness.daemon.json_values import json_value
from harness.errors import ServiceNotFound
from harness.executors import TypedOptions
from harness.model import UnitKind
from harness.protocol import Empty, OperationRef

from .services import operation_ref

if TYPE_CHECKING:
    from harness.daemon.session import Call
    from harness.daemon.wiring import Wiring
    from harness.protocol import (
        ProjectParams,
        ResetTasksParams,
        RunTasksParams,
        TaskInfo,
        TaskParams,
    )

__all__ = ["handlers"]


def handlers(wiring: Wiring) -> dict[str, Handler]:
    """Return the handlers of `tasks.*`."""
    stacks = wiring.stacks

    async def list_(params: ProjectParams, _: Call) -> list[dict[str, Any]]:
        project = stacks.project(params.project)
        return [
            {**json_value(status), "input_hash": project.task(status.name).record.completed}
            for status in project.tasks()
        ]

    async def info(params: TaskParams, _: Call) -> TaskInfo:
        from harness.protocol import TaskInfo

        options = stacks.project(params.project).task(params.task).spec.options
        if not isinstance(options, TypedOptions):
            raise ServiceNotFound(
                f'cannot describe "{params.task}": it has a command in place of a task_type',
                hint=f"`harness inspect {params.task}` shows it",
            )
        of = await wiring.extensions.task_type(options.task_type, params.task)
        declared = of.declared()
        return TaskInfo(
            name=params.task,
            task_type=of.name,
            summary=declared.summary,
            description=declared.description,
            parameters=declared.parameters_schema(),
            result=declared.result_schema(),
            events=declared.event_schemas(),
        )

    async def run(params: RunTasksParams, _: Call) -> OperationRef:
        spec = await wiring.reader.read(params.source)
        return operation_ref(
            stacks.run_tasks(spec, params.source.env, tasks=params.tasks, force=params.force)
        )

    async def reset(params: ResetTasksParams, _: Call) -> Empty:
        project = stacks.project(params.project)
        for name in params.tasks:
            if name in project.units and project.units[name].kind is UnitKind.SERVICE:
                raise ServiceNotFound(f'cannot reset "{name}": it is a service, not a task')
        project.reset(params.tasks)
        return Empty()

    return {"tasks.list": list_, "tasks.info": info, "tasks.run": run, "tasks.reset": reset}
