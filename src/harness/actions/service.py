"""A service as its type sees it: where it is, how it is, and what can be run beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.commands import Command, Completed, collect
from harness.errors import ActionError, NotSupported, UnknownService
from harness.logs import LineReader
from harness.model import Endpoint, ServiceSpec, ServiceState, UnitKind
from harness.supervisor import Project

__all__ = ["Service", "service_of", "services_of"]


class Service:
    """One service of a project; what it tells is what is so now.

    Args:
        project: where it is.
        name: of the service.
    """

    def __init__(self, project: Project, name: str) -> None:
        self._project = project
        self.name = name

    @property
    def project(self) -> str:
        """The project's name."""
        return self._project.name

    def is_of(self, project: Project) -> bool:
        """Tell whether it is a service of this very project."""
        return self._project is project

    @property
    def state(self) -> ServiceState:
        """What its process is doing."""
        return self._project.unit(self.name).state

    @property
    def is_ready(self) -> bool:
        """It runs, and its checks say that it can be used."""
        return self._project.unit(self.name).is_ready

    @property
    def directory(self) -> Path:
        """Absolute directory of the stack file, where relative paths start."""
        return Path(self._project.unit(self.name).spec.base_dir)

    @property
    def data_dir(self) -> Path:
        """Absolute directory for what belongs to it, `${SERVICE.data_dir}` in stack files.

        It outlives runs of the service and of the daemon, and goes with the project.
        """
        return self._project.unit(self.name).directories.data()

    @property
    def labels(self) -> Mapping[str, str]:
        """What the stack file says under `labels`."""
        return self._project.unit(self.name).spec.labels

    @property
    def env(self) -> Mapping[str, str]:
        """What it inherits from who brought it up, and what the stack file says; with secrets."""
        return self._project.env(self.name, reveal=True)

    @property
    def endpoints(self) -> Mapping[str, Endpoint]:
        """Where it can be reached, by the names of its ports."""
        return self._project.unit(self.name).endpoints()

    def url(self, name: str | None = None) -> str:
        """Return the URL of an endpoint; of the only one, or of the first, when none is named.

        Raises:
            ActionError: it has no such endpoint.
        """
        endpoints = self.endpoints
        endpoint = next(iter(endpoints.values()), None) if name is None else endpoints.get(name)
        if endpoint is None:
            wanted = "no ports" if name is None else f'no port "{name}"'
            raise ActionError(
                f'cannot reach "{self.name}": it has {wanted}',
                hint=f"ports: {', '.join(endpoints)}" if endpoints else "give it ports",
            )
        return endpoint.url

    def peer(self, name: str) -> Service:
        """Return another service of the same stack.

        Raises:
            UnknownService: there is none of that name.
        """
        return service_of(self._project, name)

    def peers(self, service_type: str) -> list[Service]:
        """Return the services of the same stack that are of a type, in the stack file's order."""
        return services_of(self._project, service_type)

    def outputs(self, task: str) -> Mapping[str, Any]:
        """Return what a task of the same stack has left; nothing while it has not completed.

        Raises:
            UnknownTask: there is none of that name.
        """
        return self._project.task(task).record.outputs

    def last_lines(self, count: int = 20) -> list[str]:
        """Return the last lines that it has printed in its present run, oldest first.

        None where its output is not kept here. Blocks for a short read.
        """
        unit = self._project.unit(self.name)
        return unit.log.last_lines(count, since=unit.record.log_offsets)

    async def follow_lines(self, *, whole_run: bool = False) -> LineReader:
        """Return an async iterator of (stream, line without its newline) over what it prints.

        Args:
            whole_run: begin with what it has printed in its present run; else only what comes.

        Raises:
            NotSupported: it runs elsewhere, and what it prints is not seen.
        """
        unit = self._project.unit(self.name)
        if not unit.is_started_here:
            raise NotSupported(
                service=self.name,
                executor=unit.spec.type,
                capability="logs",
                hint="whoever runs it has its output",
            )
        offsets = unit.record.log_offsets if whole_run else await unit.log.offsets()
        return unit.log.lines_since(offsets)

    async def run(
        self,
        *argv: str,
        env: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
        check: bool = True,
    ) -> Completed:
        """Run a command beside it, in its place and environment, as `harness exec` does.

        Args:
            argv: program and arguments.
            env: variables on top of the service's own.
            timeout_s: how long it may run; None: for ever.
            check: raise unless it succeeds.

        Raises:
            CommandError: it cannot be run, took too long, or ended with another status than 0.
            NotSupported: nothing can be run beside it.
            HandleLost: the service does not run.
        """
        command = Command(argv=argv, env=env or {}, inherit_env=False, timeout_s=timeout_s)
        process = await self._project.execute(self.name, command)
        return await collect(process, command, check=check)


def service_of(project: Project, name: str) -> Service:
    """Return a service of a project.

    Raises:
        UnknownService: there is none of that name.
    """
    services = [n for n, unit in project.units.items() if unit.kind is UnitKind.SERVICE]
    if name not in services:
        raise UnknownService.of(name, services)
    return Service(project, name)


def services_of(project: Project, service_type: str) -> list[Service]:
    """Return the services of a project that are of a type, in the stack file's order."""
    specs = (unit.spec for unit in project.units.values())
    return [
        Service(project, spec.name)
        for spec in specs
        if isinstance(spec, ServiceSpec) and spec.service_type == service_type
    ]
