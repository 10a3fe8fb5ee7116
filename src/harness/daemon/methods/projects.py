"""Loaded projects."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from anyio import to_thread

from harness.access import Role
from harness.config import FILE_NAMES, declared_name, discover, search_path
from harness.daemon.dispatcher import Handler
from harness.errors import Forbidden

if TYPE_CHECKING:
    from harness.access import Principal
    from harness.daemon.session import Call
    from harness.daemon.wiring import Wiring
    from harness.protocol import NoParams, ProjectName, ProjectSummary, ResolveParams
    from harness.supervisor import Project

__all__ = ["handlers"]


def handlers(wiring: Wiring) -> dict[str, Handler]:
    """Return the handlers of `projects.*`."""
    stacks = wiring.stacks

    async def list_(_: NoParams, __: Call) -> list[ProjectSummary]:
        from harness.protocol import ProjectSummary

        summaries = []
        for project in stacks.projects():
            states = [status.state for status in project.statuses()]
            summaries.append(
                ProjectSummary(
                    name=project.name,
                    files=tuple(project.spec.files),
                    units=len(states),
                    running=states.count("running"),
                )
            )
        return summaries

    async def resolve(params: ResolveParams, call: Call) -> ProjectName:
        from harness.protocol import ProjectName

        loaded = [project.name for project in stacks.projects()]
        if params.project is not None:
            return ProjectName(name=params.project if params.project in loaded else None)
        _permit_files(call.session.principal)
        files = params.files or await to_thread.run_sync(discover, params.directory)
        # Where a stack file is there, or was named, the user means it and no other.
        found = stacks.of_files(files) if files else await _left(params.directory)
        same = [project.name for project in found]
        name = await to_thread.run_sync(declared_name, files)
        if name is None and len(same) == 1:
            # The files are gone or cannot be read, and only one project can be meant.
            name = same[0]
        return ProjectName(
            name=name if name in loaded else None,
            others=tuple(other for other in same if other != name),
        )

    async def _left(directory: str) -> list[Project]:
        """Return projects whose stack file was found from a directory, and is not there now."""
        for place in search_path(directory):
            usual = {os.path.join(place, file_name) for file_name in FILE_NAMES}
            found = [p for p in stacks.projects() if p.spec.files[0] in usual]
            if found:
                files = {p.spec.files[0] for p in found}
                there = await to_thread.run_sync(_existing, files)
                return [p for p in found if p.spec.files[0] not in there]
        return []

    return {"projects.list": list_, "projects.resolve": resolve}


def _permit_files(principal: Principal) -> None:
    """Return when a caller may have files opened whose paths it says.

    Raises:
        Forbidden: it may not.
    """
    if not principal.role.includes(Role.ADMIN):
        raise Forbidden(
            "cannot look at files of the daemon's machine: that needs an admin",
            hint="name the project (-p)",
            details={"role": principal.role.value, "needed": Role.ADMIN.value},
        )


def _existing(files: set[str]) -> set[str]:
    return {file for file in files if os.path.isfile(file)}
