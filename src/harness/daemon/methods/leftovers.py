"""What is left of projects and daemons that nobody will come back for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.daemon.dispatcher import Handler

if TYPE_CHECKING:
    from harness.daemon.leftovers import Leftovers
    from harness.daemon.session import Call
    from harness.daemon.wiring import Wiring
    from harness.protocol import ListLeftoversParams, RemoveLeftoversParams

__all__ = ["handlers"]


def handlers(wiring: Wiring) -> dict[str, Handler]:
    """Return the handlers of `leftovers.*`."""

    def leftovers() -> Leftovers:
        # Few daemons are ever asked.
        from harness.daemon.leftovers import Leftovers

        return Leftovers(stacks=wiring.stacks, directory=wiring.endpoint.state_dir)

    async def list_(params: ListLeftoversParams, _: Call) -> Any:
        return await leftovers().find(under=_path(params.under))

    async def remove(params: RemoveLeftoversParams, _: Call) -> Any:
        return await leftovers().remove(under=_path(params.under), adoptable=params.adoptable)

    return {"leftovers.list": list_, "leftovers.remove": remove}


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)
