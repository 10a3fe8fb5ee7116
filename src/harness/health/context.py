"""What checks need from the unit they look at; the supervisor implements it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

from harness.model import ExitStatus

__all__ = ["ProbeContext"]


class ProbeContext(Protocol):
    """The unit's place and output, as far as its checks may use them."""

    async def run_command(
        self, argv: tuple[str, ...], *, timeout_s: float
    ) -> tuple[ExitStatus, str]:
        """Run a command where and as the unit runs; return how it ended and its last output.

        When cancelled, or after `timeout_s` seconds, the command and everything it started is
        killed before this returns or raises: the check's own deadline cancels it.

        Raises:
            HarnessError: it could not be run; the check fails with that message.
        """

    def log_lines(self) -> AsyncGenerator[tuple[str, str], None]:
        """Yield (stream name, line of text) of the unit's output since this start, then follow it.

        The stream name is `stdout` or `stderr`; the text has no line end. A line is yielded as
        soon as it was written. The iteration may end when the output does;
        the check closes it when it has seen enough.

        Raises:
            HarnessError: the output cannot be read; log checks fail with that message.
        """
