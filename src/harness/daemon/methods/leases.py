"""Leases of projects."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from harness.daemon.dispatcher import Handler
from harness.errors import LeaseNotFound
from harness.protocol import Empty
from harness.supervisor import Lease, Leases, LeaseTerms

if TYPE_CHECKING:
    from harness.daemon.session import Call
    from harness.daemon.wiring import Wiring
    from harness.protocol import LeaseParams, NoParams, SetLeaseParams

__all__ = ["handlers", "lease_of"]


def handlers(wiring: Wiring) -> dict[str, Handler]:
    """Return the handlers of `leases.*`."""
    stacks, leases = wiring.stacks, wiring.stacks.leases

    async def list_(_: NoParams, __: Call) -> list[dict[str, Any]]:
        return [_view(leases, lease) for lease in leases.list()]

    async def set_(params: SetLeaseParams, _: Call) -> dict[str, Any]:
        project = stacks.project(params.project)
        terms = LeaseTerms(ttl_s=params.ttl_s, owner=params.owner)
        return _view(leases, leases.grant(project.name, terms))

    async def renew(params: LeaseParams, _: Call) -> dict[str, Any]:
        with _known(params):
            return _view(leases, leases.renew(params.project, params.lease))

    async def release(params: LeaseParams, _: Call) -> Empty:
        with _known(params):
            leases.release(params.project, params.lease)
        return Empty()

    @contextmanager
    def _known(params: LeaseParams) -> Iterator[None]:
        """Tell a project that is not there as such; who knows a lease is told about the lease."""
        try:
            yield
        except LeaseNotFound:
            if params.lease is None:
                stacks.project(params.project)
            raise

    return {
        "leases.list": list_,
        "leases.set": set_,
        "leases.renew": renew,
        "leases.release": release,
    }


def lease_of(leases: Leases, project: str) -> dict[str, Any] | None:
    """Return what there is to show of a project's lease; None: it has none."""
    lease = leases.of(project)
    return None if lease is None else _view(leases, lease)


def _view(leases: Leases, lease: Lease) -> dict[str, Any]:
    return {
        "id": lease.id,
        "project": lease.project,
        "owner": lease.owner,
        "ttl_s": lease.ttl_s,
        "left_s": round(leases.left_s(lease), 3),
        "granted_at": lease.granted_at,
        "renewed_at": lease.renewed_at,
    }
