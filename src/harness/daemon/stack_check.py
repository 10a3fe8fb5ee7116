"""Checks the stack that a daemon is wanted for, in a process beside the one that becomes it.

Both load what they need at the same time, on a core each.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, NoReturn

from harness.errors import HarnessError

if TYPE_CHECKING:
    from .stack_files import CheckedStack

__all__ = ["StackCheck"]


class StackCheck:
    """A check under way. Begin it while this process has no thread and little in memory.

    Args:
        source: a `Source` as JSON.
    """

    def __init__(self, source: bytes) -> None:
        self._reading, writing = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            _check(source, writing)
        os.close(writing)

    def result(self) -> CheckedStack:
        """Return the stack, once it is checked; blocks.

        Raises:
            HarnessError: it cannot be brought up, and why.
            SystemExit: the check itself failed, and has said so on stderr.
        """
        with open(self._reading, "rb") as file:
            answer = file.read()
        os.waitpid(self._pid, 0)
        if not answer:
            raise SystemExit(1)
        import pickle

        # From ourselves: nobody else has the other end.
        found = pickle.loads(answer)  # noqa: S301
        if isinstance(found, dict):
            from harness.protocol import error_from_wire

            raise error_from_wire(found)
        checked: CheckedStack = found
        return checked


def _check(source: bytes, writing: int) -> NoReturn:
    """Be the process that checks."""
    try:
        answer: object
        try:
            from .stack_files import check_source

            answer = check_source(json.loads(source))
        except HarnessError as error:
            from harness.protocol import error_to_wire

            answer = error_to_wire(error)
        import pickle

        with open(writing, "wb") as file:
            pickle.dump(answer, file, protocol=pickle.HIGHEST_PROTOCOL)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)
