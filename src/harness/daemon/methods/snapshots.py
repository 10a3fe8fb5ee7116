"""Snapshots of stacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.daemon.dispatcher import Handler
from harness.protocol import Empty, OperationRef

from .services import operation_ref

if TYPE_CHECKING:
    from harness.daemon.session import Call
    from harness.daemon.wiring import Wiring
    from harness.protocol import (
        CreateSnapshotParams,
        ProjectParams,
        RestoreSnapshotParams,
        SnapshotParams,
    )

__all__ = ["handlers"]


def handlers(wiring: Wiring) -> dict[str, Handler]:
    """Return the handlers of `snapshots.*`."""
    stacks = wiring.stacks

    async def create(params: CreateSnapshotParams, _: Call) -> OperationRef:
        project = stacks.project(params.project)
        return operation_ref(
            stacks.snapshots.create(
                project, params.name, require=params.require, timeout_s=params.timeout_s
            )
        )

    async def list_(params: ProjectParams, _: Call) -> list[dict[str, Any]]:
        return [
            {
                "name": one.name,
                "created_at": one.created_at,
                "plan": one.plan,
                "parts": one.parts,
                "left": one.left,
                "tasks": list(one.tasks),
            }
            for one in await stacks.snapshots.list(stacks.project(params.project))
        ]

    async def restore(params: RestoreSnapshotParams, _: Call) -> OperationRef:
        project = stacks.project(params.project)
        return operation_ref(
            await stacks.snapshots.restore(
                project, params.name, force=params.force, timeout_s=params.timeout_s
            )
        )

    async def remove(params: SnapshotParams, _: Call) -> Empty:
        await stacks.snapshots.remove(stacks.project(params.project), params.name)
        return Empty()

    return {
        "snapshots.create": create,
        "snapshots.list": list_,
        "snapshots.restore": restore,
        "snapshots.remove": remove,
    }
