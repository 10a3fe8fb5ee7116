"""One run of a typed task: its parameters are checked, and its class is asked and called."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from harness.errors import InvalidTaskConfig
from harness.executors import Completion, StartRequest
from harness.supervisor import Project
from harness.validation import ValidationError, adapter, problems

from .call import ActionEvent
from .running import call_method, problems_text, with_fields
from .task import Task
from .task_call import TaskCall
from .task_type import NO_OUTPUTS, TaskType

__all__ = ["TaskRun", "check_task_config"]

_UNRESOLVED = "${"


class TaskRun:
    """One run of one task; see `harness.executors.TypedRun`.

    Args:
        of: the class that does it.
        project: where the task is.
        request: what is to be run; its options hold the parameters, references resolved.
        send: takes what it tells.

    Raises:
        InvalidTaskConfig: the parameters do not fit; every path is named.
    """

    def __init__(
        self,
        of: type[TaskType],
        project: Project,
        request: StartRequest,
        send: Callable[[ActionEvent], Awaitable[None]],
    ) -> None:
        self._declared = of.declared()
        self._arguments = _arguments(of, request)
        self._of = of(Task(project, request))
        self._request = request
        self._send = send

    async def completion(self) -> Completion | None:
        """Ask the class whether everything is done already."""
        if not self._of.writes("is_completed"):
            return None
        if not await self._call("is_completed", bool):
            return Completion(is_done=False)
        return Completion(is_done=True, outputs=await self._known_outputs())

    async def execute(self) -> Mapping[str, Any]:
        """Do it; return the outputs as JSON values."""
        arguments = dict(self._arguments)
        if self._declared.takes_call:
            arguments["call"] = TaskCall(self._declared.events, self._send, self._request)
        result = await call_method(
            self._of, self._declared, arguments, title=f'"{self._request.unit}"'
        )
        return result or {}

    async def _known_outputs(self) -> Mapping[str, Any] | None:
        if self._declared.result in NO_OUTPUTS:
            return {}
        if not self._of.writes("outputs"):
            return None
        found: Mapping[str, Any] = await self._call("outputs", self._declared.result)
        return found

    async def _call(self, method: str, result: Any) -> Any:
        declared = replace(self._declared, method=method, result=result)
        return await call_method(
            self._of, declared, self._arguments, title=f'"{self._request.unit}"'
        )


def check_task_config(of: type[TaskType], task: str, config: Mapping[str, Any]) -> None:
    """Check a task's parameters as the stack file gives them.

    What holds a reference is not looked at: it has no value yet.

    Raises:
        InvalidTaskConfig: they do not fit, whatever the references stand for.
    """
    try:
        adapter(of.declared().parameters).validate_python(dict(config))
    except ValidationError as error:
        found = [item for item in problems(error) if not _is_open(config, item["path"])]
        if found:
            raise _invalid(of, task, found) from error


def _arguments(of: type[TaskType], request: StartRequest) -> dict[str, Any]:
    declared = of.declared()
    try:
        # Leniently: what came from a reference is text.
        given = adapter(declared.parameters).validate_python(dict(request.options.config))
    except ValidationError as error:
        raise _invalid(of, request.unit, problems(error)) from error
    return with_fields(declared, given)


def _invalid(of: type[TaskType], task: str, found: list[dict[str, str]]) -> InvalidTaskConfig:
    placed = [{**item, "path": f"config.{item['path']}".rstrip(".")} for item in found]
    return InvalidTaskConfig(
        task=task, task_type=of.name, cause=problems_text(placed), problems=placed
    )


def _is_open(config: Any, path: str) -> bool:
    """Tell whether the value at a path, or one that it is in, holds a reference."""
    value = config
    for key in filter(None, path.replace("[", ".").replace("]", "").split(".")):
        if isinstance(value, Mapping) and key in value:
            value = value[key]
        elif isinstance(value, list | tuple) and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        else:
            break
    return isinstance(value, str) and _UNRESOLVED in value
