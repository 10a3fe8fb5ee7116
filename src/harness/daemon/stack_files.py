"""A client's stack files, read by the daemon; or before there is one, to know whether to start."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from anyio import to_thread

from harness.config import Source as StackSource
from harness.config import load
from harness.config import prepare as prepare_config
from harness.executors import builtin_capabilities, option_types
from harness.model import StackSpec
from harness.plan import check_capabilities, plan_stack
from harness.protocol import METHODS, Source, adapter

__all__ = ["CheckedStack", "StackReader", "check_source", "load_stack", "prepare"]

_FIRST_METHODS = ("daemon.hello", "services.up", "events.subscribe", "operations.wait")


_FRESH_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedStack:
    """The stack that a daemon was started for, as it was read then.

    Attributes:
        source: where from.
        stack: what was read.
        files: its files: path, time of change in nanoseconds, size.
        at_s: when, by the machine's monotonic clock.
    """

    source: Source
    stack: StackSpec
    files: tuple[tuple[str, int, int], ...]
    at_s: float

    def answers(self, source: Source) -> bool:
        """Tell whether reading the source now is the same reading, a moment later."""
        is_fresh = time.monotonic() - self.at_s < _FRESH_S
        return is_fresh and source == self.source and _seen(self.stack.files) == self.files


class StackReader:
    """Reads clients' stack files; what was read to start this daemon is not read a second time.

    Args:
        executors: executor name → type of its options.
        checked: the stack that this daemon was started for, for the first request.
    """

    def __init__(self, executors: Mapping[str, type], checked: CheckedStack | None = None) -> None:
        self._executors = executors
        self._checked = checked

    async def read(self, source: Source) -> StackSpec:
        """Read a stack, in a thread.

        Raises:
            ConfigError: its files cannot be used.
        """
        checked, self._checked = self._checked, None
        if checked is not None and checked.answers(source):
            return checked.stack
        return await to_thread.run_sync(partial(load_stack, source, self._executors))


def load_stack(source: Source, executors: Mapping[str, type]) -> StackSpec:
    """Read stack files; blocks.

    Args:
        source: as the client sent it.
        executors: executor name → type of its options.

    Raises:
        ConfigError: they cannot be used.
    """
    found = StackSource(
        directory=source.directory,
        files=source.files,
        project=source.project,
        profiles=source.profiles,
        env=source.env,
    )
    return load(found, executors=executors)


def prepare() -> None:
    """Load what the first client that brings a stack up would wait for; blocks."""
    prepare_config(option_types())
    for name in _FIRST_METHODS:
        adapter(METHODS[name].params)


def check_source(value: Mapping[str, Any]) -> CheckedStack:
    """Find out whether a stack can be brought up, as far as its files tell; blocks.

    Args:
        value: a `Source` as JSON values, as `make_source` returns it.

    Raises:
        ConfigError: its files cannot be used.
        PlanError: no order of starting exists, or an executor cannot do what is asked.
    """
    at_s = time.monotonic()
    # Of our own command line, so it needs no validation, whose loading would cost a tenth of all.
    lists = {name: tuple(value[name]) for name in ("files", "profiles")}
    source = Source(**{**value, **lists})
    stack = load_stack(source, option_types())
    plan_stack(stack)
    check_capabilities(stack.units, builtin_capabilities())
    return CheckedStack(source=source, stack=stack, files=_seen(stack.files), at_s=at_s)


def _seen(paths: Sequence[str]) -> tuple[tuple[str, int, int], ...]:
    found = []
    for path in paths:
        with suppress(OSError):
            status = os.stat(path)
            found.append((path, status.st_mtime_ns, status.st_size))
    return tuple(found)
