"""The door for what others bring: hooks they implement, found and loaded once."""

from .contracts import checked_executor, checked_health_check
from .hookspecs import hookimpl
from .manager import PluginReport, Plugins

__all__ = ["PluginReport", "Plugins", "checked_executor", "checked_health_check", "hookimpl"]
