"""The door for what others bring: hooks they implement, found and loaded once."""

from .hookspecs import hookimpl
from .manager import PluginReport, Plugins

__all__ = ["PluginReport", "Plugins", "hookimpl"]
