"""The door for what others bring: hooks they implement, found and loaded once.

Importing this loads nothing; a plugin that marks its hooks needs none of what loads plugins.
"""

from typing import TYPE_CHECKING

from harness.lazy import lazy_names

if TYPE_CHECKING:
    from .contracts import checked_executor, checked_health_check
    from .manager import PluginReport, Plugins
    from .markers import hookimpl
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

_PLACES = {
    **dict.fromkeys(("checked_executor", "checked_health_check"), "contracts"),
    **dict.fromkeys(("PluginReport", "Plugins"), "manager"),
    **dict.fromkeys(("Observer", "Transition"), "transitions"),
    "hookimpl": "markers",
}

if not TYPE_CHECKING:  # a type checker would take every name for one that exists
    __getattr__ = lazy_names(__name__, _PLACES)
