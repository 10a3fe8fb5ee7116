"""Which types of units there are where a stack is read beside the daemon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness.executors import builtin_capabilities

if TYPE_CHECKING:
    from harness.config import ExtraTypes
    from harness.plugins import Plugins

__all__ = ["KnownTypes"]


class KnownTypes:
    """What units may be of: built-in types, and once they were asked for, those of plugins.

    Args:
        given: plugins that the daemon is started with.
    """

    def __init__(self, given: Sequence[str] = ()) -> None:
        self._given = given
        self._plugins: Plugins | None = None

    def find(self) -> ExtraTypes:
        """Return what plugins bring; the first time they are loaded, which blocks."""
        if self._plugins is None:
            from harness.plugins import Plugins

            self._plugins = Plugins.load(given=self._given)
        return self._plugins.option_types

    def capabilities(self) -> Mapping[str, frozenset[str]]:
        """Return what executors that are known so far can do, by name."""
        found = self._plugins.executors if self._plugins is not None else {}
        others = {name: of.capabilities.names for name, of in found.items()}
        return {**others, **builtin_capabilities()}
