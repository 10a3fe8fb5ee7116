"""What the daemon was extended with."""

from __future__ import annotations

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
        return (await wiring.extensions.plugins()).reports

    return {"plugins.list": list_}
