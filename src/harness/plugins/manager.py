"""Finds plugins and asks each what it brings; a broken one is reported and costs nothing else.

Plugins are modules, or objects in them: those that installed distributions name as entry points of
the group `harness.plugins`, those named in HARNESS_PLUGINS, separated by commas, for one's own in
the making, and those that a daemon is started with.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pluggy

from harness.actions import ActionSet, ActionTypes, ServiceType, TaskType
from harness.config import ExtraTypes
from harness.executors import Executor, option_types
from harness.health import HealthCheck
from harness.model import WorkflowDocument
from harness.workflows import BUILT_IN_STEPS, WorkflowStep

from . import hookspecs
from .contracts import checked_executor, checked_health_check, checked_step
from .markers import PROJECT
from .transitions import Observer, checked_observer

__all__ = ["GROUP", "VARIABLE", "PluginReport", "Plugins"]

logger = logging.getLogger(__name__)

GROUP = "harness.plugins"
VARIABLE = "HARNESS_PLUGINS"
GIVEN = "this daemon"


@dataclass(slots=True, kw_only=True)
class PluginReport:
    """One plugin that was found.

    Attributes:
        name: of its entry point, or of its module.
        source: where it comes from: `NAME VERSION` of a distribution, the variable's name, or that
            the daemon was started with it.
        module: what is imported, `module` or `module:attribute`.
        error: why it cannot be used, or None.
        brings: what it brings, by kind, names.
        failures: what of it failed since it was loaded → how.
    """

    name: str
    source: str
    module: str
    error: str | None = None
    brings: dict[str, list[str]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


class Plugins:
    """All plugins of this Python, loaded once.

    Attributes:
        reports: one for each that was found, in the order they were loaded.
        executors: what they bring, by name.
        health_checks: the same.
        observers: what is called with every transition, each with the report of its plugin.
    """

    def __init__(self) -> None:
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self.reports: list[PluginReport] = []
        self._services: dict[str, type[ServiceType]] = {}
        self._tasks: dict[str, type[TaskType]] = {}
        self._daemon: list[type[ActionSet]] = []
        self.executors: dict[str, type[Executor]] = {}
        self.health_checks: dict[str, type[HealthCheck]] = {}
        self.observers: list[tuple[PluginReport, Observer]] = []
        self.step_kinds: dict[str, type[WorkflowStep]] = {}
        self.workflows: dict[str, WorkflowDocument] = {}

    @classmethod
    def load(cls, env: Mapping[str, str] = os.environ, *, given: Sequence[str] = ()) -> Plugins:
        """Find and load all plugins; blocks.

        Args:
            env: names more of them.
            given: those that this program is started with, `module` or `module:attribute`.
        """
        plugins = cls()
        for point in entry_points(group=GROUP):
            plugins._add(_report_of(point), point.load)
        named = filter(None, map(str.strip, env.get(VARIABLE, "").split(",")))
        sources = {**dict.fromkeys(named, VARIABLE), **dict.fromkeys(given, GIVEN)}
        installed = {report.module for report in plugins.reports}
        for name, source in sources.items():
            if name in installed:
                continue  # a domain's daemon may be a plugin of every other daemon, too
            point = EntryPoint(name, name, GROUP)
            plugins._add(PluginReport(name=name, source=source, module=name), point.load)
        return plugins

    @property
    def action_types(self) -> ActionTypes:
        """The service types and daemon actions that plugins bring."""
        return ActionTypes(services=self._services, daemon=self._daemon)

    @property
    def task_types(self) -> Mapping[str, type[TaskType]]:
        """The classes that do tasks, by the name that stack files give as `task_type`."""
        return self._tasks

    @property
    def option_types(self) -> ExtraTypes:
        """What a stack file may say of executors and health checks that plugins bring."""
        return ExtraTypes(
            executors={name: of.options for name, of in self.executors.items()},
            checks={name: of.options for name, of in self.health_checks.items()},
            service_types=[*self._services],
            task_types=[*self._tasks],
            broken=[report.name for report in self.reports if report.error],
        )

    def _add(self, report: PluginReport, load: Callable[[], object]) -> None:
        self.reports.append(report)
        try:
            self._take(report, load())
        except (
            Exception,
            SystemExit,
        ) as error:  # whatever somebody else's code does when it is loaded
            # A command says what concerns it; the daemon logs it all.
            logger.info("Cannot use plugin %s of %s", report.name, report.source, exc_info=True)
            report.error = f"{type(error).__name__}: {error}"

    def _take(self, report: PluginReport, module: object) -> None:
        """Ask one plugin what it brings; nothing of it counts when a part is wrong."""
        self._manager.register(module, name=report.name)
        self._manager.check_pending()
        services = self._types(module, "service_type", self._services)
        tasks = self._types(module, "task_type", self._tasks)
        daemon = list(self._of(module, "harness_daemon_actions"))
        actions = [name for of in daemon for name in of.declared()]
        known = {name for of in self._daemon for name in of.declared()}
        for name in actions:
            if name in known or actions.count(name) > 1:
                raise ValueError(f'the action "{name}" is there already')
        executors: dict[str, type[Executor]] = {}
        for kind in self._of(module, "harness_executors"):
            taken = {*option_types(), *self.executors, *executors}
            executors[checked_executor(kind, taken)] = kind
        checks: dict[str, type[HealthCheck]] = {}
        for check in self._of(module, "harness_health_checks"):
            checks[checked_health_check(check, {*self.health_checks, *checks})] = check
        observers = list(self._of(module, "harness_transitions"))
        observer_names = [checked_observer(observer) for observer in observers]
        steps, workflows = self._workflow_parts(module)
        self._services |= services
        self._tasks |= tasks
        self._daemon += daemon
        self.observers += [(report, observer) for observer in observers]
        self.executors |= executors
        self.health_checks |= checks
        self.step_kinds |= steps
        self.workflows |= workflows
        brings = {
            "service_types": list(services),
            "task_types": list(tasks),
            "daemon_actions": actions,
            "executors": list(executors),
            "health_checks": list(checks),
            "observers": observer_names,
            "workflow_steps": list(steps),
            "workflows": list(workflows),
        }
        report.brings = {kind: names for kind, names in brings.items() if names}

    def _types(self, module: object, what: str, known: Mapping[str, Any]) -> dict[str, Any]:
        """Return the classes of one kind that a plugin brings, by their names."""
        found: dict[str, Any] = {}
        for of in self._of(module, f"harness_{what}s"):
            of.declared()
            if of.name in known or of.name in found:
                raise ValueError(f'the {what} "{of.name}" is there already')
            found[of.name] = of
        return found

    def _workflow_parts(
        self, module: object
    ) -> tuple[dict[str, type[WorkflowStep]], dict[str, WorkflowDocument]]:
        """Return the kinds of steps and the workflows that a plugin brings, by name."""
        steps: dict[str, type[WorkflowStep]] = {}
        for kind in self._of(module, "harness_workflow_steps"):
            taken = {*BUILT_IN_STEPS, *self.step_kinds, *steps}
            steps[checked_step(kind, taken)] = kind
        workflows: dict[str, WorkflowDocument] = {}
        for built in self._of(module, "harness_workflows"):
            if built.name in self.workflows or built.name in workflows:
                raise ValueError(f'the workflow "{built.name}" is there already')
            document = WorkflowDocument(name=built.name, document=built.document())
            workflows[built.name] = document
        return steps, workflows

    def _of(self, module: object, hook: str) -> Iterable[Any]:
        others = [plugin for plugin in self._manager.get_plugins() if plugin is not module]
        results = self._manager.subset_hook_caller(hook, others)()
        return (item for result in results for item in result)


def _report_of(point: EntryPoint) -> PluginReport:
    of = point.dist
    source = f"{of.name} {of.version}" if of is not None else "unknown"
    return PluginReport(name=point.name, source=source, module=point.value)
