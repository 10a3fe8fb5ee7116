"""What plugins bring to a running daemon; nothing of it is loaded before somebody needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
from anyio import to_thread

if TYPE_CHECKING:
    from harness.actions import Catalogue
    from harness.plugins import Plugins

__all__ = ["Extensions"]


class Extensions:
    """Loads plugins once, and knows the actions they bring; an async context manager."""

    def __init__(self) -> None:
        self._plugins: Plugins | None = None
        self._catalogue: Catalogue | None = None
        self._loading = anyio.Lock()

    async def __aenter__(self) -> Extensions:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._catalogue is not None:
            await self._catalogue.aclose()

    async def plugins(self) -> Plugins:
        """Return all plugins; the first time they are loaded, in a thread."""
        async with self._loading:
            if self._plugins is None:
                self._plugins = await to_thread.run_sync(_load)
        return self._plugins

    async def actions(self) -> Catalogue:
        """Return the actions that there are."""
        plugins = await self.plugins()
        if self._catalogue is None:
            from harness.actions import Catalogue

            self._catalogue = Catalogue(plugins.action_types)
        return self._catalogue


def _load() -> Plugins:
    from harness.plugins import Plugins

    return Plugins.load()
