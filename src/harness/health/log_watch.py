"""Follows a unit's output once and remembers which log checks have seen their lines."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import aclosing

from anyio import lowlevel

from harness.errors import HarnessError
from harness.model import LogCheck
from harness.patterns import Pattern, PatternError, compile_pattern

from .context import ProbeContext
from .result import Outcome, excerpt

__all__ = ["LogWatch"]

_LINES_BETWEEN_CHECKPOINTS = 200


class LogWatch:
    """The log checks of one unit during one run; each line is looked at once for all of them.

    `on_change` is called when a check has seen enough lines, and when the output ended.
    """

    def __init__(
        self, checks: Iterable[LogCheck], *, on_change: Callable[[], None] = lambda: None
    ) -> None:
        self._on_change = on_change
        self._matches = dict.fromkeys(checks, 0)
        self._patterns: dict[LogCheck, Pattern] = {}
        self._broken: dict[LogCheck, str] = {}
        self._lines = 0
        self._end: str | None = None
        for check in self._matches:
            try:
                self._patterns[check] = compile_pattern(check.pattern)
            except PatternError as error:
                self._broken[check] = f"/{excerpt(check.pattern)}/ {error}"

    @property
    def checks(self) -> tuple[LogCheck, ...]:
        """What is watched for."""
        return tuple(self._matches)

    def is_settled(self, check: LogCheck) -> bool:
        """Tell whether more output cannot change the check's outcome."""
        return self._is_satisfied(check) or self._end is not None or check in self._broken

    def outcome(self, check: LogCheck) -> Outcome:
        """Return whether the check passes by what was read so far."""
        if check in self._broken:
            return False, self._broken[check]
        wanted = f"/{excerpt(check.pattern)}/"
        if self._is_satisfied(check):
            return True, f"{wanted} seen"
        seen = self._matches[check]
        so_far = f"{seen} of {check.count} matches" if seen else "no match"
        lines = "1 line" if self._lines == 1 else f"{self._lines} lines"
        text = f"{so_far} for {wanted} in {lines} of output"
        return False, f"{text}; {self._end}" if self._end else text

    async def follow(self, context: ProbeContext) -> None:
        """Read the output until every check has passed or the output ends."""
        try:
            async with aclosing(context.log_lines()) as lines:
                if await self._read(lines):
                    return
            self._end = "the output has ended"
        except HarnessError as error:
            self._end = excerpt(str(error), 500)
        self._on_change()

    async def _read(self, lines: AsyncIterator[tuple[str, str]]) -> bool:
        """Look at every line; return whether all checks are settled, else the output ended."""
        async for stream, line in lines:
            self._lines += 1
            if await self._take(stream, line):
                self._on_change()
                if all(self.is_settled(check) for check in self._matches):
                    return True
            if self._lines % _LINES_BETWEEN_CHECKPOINTS == 0:
                # A source that always has a line ready would keep all others waiting.
                await lowlevel.checkpoint()
        return False

    async def _take(self, stream: str, line: str) -> bool:
        """Count the line; tell whether it made a check pass."""
        changed = False
        for check, pattern in self._patterns.items():
            wanted = check.stream in ("both", stream) and not self._is_satisfied(check)
            if wanted and await pattern.is_found(line):
                self._matches[check] += 1
                changed = changed or self._is_satisfied(check)
        return changed

    def _is_satisfied(self, check: LogCheck) -> bool:
        return self._matches[check] >= check.count and check not in self._broken
