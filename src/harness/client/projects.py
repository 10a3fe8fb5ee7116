"""Loaded projects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .connection import Connection

if TYPE_CHECKING:
    from .results import ProjectName, ProjectSummary

__all__ = ["Projects"]


class Projects:
    """Methods `projects.*`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list(self) -> list[ProjectSummary]:
        """Return {name, files, units, running} of every loaded project."""
        result: list[ProjectSummary] = await self._connection.call("projects.list")
        return result

    async def resolve(
        self, *, directory: str, files: Sequence[str] = (), project: str | None = None
    ) -> ProjectName:
        """Return {name, others}: the loaded project that these files mean, or None, and others.

        Args:
            directory: absolute working directory.
            files: absolute paths; empty: the usual names in `directory`, or
                above it.
            project: a name that the user gave, which wins.
        """
        params = {"directory": directory, "files": list(files), "project": project}
        result: ProjectName = await self._connection.call("projects.resolve", params)
        return result
