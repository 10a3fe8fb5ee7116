"""A task as its type sees it: what it belongs to, and the services beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.executors import StartRequest
from harness.supervisor import Project

from .service import Service, service_of, services_of

__all__ = ["Task"]


class Task:
    """One run of one task.

    Args:
        project: where it is.
        request: what is to be run.
    """

    def __init__(self, project: Project, request: StartRequest) -> None:
        self._project = project
        self._request = request

    @property
    def name(self) -> str:
        """What the stack file calls it."""
        return self._request.unit

    @property
    def project(self) -> str:
        """The project's name."""
        return self._request.project

    @property
    def directory(self) -> Path:
        """Absolute directory of the stack file, where relative paths start."""
        return self._request.base_dir

    @property
    def env(self) -> Mapping[str, str]:
        """The environment that its commands get."""
        return self._request.env

    @property
    def labels(self) -> Mapping[str, str]:
        """What the stack file says under `labels`."""
        return self._project.unit(self.name).spec.labels

    @property
    def data_dir(self) -> Path:
        """Absolute directory for what belongs to it, `${TASK.data_dir}` in stack files.

        It outlives its runs and those of the daemon, and goes with the project.
        """
        return self._project.unit(self.name).directories.data()

    def service(self, name: str) -> Service:
        """Return a service of the same stack.

        Raises:
            UnknownService: there is none of that name.
        """
        return service_of(self._project, name)

    def peers(self, service_type: str) -> list[Service]:
        """Return the services of the same stack that are of a type, in the stack file's order."""
        return services_of(self._project, service_type)
