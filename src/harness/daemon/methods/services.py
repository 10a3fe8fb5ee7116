"""Services and tasks as units."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from harness.daemon.dispatcher import Handler
from harness.daemon.json_values import json_value
from harness.errors import InvalidParameters
from harness.model import UnitKind
from harness.protocol import Empty, OperationRef
from harness.supervisor import LeaseTerms, Operation

from .leases import lease_of

if TYPE_CHECKING:
    from harness.daemon.session import Call
    from harness.daemon.wiring import Wiring
    from harness.protocol import (
        DownParams,
        EnvParams,
        ProjectParams,
        SelectionParams,
        SignalParams,
        UnitParams,
        UnitsParams,
        UpParams,
        WaitParams,
        WriteParams,
    )
    from harness.protocol import (
        LeaseTerms as _AskedLease,
    )

__all__ = ["decode_data", "handlers", "operation_ref"]


def handlers(wiring: Wiring) -> dict[str, Handler]:
    """Return the handlers of `services.*`."""
    return {**_changing(wiring), **_looking(wiring), **_reaching(wiring)}


def _changing(wiring: Wiring) -> dict[str, Handler]:
    stacks = wiring.stacks

    async def up(params: UpParams, _: Call) -> OperationRef:
        spec = await wiring.reader.read(params.source)
        operation = stacks.up(
            spec,
            params.source.env,
            units=params.units,
            force=params.force,
            keep_going=params.keep_going,
            deps=params.deps,
            timeout_s=params.timeout_s,
            lease=_terms(params.lease),
            keep_lease=params.keep_lease,
        )
        return operation_ref(operation)

    async def down(params: DownParams, _: Call) -> OperationRef:
        project = stacks.project(params.project)
        return operation_ref(
            stacks.down(project, volumes=params.volumes, timeout_s=params.timeout_s)
        )

    async def start(params: SelectionParams, _: Call) -> OperationRef:
        project = stacks.project(params.project)
        return operation_ref(stacks.start(project, params.units, timeout_s=params.timeout_s))

    async def stop(params: SelectionParams, _: Call) -> OperationRef:
        project = stacks.project(params.project)
        return operation_ref(stacks.stop(project, params.units, timeout_s=params.timeout_s))

    async def restart(params: SelectionParams, _: Call) -> OperationRef:
        project = stacks.project(params.project)
        return operation_ref(stacks.restart(project, params.units, timeout_s=params.timeout_s))

    return {
        "services.up": up,
        "services.down": down,
        "services.start": start,
        "services.stop": stop,
        "services.restart": restart,
    }


def _looking(wiring: Wiring) -> dict[str, Handler]:
    stacks = wiring.stacks

    async def status(params: ProjectParams, _: Call) -> dict[str, Any]:
        project = stacks.project(params.project)
        lease = lease_of(stacks.leases, project.name)
        mark = stacks.snapshots.mark(project)
        return {
            "project": project.name,
            "services": project.statuses(),
            "lease": lease,
            "half_restored": mark,
        }

    async def inspect(params: UnitParams, _: Call) -> dict[str, Any]:
        return stacks.project(params.project).inspect(params.unit)

    async def why(params: UnitParams, _: Call) -> dict[str, Any]:
        explanation = stacks.project(params.project).explain(params.unit)
        return {**json_value(explanation), "lease": lease_of(stacks.leases, params.project)}

    async def wait(params: WaitParams, _: Call) -> Empty:
        project = stacks.project(params.project)
        for name in params.units if params.target == "completed" else ():
            if project.unit(name).kind is UnitKind.SERVICE:
                raise InvalidParameters(
                    f'cannot wait for "{name}" to complete: it is a service, not a task',
                    hint=f"harness wait {name} --for stopped",
                )
        await project.wait_for(params.units, params.target, timeout_s=params.timeout_s)
        return Empty()

    async def env(params: EnvParams, _: Call) -> dict[str, str]:
        return stacks.project(params.project).env(params.unit, reveal=params.reveal)

    async def top(params: ProjectParams, _: Call) -> list[dict[str, Any]]:
        return await stacks.project(params.project).top()

    return {
        "services.status": status,
        "services.inspect": inspect,
        "services.why": why,
        "services.wait": wait,
        "services.env": env,
        "services.top": top,
    }


def _reaching(wiring: Wiring) -> dict[str, Handler]:
    stacks = wiring.stacks

    async def reload(params: UnitsParams, _: Call) -> Empty:
        await stacks.project(params.project).reload(params.units)
        return Empty()

    async def signal(params: SignalParams, _: Call) -> Empty:
        try:
            await stacks.project(params.project).signal(params.unit, params.signal)
        except ValueError as error:
            raise InvalidParameters(f'cannot signal "{params.unit}": {error}') from error
        return Empty()

    async def write(params: WriteParams, _: Call) -> Empty:
        data = decode_data(params.data, method="services.write")
        await stacks.project(params.project).write_stdin(params.unit, data)
        return Empty()

    return {"services.reload": reload, "services.signal": signal, "services.write": write}


def _terms(asked: _AskedLease | None) -> LeaseTerms | None:
    return None if asked is None else LeaseTerms(ttl_s=asked.ttl_s, owner=asked.owner)


def operation_ref(operation: Operation) -> OperationRef:
    """Return what a call that starts an operation answers."""
    return OperationRef(id=operation.id, project=operation.project, after=operation.after)


def decode_data(text: str, *, method: str) -> bytes:
    """Return the bytes of a base64 parameter.

    Raises:
        InvalidParameters: it is not base64.
    """
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidParameters(f"cannot call {method}: data: not base64: {error}") from error
