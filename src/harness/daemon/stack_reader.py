"""A client's stack files, read by the daemon."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from anyio import from_thread, to_thread

from harness.config import prepare as prepare_config
from harness.executors import option_types
from harness.model import StackSpec
from harness.protocol import METHODS, CheckedStack, Source, adapter, load_stack

from .extensions import Extensions

__all__ = ["StackReader", "prepare"]

_FIRST_METHODS = ("daemon.hello", "services.up", "events.subscribe", "operations.wait")


class StackReader:
    """Reads clients' stack files; what was read to start this daemon is not read a second time.

    Args:
        executors: executor name → type of its options.
        extensions: what plugins bring.
        checked: the stack that this daemon was started for, for the first request.
    """

    def __init__(
        self,
        executors: Mapping[str, type],
        extensions: Extensions,
        checked: CheckedStack | None = None,
    ) -> None:
        self._executors = executors
        self._extensions = extensions
        self._checked = checked

    async def read(self, source: Source) -> StackSpec:
        """Read a stack, in a thread.

        Raises:
            ConfigError: its files cannot be used.
            UnknownServiceType: no plugin brings what one of them wants.
        """
        checked, self._checked = self._checked, None
        if checked is not None and checked.answers(source):
            stack = checked.stack
            await self._extensions.prepare_for_stack(stack)
        else:
            # Plugins are asked from within that thread, where it meets a type that is not built in.
            find = partial(from_thread.run, self._extensions.types)
            stack = await to_thread.run_sync(partial(load_stack, source, self._executors, find))
        await self._extensions.check(stack)
        return stack


def prepare() -> None:
    """Load what the first client that brings a stack up would wait for; blocks."""
    prepare_config(option_types())
    for name in _FIRST_METHODS:
        adapter(METHODS[name].params)
