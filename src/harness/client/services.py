"""Services and tasks as units."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from .connection import Connection

if TYPE_CHECKING:
    from .results import Explanation, OperationRef, ServicesStatus, UnitDetails, UnitUsage

__all__ = ["Services"]

_GRACE_S = 10.0
"""On top of a wait's own timeout, for the daemon's answer that it is over."""


class Services:
    """Methods `services.*`.

    `source` is what `make_source` returns; `units` empty means all units. Calls that start an
    operation return {id, project, after}.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def up(
        self,
        *,
        source: Mapping[str, Any],
        units: Sequence[str] = (),
        force: bool = False,
        keep_going: bool = False,
        deps: bool = True,
        timeout_s: float | None = None,
        lease: Mapping[str, Any] | None = None,
        keep_lease: bool = True,
    ) -> OperationRef:
        """Start bringing units up, with what they depend on unless `deps` is False.

        `lease` is {ttl_s, owner}: the project is taken down so long after its last renewal. Without
        one it keeps the lease that it has, or with `keep_lease` False none.
        """
        result: OperationRef = await self._call(
            "up",
            source=source,
            units=list(units),
            force=force,
            keep_going=keep_going,
            deps=deps,
            timeout_s=timeout_s,
            lease=lease,
            keep_lease=keep_lease,
        )
        return result

    async def down(
        self, *, project: str, volumes: bool = False, timeout_s: float | None = None
    ) -> OperationRef:
        """Start taking a whole project down."""
        result: OperationRef = await self._call(
            "down", project=project, volumes=volumes, timeout_s=timeout_s
        )
        return result

    async def start(
        self, *, project: str, units: Sequence[str] = (), timeout_s: float | None = None
    ) -> OperationRef:
        """Start starting units."""
        result: OperationRef = await self._call(
            "start", project=project, units=list(units), timeout_s=timeout_s
        )
        return result

    async def stop(
        self, *, project: str, units: Sequence[str] = (), timeout_s: float | None = None
    ) -> OperationRef:
        """Start stopping units."""
        result: OperationRef = await self._call(
            "stop", project=project, units=list(units), timeout_s=timeout_s
        )
        return result

    async def restart(
        self, *, project: str, units: Sequence[str] = (), timeout_s: float | None = None
    ) -> OperationRef:
        """Start stopping units and starting them again."""
        result: OperationRef = await self._call(
            "restart", project=project, units=list(units), timeout_s=timeout_s
        )
        return result

    async def reload(self, *, project: str, units: Sequence[str]) -> None:
        """Send SIGHUP to units."""
        await self._call("reload", project=project, units=list(units))

    async def signal(self, *, project: str, unit: str, signal: str) -> None:
        """Send a signal, named such as SIGUSR1, to a unit."""
        await self._call("signal", project=project, unit=unit, signal=signal)

    async def status(self, *, project: str) -> ServicesStatus:
        """Return {project, services}, all units in file order."""
        result: ServicesStatus = await self._call("status", project=project)
        return result

    async def inspect(self, *, project: str, unit: str) -> UnitDetails:
        """Return everything about one unit; secrets are masked."""
        result: UnitDetails = await self._call("inspect", project=project, unit=unit)
        return result

    async def why(self, *, project: str, unit: str) -> Explanation:
        """Return the explanation of a unit's state."""
        result: Explanation = await self._call("why", project=project, unit=unit)
        return result

    async def wait(
        self,
        *,
        project: str,
        units: Sequence[str] = (),
        target: Literal["healthy", "started", "stopped", "completed"] = "healthy",
        timeout_s: float | None = None,
    ) -> None:
        """Return once all units have reached the target.

        Raises:
            WaitTimeout: not in time; its details have `explanations`.
        """
        params = {
            "project": project,
            "units": list(units),
            "target": target,
            "timeout_s": timeout_s,
        }
        limit = None if timeout_s is None else timeout_s + _GRACE_S
        await self._connection.call("services.wait", params, timeout_s=limit)

    async def env(self, *, project: str, unit: str, reveal: bool = False) -> dict[str, str]:
        """Return a unit's environment, secrets masked unless `reveal`."""
        result: dict[str, str] = await self._call("env", project=project, unit=unit, reveal=reveal)
        return result

    async def write(self, *, project: str, unit: str, data: bytes) -> None:
        """Write to a unit's input; return once it is taken, however long the unit reads none.

        Raises:
            NotSupported: it has no input.
            HandleLost: it is not running.
        """
        text = base64.b64encode(data).decode("ascii")
        params = {"project": project, "unit": unit, "data": text}
        await self._connection.call("services.write", params, timeout_s=None)

    async def top(self, *, project: str) -> list[UnitUsage]:
        """Return [{name, processes, rss_bytes, cpu_s}] of what runs."""
        result: list[UnitUsage] = await self._connection.call("services.top", {"project": project})
        return result

    async def _call(self, verb: str, **params: Any) -> Any:
        return await self._connection.call(f"services.{verb}", params)
