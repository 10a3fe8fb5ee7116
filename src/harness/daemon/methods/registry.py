"""Who is where, over all projects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.daemon.dispatcher import Handler
from harness.model import ServiceSpec
from harness.supervisor import Project, UnitStatus

if TYPE_CHECKING:
    from harness.daemon.session import Call
    from harness.daemon.wiring import Wiring
    from harness.protocol import ListRegistryParams

__all__ = ["handlers"]


def handlers(wiring: Wiring) -> dict[str, Handler]:
    """Return the handlers of `registry.*`."""
    stacks = wiring.stacks

    async def list_(params: ListRegistryParams, _: Call) -> list[dict[str, Any]]:
        name = params.project
        projects = stacks.projects() if name is None else [stacks.project(name)]
        entries = [_entry(project, status) for project in projects for status in project.statuses()]
        return [entry for entry in entries if _has_label(entry["labels"], params.label)]

    return {"registry.list": list_}


def _entry(project: Project, status: UnitStatus) -> dict[str, Any]:
    unit = project.unit(status.name)
    return {
        "project": project.name,
        "name": status.name,
        "kind": status.kind,
        "type": status.type,
        "version": unit.spec.version if isinstance(unit.spec, ServiceSpec) else None,
        "state": status.state,
        "health": status.health,
        "endpoints": status.endpoints,
        "node": status.node,
        "labels": dict(unit.spec.labels),
        "since": unit.record.since,
    }


def _has_label(labels: dict[str, str], wanted: str | None) -> bool:
    """Tell whether labels hold `NAME`, or `NAME=VALUE`."""
    if wanted is None:
        return True
    name, separator, value = wanted.partition("=")
    return name in labels and (not separator or labels[name] == value)
