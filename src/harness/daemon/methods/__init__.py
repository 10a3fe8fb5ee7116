"""Handlers of all methods, one file for each noun; each only calls what does the work.

The types that only some daemons need are loaded when a call is: by the table of methods, or in the
handler that makes one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import (
    actions,
    daemon,
    events,
    health,
    leases,
    leftovers,
    logs,
    operations,
    plan,
    plugins,
    projects,
    registry,
    services,
    snapshots,
    subscriptions,
    tasks,
    tokens,
    workflows,
)
from . import exec as exec_

if TYPE_CHECKING:
    from harness.daemon.dispatcher import Handler
    from harness.daemon.wiring import Wiring

__all__ = ["all_handlers"]

_NOUNS = (
    daemon,
    tokens,
    projects,
    services,
    leases,
    leftovers,
    plan,
    logs,
    exec_,
    actions,
    tasks,
    snapshots,
    events,
    subscriptions,
    operations,
    health,
    registry,
    plugins,
    workflows,
)


def all_handlers(wiring: Wiring) -> dict[str, Handler]:
    """Return the handler of every method."""
    return {name: handler for noun in _NOUNS for name, handler in noun.handlers(wiring).items()}
