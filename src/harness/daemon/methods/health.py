"""What the checks of units find."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.daemon.dispatcher import Handler

if TYPE_CHECKING:
    from harness.daemon.session import Call
    from harness.daemon.wiring import Wiring
    from harness.protocol import ListHealthParams, UnitParams

__all__ = ["handlers"]


def handlers(wiring: Wiring) -> dict[str, Handler]:
    """Return the handlers of `health.*`."""
    stacks = wiring.stacks

    async def list_(params: ListHealthParams, _: Call) -> list[dict[str, Any]]:
        return stacks.project(params.project).health(params.unit)

    async def check(params: UnitParams, _: Call) -> list[dict[str, Any]]:
        return await stacks.project(params.project).check_health(params.unit)

    return {"health.list": list_, "health.check": check}
