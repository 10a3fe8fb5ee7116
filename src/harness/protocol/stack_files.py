"""The stack files that a request names: read, and handed over as read to a daemon just started."""

from __future__ import annotations

import logging
import os
import pickle
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from harness.config import FindTypes, load
from harness.config import Source as StackSource
from harness.model import StackSpec

from .params import Source

__all__ = ["CheckedStack", "load_stack"]

logger = logging.getLogger(__name__)

_FRESH_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedStack:
    """The stack that a daemon is started for, as the command that starts it has read it.

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

    @classmethod
    def of(cls, source: Source, stack: StackSpec, *, at_s: float) -> CheckedStack:
        """Note what was read, and how its files look."""
        return cls(source=source, stack=stack, files=_seen(stack.files), at_s=at_s)

    def answers(self, source: Source) -> bool:
        """Tell whether reading the source now is the same reading, a moment later."""
        is_fresh = time.monotonic() - self.at_s < _FRESH_S
        return is_fresh and source == self.source and _seen(self.stack.files) == self.files

    def encode(self) -> bytes:
        """Return what `decode` takes."""
        return pickle.dumps(self, protocol=pickle.HIGHEST_PROTOCOL)

    @classmethod
    def decode(cls, data: bytes) -> CheckedStack | None:
        """Return what was encoded. Give it nothing that another user may have written.

        None where it holds what a plugin brings that cannot be loaded here: the stack has to be
        read again, which says what is wrong.
        """
        try:
            found: CheckedStack = pickle.loads(data)  # noqa: S301 - from our own command
        except Exception:  # options of a plugin import it, which may do anything
            logger.exception("Cannot take the stack over from the command")
            return None
        return found


def load_stack(
    source: Source, executors: Mapping[str, type], find: FindTypes | None = None
) -> StackSpec:
    """Read stack files; blocks.

    Args:
        source: as the client sent it.
        executors: name of a built-in executor → type of its options.
        find: finds the types of plugins, when the stack names one.

    Raises:
        ConfigError, DependencyCycle: they cannot be used.
    """
    found = StackSource(
        directory=source.directory,
        files=source.files,
        project=source.project,
        profiles=source.profiles,
        env=source.env,
    )
    return load(found, executors=executors, find=find)


def _seen(paths: Sequence[str]) -> tuple[tuple[str, int, int], ...]:
    found = []
    for path in paths:
        with suppress(OSError):
            status = os.stat(path)
            found.append((path, status.st_mtime_ns, status.st_size))
    return tuple(found)
