"""A service type's share in a snapshot, as the supervisor asks for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from .action_set import ServiceType
from .call import ActionEvent, Call
from .declaration import event_name
from .running import authors_code

__all__ = ["ServiceSnapshots"]


class ServiceSnapshots:
    """How one service takes part in snapshots; see `harness.supervisor.Snapshotter`.

    Args:
        of: the type's object for the service.
        send: takes what its methods tell, after the name of the method.
    """

    def __init__(
        self, of: ServiceType, send: Callable[[str, ActionEvent], Awaitable[None]]
    ) -> None:
        self._of = of
        self._send = send

    @property
    def has_state(self) -> bool:
        """Whether it is part of a snapshot, and not only quiesced meanwhile."""
        return self._of.has_snapshots()

    @property
    def stops(self) -> bool:
        """Whether it is stopped meanwhile, instead of being quiesced and resumed."""
        return self._of.stops_for_snapshots

    async def quiesce(self) -> None:
        """Have it change nothing from now on."""
        await self._run("quiesce", self._of.quiesce_timeout_s)

    async def resume(self) -> None:
        """Have it go on."""
        await self._run("resume", self._of.resume_timeout_s)

    async def snapshot(self, directory: Path) -> None:
        """Have it write its state into a directory."""
        await self._run("snapshot", self._of.snapshot_timeout_s, directory)

    async def restore(self, directory: Path) -> None:
        """Have it take its state from a directory."""
        await self._run("restore", self._of.restore_timeout_s, directory)

    async def _run(self, verb: str, limit_s: float, *directory: Path) -> None:
        async def send(event: ActionEvent) -> None:
            await self._send(verb, event)

        events = {event_name(event): event for event in self._of.snapshot_events}
        with authors_code(f"{verb} of {self._of.service.name}", limit_s):
            await getattr(self._of, verb)(Call(verb, events, send), *directory)
