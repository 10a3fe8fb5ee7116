"""A daemon for one domain: what it brings, its stack, its command and its state, in one object.

    daemon = BaseDaemon("shop", at="shop.daemon:daemon", service_types=[Orders], stack="shop.yaml")

    if __name__ == "__main__":
        daemon.main()

It is the harness's daemon with these extensions; nothing of it is global. The process in the
background gets them by the name under which this object is found again, `at`.

Its command imports the module that this object is in before it does anything. So this file imports
next to nothing, and what a daemon brings can be given as texts, whose modules are imported when
plugins are asked what they bring.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from operator import attrgetter
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from harness.plugins import hookimpl

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    import click

    from harness.actions import ActionSet, ServiceType, TaskType
    from harness.client import Client
    from harness.executors import Executor
    from harness.health import HealthCheck
    from harness.plugins import Observer, Plugins
    from harness.protocol import Endpoint
    from harness.workflows import Workflow, WorkflowStep

__all__ = ["BaseDaemon"]

T = TypeVar("T")

_NAME = re.compile(r"[a-z][a-z0-9-]*")
_PLACE = re.compile(r"[\w.]+:[\w.]+")


class BaseDaemon:
    """A domain's daemon; make one at the top of a module of an installed package.

    Whatever it brings is given itself, or as the text `module:attribute`, which is imported when it
    is needed: a daemon that is given texts has a command that starts as fast as `harness`.

    Args:
        name: of its command, and of its state directory.
        at: where this object is, `module:name`.
        stack: its stack file, or several that are merged, relative to that module's directory.
        service_types: classes of typed actions.
        task_types: classes that do tasks.
        daemon_actions: classes of actions that belong to no service.
        executors: types of units.
        health_checks: checks that stack files name below `custom`.
        workflow_steps: classes of steps that workflows call by their names.
        workflows: that every project has.
        observers: async functions that are called with every transition of every unit.
        commands: name → `module:attribute` of command groups that its command has besides.
        plugins: further plugins that it needs, `module` or `module:attribute`.

    Raises:
        ValueError: the name or a place cannot be one.
    """

    def __init__(
        self,
        name: str,
        *,
        at: str,
        stack: str | Sequence[str] = (),
        service_types: Sequence[type[ServiceType] | str] = (),
        task_types: Sequence[type[TaskType] | str] = (),
        daemon_actions: Sequence[type[ActionSet] | str] = (),
        executors: Sequence[type[Executor] | str] = (),
        health_checks: Sequence[type[HealthCheck] | str] = (),
        workflow_steps: Sequence[type[WorkflowStep] | str] = (),
        workflows: Sequence[Workflow | str] = (),
        observers: Sequence[Observer | str] = (),
        commands: Mapping[str, str] = MappingProxyType({}),
        plugins: Sequence[str] = (),
    ) -> None:
        if not _NAME.fullmatch(name):
            raise ValueError(f'"{name}" is no name: lower case letters, digits and -')
        given = (service_types, task_types, daemon_actions, executors, health_checks)
        brought = (*given, workflow_steps, workflows, observers)
        _check_places(at, *(one for some in brought for one in some if isinstance(one, str)))
        self.name = name
        self.at = at
        self.plugins = (at, *plugins)
        self._stack = (stack,) if isinstance(stack, str) else tuple(stack)
        self._service_types = service_types
        self._task_types = task_types
        self._daemon_actions = daemon_actions
        self._executors = executors
        self._health_checks = health_checks
        self._workflow_steps = workflow_steps
        self._workflows = workflows
        self._observers = observers
        self._commands = dict(commands)

    # ── what it is about ─────────────────────────────────────────────────────────────────────────

    @property
    def stack_files(self) -> tuple[Path, ...]:
        """Absolute paths of its stack files."""
        module = self.at.partition(":")[0]
        found = find_spec(module)
        origin = Path(found.origin or "") if found is not None else Path(module)
        return tuple((origin.parent / name).absolute() for name in self._stack)

    @property
    def commands(self) -> Mapping[str, click.Command]:
        """The commands that it has beside those of harness, by name."""
        return {name: _object_at(place) for name, place in self._commands.items()}

    @property
    def state_dir(self) -> Path:
        """Where its daemon's state is, unless `NAME_STATE_DIR` names another directory."""
        from harness.protocol import state_home

        return state_home(os.environ) / self.name

    @property
    def prefix(self) -> str:
        """What the names of its environment variables begin with."""
        return self.name.upper().replace("-", "_")

    def validate(self) -> None:
        """Check all of it: what it brings, and its stack with every service and task; blocks.

        Raises:
            PlanError: it is not found where it says, or brings what cannot be used.
            ConfigError: its stack is wrong; `problems` holds all that is, with its places. Types
                and dependencies that do not exist and units that wait for one another are among it.
        """
        from harness.config import Source, read_workflow, validate
        from harness.errors import ConfigSchemaError
        from harness.executors import builtin_capabilities, option_types
        from harness.plan import check_capabilities, plan_stack
        from harness.workflows import check_kinds

        plugins = self._loaded()
        directory = str(self.stack_files[0].parent) if self._stack else os.getcwd()
        source = Source(
            directory=directory,
            files=tuple(map(str, self.stack_files)),
            env=dict(os.environ),
        )
        found = validate(source, executors=option_types(), find=lambda: plugins.option_types)
        if found.problems or found.stack is None:
            raise ConfigSchemaError(problems=found.problems)
        plan_stack(found.stack)
        able = {name: of.capabilities.names for name, of in plugins.executors.items()}
        check_capabilities(found.stack.units, {**able, **builtin_capabilities()})
        for workflow in (*found.stack.workflows.values(), *plugins.workflows.values()):
            check_kinds(read_workflow(workflow, found.stack), plugins.step_kinds)

    def _loaded(self) -> Plugins:
        """Return what it brings; raise unless the process in the background finds it, too."""
        from harness.errors import PlanError
        from harness.plugins import Plugins

        try:
            there = _object_at(self.at)
        except (ImportError, AttributeError) as error:
            raise PlanError(f"cannot use the daemon {self.name}: {error}") from error
        if there is not self:
            raise PlanError(f"cannot use the daemon {self.name}: another object is at {self.at}")
        plugins = Plugins.load(given=self.plugins)
        for report in plugins.reports:
            if report.error is not None and report.module in self.plugins:
                raise PlanError(f"cannot use {report.module}: {report.error}")
        return plugins

    # ── running it ───────────────────────────────────────────────────────────────────────────────

    def serving(self, state_dir: Path) -> AbstractAsyncContextManager[Client]:
        """Be the daemon within this program while the context is open; it gives a client.

        Its socket is in the state directory, where other clients reach it. Leaving takes every
        project down.
        """
        from harness.daemon import serving

        return serving(self.endpoint(state_dir), plugins=self.plugins)

    def endpoint(self, state_dir: Path | None = None) -> Endpoint:
        """Return where its daemon listens."""
        from harness.protocol import Endpoint

        chosen = os.environ.get(f"{self.prefix}_STATE_DIR") or self.state_dir
        return Endpoint(Path(state_dir or chosen).absolute())

    def source(self, env: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return its stack as `client.services.up` takes it.

        Args:
            env: for `${…}` and for services; None: this program's.
        """
        from harness.client import make_source

        files = [str(path) for path in self.stack_files]
        directory = str(self.stack_files[0].parent) if files else os.getcwd()
        return make_source(files=files, directory=directory, env=env)

    def main(self) -> NoReturn:
        """Be its command: `harness` bound to its state directory, extensions and stack."""
        from harness.cli import Program, main

        main(
            Program(
                name=self.name,
                prefix=self.prefix,
                plugins=self.plugins,
                files=tuple(str(path) for path in self.stack_files),
                state_dir=str(self.state_dir),
                commands=tuple(self._commands.items()),
            )
        )

    # ── the plugin that it is ────────────────────────────────────────────────────────────────────

    @hookimpl
    def harness_service_types(self) -> Sequence[type[ServiceType]]:
        """Bring its service types."""
        return _found(self._service_types)

    @hookimpl
    def harness_task_types(self) -> Sequence[type[TaskType]]:
        """Bring its task types."""
        return _found(self._task_types)

    @hookimpl
    def harness_daemon_actions(self) -> Sequence[type[ActionSet]]:
        """Bring its own actions."""
        return _found(self._daemon_actions)

    @hookimpl
    def harness_executors(self) -> Sequence[type[Executor]]:
        """Bring its types of units."""
        return _found(self._executors)

    @hookimpl
    def harness_health_checks(self) -> Sequence[type[HealthCheck]]:
        """Bring its health checks."""
        return _found(self._health_checks)

    @hookimpl
    def harness_workflow_steps(self) -> Sequence[type[WorkflowStep]]:
        """Bring its steps of workflows."""
        return _found(self._workflow_steps)

    @hookimpl
    def harness_workflows(self) -> Sequence[Workflow]:
        """Bring its workflows."""
        return _found(self._workflows)

    @hookimpl
    def harness_transitions(self) -> Sequence[Observer]:
        """Bring its observers."""
        return _found(self._observers)


def _check_places(*texts: str) -> None:
    for text in texts:
        if not _PLACE.fullmatch(text):
            raise ValueError(f'"{text}" is no place of an object: write module:name')


def _object_at(place: str) -> Any:
    """Return what is at `module:attribute`; raise what importing raises, or AttributeError."""
    module, _, attribute = place.partition(":")
    return attrgetter(attribute)(import_module(module))


def _found(brought: Iterable[T | str]) -> list[T]:
    """Return what is brought, in its order, with everything that a text names in its place.

    Raises:
        PlanError: there is nothing at a place.
    """
    found: list[T] = []
    for one in brought:
        if not isinstance(one, str):
            found.append(one)
            continue
        try:
            found.append(_object_at(one))
        except (ImportError, AttributeError) as error:
            from harness.errors import PlanError

            raise PlanError(f"cannot import {one}: {error}") from error
    return found
