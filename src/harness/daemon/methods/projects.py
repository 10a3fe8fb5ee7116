"""Loaded projects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.config import discover
from harness.daemon.dispatcher import Handler
from harness.protocol import NoParams, ProjectName, ProjectSummary, ResolveParams

if TYPE_CHECKING:
    from harness.daemon.session import Call
    from harness.daemon.wiring import Wiring

__all__ = ["handlers"]


def handlers(wiring: Wiring) -> dict[str, Handler]:
    """Return the handlers of `projects.*`."""
    stacks = wiring.stacks

    async def list_(_: NoParams, __: Call) -> list[ProjectSummary]:
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

    async def resolve(params: ResolveParams, _: Call) -> ProjectName:
        if params.project is not None:
            known = [project.name for project in stacks.projects()]
            return ProjectName(name=params.project if params.project in known else None)
        found = stacks.find(params.files or discover(params.directory))
        return ProjectName(name=found.name if found else None)

    return {"projects.list": list_, "projects.resolve": resolve}
