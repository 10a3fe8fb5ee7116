"""What an interrupt does where there is nothing to undo: the program says so and leaves.

As an exception it would come up wherever Python happens to be, in the middle of an import too, and
end in a traceback or be lost. So outside the event loop the signal's handler ends the process. In
the loop an interrupt is a cancellation, unless a command has a use of its own for it. Little is
imported here, because until this is, an interrupt is answered by Python itself.
"""

from __future__ import annotations

import os
import signal
import sys

TYPE_CHECKING = False  # as in the package: `typing` would be most of what is imported
if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractContextManager

__all__ = ["RaisingInterrupts", "ignore_interrupts", "leave_on_interrupt", "open_interrupts"]

_INTERRUPTED = 130
_TEXT = b"harness: interrupted\n"
_DOCUMENT = (
    b'{"error": {"kind": "interrupted", "message": "interrupted", "hint": null, "details": {}}}\n'
)


def leave_on_interrupt() -> None:
    """From now on an interrupt ends the program with a line on stderr and status 130.

    Where interrupts are ignored, as in the background of a script, they stay so.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)


class RaisingInterrupts:
    """While open, an interrupt is an exception again, which an event loop turns into an end."""

    def __init__(self) -> None:
        self._is_changed = False

    def __enter__(self) -> None:
        if signal.getsignal(signal.SIGINT) is _leave:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            self._is_changed = True

    def __exit__(self, *_: object) -> None:
        if self._is_changed:
            signal.signal(signal.SIGINT, _leave)


def ignore_interrupts() -> None:
    """From now on an interrupt comes too late: the answer has been given."""
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def open_interrupts(
    *others: signal.Signals,
) -> AbstractContextManager[AsyncIterator[signal.Signals]]:
    """Receive interrupts, and other signals, in the event loop; yields what to iterate over.

    Where interrupts are ignored, as in the background of a script, they stay so.
    """
    import anyio

    is_ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    wanted = others if is_ignored else (signal.SIGINT, *others)
    if wanted:
        return anyio.open_signal_receiver(*wanted)
    from contextlib import nullcontext

    return nullcontext(_never())


async def _never() -> AsyncIterator[signal.Signals]:
    """Wait for ever."""
    import anyio

    await anyio.sleep_forever()
    yield signal.SIGINT


def _leave(_: int, __: object) -> None:
    # Not through the interpreter's own end, which would run into whatever is half-done.
    line = b"\n" + _TEXT if os.isatty(2) else _TEXT
    # What stands after `--` is not meant for this program.
    own = sys.argv[: sys.argv.index("--")] if "--" in sys.argv else sys.argv
    text = _DOCUMENT if "--json" in own else line
    try:
        os.write(2, text)
    finally:
        os._exit(_INTERRUPTED)
