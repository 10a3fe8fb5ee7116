"""Setting a service up once it runs and its checks pass, before it counts as ready.

The service is asked whether it is set up, and set up if it is not. Nothing is remembered: what it
says counts, after every start and after a restart of the daemon.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

import anyio

from harness.errors import HarnessError
from harness.model import ServiceSpec, SetupSpec, SetupState

if TYPE_CHECKING:
    from .unit import Unit

__all__ = ["Setup", "SetupFinder", "set_up"]

logger = logging.getLogger(__name__)

_FIRST_DELAY_S = 0.5


class Setup(Protocol):
    """What a service type knows about setting one service up."""

    @property
    def timeout_s(self) -> float:
        """How long one attempt may take."""

    @property
    def retries(self) -> int:
        """How often a failed attempt is made again."""

    async def is_set_up(self) -> bool:
        """Tell whether nothing is left to do."""

    async def set_up(self) -> None:
        """Do it; what is done already stays."""

    async def validate(self) -> None:
        """Raise what is wrong with a service that says that it is set up."""


SetupFinder = Callable[["Unit"], Awaitable[Setup | None]]
"""Returns how a unit is set up; None: it needs no setup."""


async def set_up(unit: Unit, find: SetupFinder) -> str | None:
    """See a unit through its setup; return why it failed, or None when there is no more to do.

    Where nobody knows how, as after a plugin was removed, the service goes on and is not ready.
    """
    try:
        setup = await find(unit)
    except HarnessError as error:
        unit.setup_changed(SetupState.FAILED, message=str(error))
        return None
    if setup is None:
        unit.setup_changed(SetupState.NONE)
        return None
    limits = unit.spec.setup if isinstance(unit.spec, ServiceSpec) else SetupSpec()
    timeout_s = setup.timeout_s if limits.timeout_s is None else limits.timeout_s
    retries = setup.retries if limits.retries is None else limits.retries
    attempt, delay_s = 0, _FIRST_DELAY_S
    while (cause := await _attempt(unit, setup, timeout_s)) is not None:
        if attempt == retries:
            unit.setup_changed(SetupState.FAILED, message=cause)
            return cause
        attempt += 1
        unit.setup_changed(SetupState.REQUIRED, message=f"{cause}; it is tried again")
        await unit.context.clock.sleep(delay_s)
        delay_s *= 2
    unit.setup_changed(SetupState.COMPLETE)
    return None


async def _attempt(unit: Unit, setup: Setup, timeout_s: float) -> str | None:
    """Return why one attempt failed, or None."""
    try:
        with anyio.fail_after(timeout_s) as limit:
            if not await setup.is_set_up():
                unit.setup_changed(SetupState.RUNNING)
                await setup.set_up()
                if not await setup.is_set_up():
                    return "it was set up, and says that it is not"
            await setup.validate()
    except HarnessError as error:
        return f"{error}; {error.hint}" if error.hint else str(error)
    except (Exception, SystemExit) as error:  # whatever somebody else's code does
        if isinstance(error, TimeoutError) and limit.cancelled_caught:
            return f"it took longer than {timeout_s:g} s"
        logger.exception("Cannot set up %s", unit.name, extra={"service": unit.name})
        return f"{type(error).__name__}: {error}"
    return None
