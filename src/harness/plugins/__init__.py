"""The door for what others bring: hooks they implement, found and loaded once."""

from .contracts import checked_executor, checked_health_check
from .hookspecs import hookimpl
from .manager import PluginReport, Plugins
from .transitions import Observer, Transition

__all__ = [
    "Observer",
    "PluginReport",
    "Plugins",
    "Transition",
    "checked_executor",
    "checked_health_check",
    "hookimpl",
]
