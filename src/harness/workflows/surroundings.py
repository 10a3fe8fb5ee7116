"""What a project looks like to an expression, and what names of the stack file stand for."""

from __future__ import annotations

import re
from typing import Any

from harness.config import Hole, resolve_text
from harness.model import UnitKind, Workflow
from harness.supervisor import Project, ProjectLookup, Unit, forms, printed_secrets

__all__ = ["ProjectSurroundings"]

_SECRET = re.compile(r"\bsecrets\.([A-Za-z][A-Za-z0-9_-]*)")


class ProjectSurroundings:
    """Looks at a project at the moment of the question; secrets that are used are remembered.

    What is remembered is masked in all that is told of the project.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._lookup = ProjectLookup(project.context, self._peer)

    async def read_secrets(self, workflow: Workflow) -> None:
        """Run the commands of the secrets that a workflow names.

        Raises:
            UnresolvedReference: some failed; it says which, and why.
        """
        context = self._project.context
        names = set(_SECRET.findall(str(workflow)))
        printed = await printed_secrets(context, names, self._lookup)
        self._lookup = ProjectLookup(context, self._peer, printed=printed)

    def _peer(self, name: str) -> Unit | None:
        return self._project.units.get(name)

    def root(self, name: str) -> Any:
        """Return units by name: for `services` all of them, for `tasks` the tasks."""
        return {
            unit.name: _seen(unit)
            for unit in self._project.units.values()
            if name == "services" or unit.kind is UnitKind.TASK
        }

    def text(self, hole: Hole) -> Any:
        """Return what a name of the stack file's own language stands for."""
        secrets: set[str] = set()
        value = resolve_text(hole.text, self._lookup, secrets=secrets)
        self._project.context.secrets |= forms(secrets)
        return value


def _seen(unit: Unit) -> dict[str, Any]:
    endpoints = {
        name: {"host": endpoint.host, "port": endpoint.port, "url": endpoint.url}
        for name, endpoint in unit.endpoints().items()
    }
    first = next(iter(endpoints.values()), {"host": None, "port": None, "url": None})
    record = unit.record
    return {
        "state": unit.state.value,
        "health": unit.health.value,
        "ready": unit.is_ready or (unit.kind is UnitKind.TASK and unit.is_completed),
        "completed": unit.is_completed,
        "pid": record.handle.pid if record.handle else None,
        "restarts": record.restarts,
        "exit_code": record.exit.as_shell() if record.exit else None,
        "outputs": dict(record.outputs),
        "endpoints": endpoints,
        **first,
    }
