"""A service type's setup as the supervisor drives it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from .action_set import ServiceType
from .call import ActionEvent, Call
from .declaration import event_name

__all__ = ["ServiceSetup"]


class ServiceSetup:
    """How one service is set up by its type; see `harness.supervisor.Setup`.

    Args:
        of: the type's object for the service.
        send: takes what setting up tells.
    """

    def __init__(self, of: ServiceType, send: Callable[[ActionEvent], Awaitable[None]]) -> None:
        self._of = of
        self._send = send

    @property
    def timeout_s(self) -> float:
        """How long one attempt may take."""
        return self._of.setup_timeout_s

    @property
    def retries(self) -> int:
        """How often a failed attempt is made again."""
        return self._of.setup_retries

    async def is_set_up(self) -> bool:
        """Tell whether nothing is left to do."""
        return await self._of.is_set_up()

    async def set_up(self) -> None:
        """Do it."""
        events = {event_name(event): event for event in self._of.setup_events}
        await self._of.set_up(Call("set-up", events, self._send))

    async def validate(self) -> None:
        """Raise what is wrong."""
        await self._of.validate()
