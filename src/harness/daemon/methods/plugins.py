"""What the daemon was extended with."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.daemon.dispatcher import Handler

if TYPE_CHECKING:
    from harness.daemon.session import Call
    from harness.daemon.wiring import Wiring
    from harness.plugins import PluginReport
    from harness.protocol import NoParams

__all__ = ["handlers"]


def handlers(wiring: Wiring) -> dict[str, Handler]:
    """Return the handlers of `plugins.*`."""

    async def list_(_: NoParams, __: Call) -> list[PluginReport]:
        masked = wiring.stacks.masked
        return [
            # Plugins' own words of what failed, which may hold what they were given.
            replace(report, error=masked(report.error), failures=masked(report.failures))
            for report in (await wiring.extensions.plugins()).reports
        ]

    return {"plugins.list": list_}
