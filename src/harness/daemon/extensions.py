"""What plugins bring to a running daemon; nothing of it is loaded before somebody needs it."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import anyio
from anyio import to_thread

from harness.clock import Clock
from harness.config import ExtraTypes, StackCodec
from harness.errors import UnknownServiceType, UnknownTaskType
from harness.executors import (
    ExecutorSet,
    StartRequest,
    TypedOptions,
    builtin_executors,
    option_types,
)
from harness.model import CustomCheck, EventKind, ServiceSpec, StackSpec

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from harness.actions import ActionEvent, Catalogue, TaskRun, TaskType
    from harness.health import HealthCheck
    from harness.model import WorkflowDocument
    from harness.plugins import Plugins
    from harness.supervisor import Project, Setup, Snapshotter, Unit
    from harness.workflows import StepKinds

__all__ = ["Extensions"]

logger = logging.getLogger(__name__)


class Extensions:
    """Loads plugins once, and knows what they bring; an async context manager.

    Args:
        project: returns a project by its name.
        clock: for built-in executors.
        given: plugins that this daemon is started with.

    Attributes:
        executors: built-in ones, and those of plugins once these are loaded.
        health_checks: those of plugins, once these are loaded.
        codec: reads and writes stacks with all of them.
    """

    def __init__(
        self, project: Callable[[str], Project], *, clock: Clock, given: Sequence[str] = ()
    ) -> None:
        self._project = project
        self._given = given
        self.executors = ExecutorSet(builtin_executors(clock=clock))
        self.health_checks: dict[str, HealthCheck] = {}
        self._option_types = dict(option_types())
        self._check_types: dict[str, type] = {}
        self.codec = StackCodec(self._option_types, self._check_types)
        self._plugins: Plugins | None = None
        self._catalogue: Catalogue | None = None
        self._loading = anyio.Lock()

    async def __aenter__(self) -> Extensions:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._catalogue is not None:
            await self._catalogue.aclose()

    async def are_there(self) -> bool:
        """Tell whether there are any plugins; none is loaded."""
        return bool(self._given or self._plugins) or await to_thread.run_sync(_are_there)

    async def plugins(self) -> Plugins:
        """Return all plugins; the first time they are loaded, in a thread."""
        async with self._loading:
            if self._plugins is None:
                self._plugins = await to_thread.run_sync(_load, self._given)
                self._take(self._plugins)
        return self._plugins

    def _take(self, plugins: Plugins) -> None:
        """Make what plugins bring; what cannot be made is reported and is not there."""
        for report in plugins.reports:
            try:
                made = [plugins.executors[name]() for name in report.brings.get("executors", ())]
                checks = [
                    plugins.health_checks[name]() for name in report.brings.get("health_checks", ())
                ]
            except (Exception, SystemExit) as error:  # whatever somebody else's code does
                logger.exception("Cannot use plugin %s of %s", report.name, report.source)
                report.error = f"{type(error).__name__}: {error}"
                report.brings = {}
                continue
            self.executors.update({executor.name: executor for executor in made})
            self._option_types.update({executor.name: executor.options for executor in made})
            self.health_checks.update({check.name: check for check in checks})
            self._check_types.update({check.name: check.options for check in checks})

    async def types(self) -> ExtraTypes:
        """Return what stack files may say of executors and checks that plugins bring."""
        broken = [report.name for report in (await self.plugins()).reports if report.error]
        return ExtraTypes(executors=self._option_types, checks=self._check_types, broken=broken)

    async def prepare_for(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Load plugins where stacks that an earlier daemon stored need them."""
        if any(self._needs_plugins(record) for record in records):
            await self.plugins()

    async def prepare_for_stack(self, stack: StackSpec) -> None:
        """Load plugins where a stack that the command has read needs them."""
        if any(
            unit.type not in self._option_types
            or (unit.health and any(isinstance(c, CustomCheck) for c in unit.health.checks))
            for unit in stack.units.values()
        ):
            await self.plugins()

    def _needs_plugins(self, record: Mapping[str, Any]) -> bool:
        units = [
            unit for part in ("stack", "leaving") for unit in record.get(part, {}).get("units", ())
        ]
        return any(
            unit["type"] not in self._option_types or _has_custom_check(unit.get("health"))
            for unit in units
        )

    async def actions(self) -> Catalogue:
        """Return the actions that there are."""
        plugins = await self.plugins()
        if self._catalogue is None:
            from harness.actions import Catalogue

            self._catalogue = Catalogue(plugins.action_types)
        return self._catalogue

    async def step_kinds(self) -> StepKinds:
        """Return the kinds of workflow steps that plugins bring."""
        return (await self.plugins()).step_kinds

    async def workflows(self) -> Mapping[str, WorkflowDocument]:
        """Return the workflows that plugins bring."""
        return (await self.plugins()).workflows

    async def check(self, stack: StackSpec) -> None:
        """Raise what a stack wants and no plugin brings.

        Raises:
            UnknownServiceType: a service's type.
            UnknownTaskType: a task's.
            InvalidTaskConfig: what a task's type does not take.
            ConfigSchemaError: a kind of workflow step, or an option of one.
        """
        await self._check_tasks(stack)
        services = [unit for unit in stack.units.values() if isinstance(unit, ServiceSpec)]
        wanted = {s.name: s.service_type for s in services if s.service_type is not None}
        known = tuple((await self.plugins()).action_types.services) if wanted else ()
        for service, name in wanted.items():
            if name not in known:
                raise UnknownServiceType(name=name, service=service, known=known)
        if any(_has_step_of_plugin(workflow.document) for workflow in stack.workflows.values()):
            from harness.config import read_workflow
            from harness.workflows import check_kinds

            for document in stack.workflows.values():
                check_kinds(read_workflow(document, stack), await self.step_kinds())

    async def setup_of(self, unit: Unit) -> Setup | None:
        """Return how a service that has a type is set up.

        Raises:
            ActionNotFound: no plugin brings its type.
        """
        project = self._project(unit.context.project)
        tell = _teller(project, unit.name, "set-up")
        return (await self.actions()).setup(project, unit.name, tell)

    async def snapshots_of(self, unit: Unit) -> Snapshotter | None:
        """Return how a service takes part in snapshots; None: it has no type, or one that cannot.

        Raises:
            ActionNotFound: no plugin brings its type.
        """
        if not isinstance(unit.spec, ServiceSpec) or unit.spec.service_type is None:
            return None
        project = self._project(unit.context.project)

        async def tell(verb: str, event: ActionEvent) -> None:
            await _teller(project, unit.name, verb)(event)

        return (await self.actions()).snapshots(project, unit.name, tell)

    async def task_type(self, name: str, task: str) -> type[TaskType]:
        """Return the class that does tasks of a type.

        Raises:
            UnknownTaskType: no plugin brings it.
        """
        known = (await self.plugins()).task_types
        if name not in known:
            raise UnknownTaskType(name=name, task=task, known=tuple(known))
        return known[name]

    async def begin_task(self, request: StartRequest) -> TaskRun:
        """Return a run of a task that is to be done by its type's class.

        Raises:
            UnknownTaskType: no plugin brings its type.
            InvalidTaskConfig: what it is given does not fit.
        """
        from harness.actions import TaskRun

        project = self._project(request.project)
        of = await self.task_type(request.options.task_type, request.unit)
        return TaskRun(of, project, request, _teller(project, request.unit, "execute"))

    async def _check_tasks(self, stack: StackSpec) -> None:
        for unit in stack.units.values():
            if isinstance(unit.options, TypedOptions):
                from harness.actions import check_task_config

                of = await self.task_type(unit.options.task_type, unit.name)
                check_task_config(of, unit.name, unit.options.config)


def _teller(project: Project, unit: str, action: str) -> Callable[[ActionEvent], Awaitable[None]]:
    """Return what publishes the events of an action that nobody has called."""

    async def tell(event: ActionEvent) -> None:
        data = {"action": action, **event.document()}
        project.context.publish(EventKind.ACTION_EVENT, unit, **data)

    return tell


def _has_custom_check(value: object) -> bool:
    """Tell whether stored health checks hold one that a plugin brings."""
    if isinstance(value, Mapping):
        return value.keys() == {"kind", "options"} or any(map(_has_custom_check, value.values()))
    return isinstance(value, list) and any(map(_has_custom_check, value))


def _has_step_of_plugin(value: object) -> bool:
    """Tell whether a part of a workflow may be a step that a plugin brings, without reading it."""
    if isinstance(value, Mapping):
        return "uses" in value or any(map(_has_step_of_plugin, value.values()))
    return isinstance(value, list) and any(map(_has_step_of_plugin, value))


def _are_there() -> bool:
    from harness.installed import names_entry_points

    # Their group and variable, as harness.plugins has them, whose import is the cost to be avoided.
    return bool(os.environ.get("HARNESS_PLUGINS")) or names_entry_points("harness.plugins")


def _load(given: Sequence[str]) -> Plugins:
    from harness.plugins import Plugins

    return Plugins.load(given=given)
