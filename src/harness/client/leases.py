"""Leases: projects that live as long as their holder renews them."""

from __future__ import annotations

import builtins
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio

from harness.errors import (
    DaemonUnavailable,
    HarnessError,
    LeaseExpired,
    LeaseNotFound,
    OperationFailed,
)

from .beside import tasks_beside
from .connection import Connection

if TYPE_CHECKING:
    from .results import LeaseStatus

__all__ = ["HeldLease", "Leases", "own_name"]

_BEATS = 3  # renewals within its time: two of them may be lost
_AGAIN_S = 0.2
_DOWN_S = 60.0
_GRACE_S = 10.0


class HeldLease:
    """A lease that this client renews, for as long as its context is open.

    Attributes:
        id: names it.
        project: whose it is.
        ttl_s: how long it lasts without this client.
        lost: why it is not held any more; None: it is.
    """

    def __init__(self, granted: LeaseStatus) -> None:
        self.id: str = granted["id"]
        self.project: str = granted["project"]
        self.ttl_s: float = granted["ttl_s"]
        self.lost: HarnessError | None = None
        self.is_ending = False


class Leases:
    """Methods `leases.*`.

    A lease is {id, project, owner, ttl_s, left_s, granted_at, renewed_at}; a `lease` that is None
    means whichever the project has.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list(self) -> builtins.list[LeaseStatus]:
        """Return the leases of all projects."""
        result: builtins.list[LeaseStatus] = await self._connection.call("leases.list")
        return result

    async def set(self, *, project: str, ttl_s: float, owner: str) -> LeaseStatus:
        """Give a project a lease, in place of the one it has; return it."""
        params = {"project": project, "ttl_s": ttl_s, "owner": owner}
        result: LeaseStatus = await self._connection.call("leases.set", params)
        return result

    async def renew(self, *, project: str, lease: str | None = None) -> LeaseStatus:
        """Give a lease its whole time anew; return it.

        Raises:
            LeaseExpired: it has ended: it expired, was released, or somebody took it over.
            LeaseNotFound: there never was one.
        """
        params = {"project": project, "lease": lease}
        result: LeaseStatus = await self._connection.call("leases.renew", params)
        return result

    async def release(self, *, project: str, lease: str | None = None) -> None:
        """End a lease; the project lives on.

        Raises:
            LeaseExpired: it has ended before.
            LeaseNotFound: there never was one.
        """
        await self._connection.call("leases.release", {"project": project, "lease": lease})

    @asynccontextmanager
    async def hold(
        self,
        project: str,
        *,
        ttl_s: float = 30.0,
        owner: str | None = None,
        keep: bool = False,
    ) -> AsyncIterator[HeldLease]:
        """Keep a project alive while the context is open; take it down at the end.

        Where this program is killed the daemon takes the project down `ttl_s` seconds later. With a
        client that reconnects, a daemon that ends meanwhile changes nothing.

        Args:
            project: which; it is up, or being brought up.
            ttl_s: how long it outlives this program.
            owner: who holds it, for people; None: this program, its pid and machine.
            keep: at the end the lease is released, and the project goes on.

        Raises:
            LeaseExpired: within the context, which is cancelled: the lease was lost.
            DaemonUnavailable: the same, because the daemon cannot be reached any more.
        """
        owner = owner or own_name(os.path.basename(sys.argv[0]) or "python")
        granted = await self.set(project=project, ttl_s=ttl_s, owner=owner)
        held = HeldLease(granted)
        async with tasks_beside() as group:
            with anyio.CancelScope() as body:
                group.start_soon(self._beat, held, body)
                try:
                    yield held
                finally:
                    # Renewed still: a long way down must not be begun a second time.
                    held.is_ending = True
                    if held.lost is None:
                        with anyio.CancelScope(shield=True):
                            await self._give_up(held, keep=keep)
        if held.lost is not None:
            raise held.lost

    async def keep_alive(self, *, project: str, ttl_s: float, lease: str | None = None) -> None:
        """Renew a lease until cancelled.

        Raises:
            LeaseExpired, LeaseNotFound: there is nothing to renew any more.
            DaemonUnavailable: the daemon could not be reached for so long that it has ended.
        """
        seen_at, pause_s = anyio.current_time(), ttl_s / _BEATS
        while True:
            await anyio.sleep(pause_s)
            try:
                await self.renew(project=project, lease=lease)
            except (LeaseExpired, LeaseNotFound):
                raise
            except HarnessError:
                is_over = anyio.current_time() - seen_at > ttl_s
                if is_over or (self._connection.is_closed and not self._connection.lasts):
                    raise
                pause_s = min(_AGAIN_S, ttl_s / _BEATS)
            else:
                seen_at, pause_s = anyio.current_time(), ttl_s / _BEATS

    async def _beat(self, held: HeldLease, body: anyio.CancelScope) -> None:
        try:
            await self.keep_alive(project=held.project, ttl_s=held.ttl_s, lease=held.id)
        except HarnessError as error:
            if not held.is_ending:
                held.lost = error
                body.cancel()

    async def _give_up(self, held: HeldLease, *, keep: bool) -> None:
        """Release the lease, or take the project down; where nobody answers it expires."""
        try:
            if keep:
                await self.release(project=held.project, lease=held.id)
                return
            # Whoever took it over meanwhile wants the project.
            await self.renew(project=held.project, lease=held.id)
            params = {"project": held.project, "volumes": True}
            operation = await self._connection.call("services.down", params)
            limit = {"id": operation["id"], "timeout_s": _DOWN_S}
            ended = await self._connection.call(
                "operations.wait", limit, timeout_s=_DOWN_S + _GRACE_S
            )
        except (DaemonUnavailable, LeaseExpired, LeaseNotFound):
            return
        if ended["error"] is not None:
            error = ended["error"]
            raise OperationFailed(error["message"], hint=error["hint"], details=error["details"])


def own_name(program: str) -> str:
    """Return how people know a program of this process: its name, pid and machine."""
    return f"{program} pid {os.getpid()} on {socket.gethostname()}"
