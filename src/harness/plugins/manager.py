"""Finds plugins and asks each what it brings; a broken one is reported and costs nothing else.

Plugins are modules: those that installed distributions name as entry points of the group
`harness.plugins`, and those named in HARNESS_PLUGINS, separated by commas, for one's own in the
making.
"""

from __future__ import annotations

import importlib
import logging
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any

import pluggy

from harness.actions import ActionSet, ActionTypes, ServiceType, TaskType

from . import hookspecs
from .hookspecs import PROJECT

__all__ = ["GROUP", "VARIABLE", "PluginReport", "Plugins"]

logger = logging.getLogger(__name__)

GROUP = "harness.plugins"
VARIABLE = "HARNESS_PLUGINS"


@dataclass(slots=True, kw_only=True)
class PluginReport:
    """One plugin that was found.

    Attributes:
        name: of its entry point, or of its module.
        source: where it comes from: `NAME VERSION` of a distribution, or the variable's name.
        module: what is imported.
        error: why it cannot be used, or None.
        brings: what it brings, by kind, names.
    """

    name: str
    source: str
    module: str
    error: str | None = None
    brings: dict[str, list[str]] = field(default_factory=dict)


class Plugins:
    """All plugins of this Python, loaded once."""

    def __init__(self) -> None:
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self.reports: list[PluginReport] = []
        self._services: dict[str, type[ServiceType]] = {}
        self._tasks: dict[str, type[TaskType]] = {}
        self._daemon: list[type[ActionSet]] = []

    @classmethod
    def load(cls, env: Mapping[str, str] = os.environ) -> Plugins:
        """Find and load all plugins.

        Args:
            env: names more of them.
        """
        plugins = cls()
        for point in entry_points(group=GROUP):
            plugins._add(_report_of(point), point.load)
        for module in filter(None, map(str.strip, env.get(VARIABLE, "").split(","))):
            report = PluginReport(name=module, source=VARIABLE, module=module)
            plugins._add(report, partial(importlib.import_module, module))
        return plugins

    @property
    def action_types(self) -> ActionTypes:
        """The service types and daemon actions that plugins bring."""
        return ActionTypes(services=self._services, daemon=self._daemon)

    @property
    def task_types(self) -> Mapping[str, type[TaskType]]:
        """The classes that do tasks, by the name that stack files give as `task_type`."""
        return self._tasks

    def _add(self, report: PluginReport, load: Callable[[], ModuleType]) -> None:
        self.reports.append(report)
        try:
            self._take(report, load())
        except Exception as error:  # whatever somebody else's code does when it is loaded
            logger.exception("Cannot use plugin %s of %s", report.name, report.source)
            report.error = f"{type(error).__name__}: {error}"

    def _take(self, report: PluginReport, module: ModuleType) -> None:
        """Ask one plugin what it brings; nothing of it counts when a part is wrong."""
        plugin = self._manager.register(module, name=report.name)
        if plugin is None:
            raise ValueError("it is blocked")
        self._manager.check_pending()
        services = self._types(module, "service_type", self._services)
        tasks = self._types(module, "task_type", self._tasks)
        daemon = list(self._of(module, "harness_daemon_actions"))
        actions = [name for of in daemon for name in of.declared()]
        known = {name for of in self._daemon for name in of.declared()}
        for name in actions:
            if name in known or actions.count(name) > 1:
                raise ValueError(f'the action "{name}" is there already')
        self._services |= services
        self._tasks |= tasks
        self._daemon += daemon
        report.brings = {
            "service_types": list(services),
            "task_types": list(tasks),
            "daemon_actions": actions,
        }

    def _types(self, module: ModuleType, what: str, known: Mapping[str, Any]) -> dict[str, Any]:
        """Return the classes of one kind that a plugin brings, by their names."""
        found: dict[str, Any] = {}
        for of in self._of(module, f"harness_{what}s"):
            of.declared()
            if of.name in known or of.name in found:
                raise ValueError(f'the {what} "{of.name}" is there already')
            found[of.name] = of
        return found

    def _of(self, module: ModuleType, hook: str) -> Iterable[Any]:
        others = [plugin for plugin in self._manager.get_plugins() if plugin is not module]
        results = self._manager.subset_hook_caller(hook, others)()
        return (item for result in results for item in result)


def _report_of(point: EntryPoint) -> PluginReport:
    of = point.dist
    source = f"{of.name} {of.version}" if of is not None else "unknown"
    return PluginReport(name=point.name, source=source, module=point.value)
