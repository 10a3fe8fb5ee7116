"""What an interrupt does where there is nothing to undo: the program says so and leaves.

As an exception it would come up wherever Python happens to be, in the middle of an import too, and
end in a traceback or be lost. So outside the event loop the signal's handler ends the process. In
the loop an interrupt is a cancellation, unless a command has a use of its own for it; one that
comes after that, while the work is being put down, ends the process at once. Little is imported
here, because until this is, an interrupt is answered by Python itself.
"""

from __future__ import annotations

import math
import os
import signal
import sys

TYPE_CHECKING = False  # as in the package: `typing` would be most of what is imported
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import NoReturn

    from anyio import CancelScope
    from anyio.abc import TaskStatus
    from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

__all__ = [
    "HiddenCursor",
    "LeavingNote",
    "TakenInterrupts",
    "cancelled_by_interrupt",
    "ignore_interrupts",
    "leave_on_interrupt",
]

_INTERRUPTED = 130
_SHOW_CURSOR = b"\x1b[?25h"
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


class HiddenCursor:
    """Whether a display has hidden the terminal's cursor, so that leaving shows it again.

    Also when the display has done so itself: a Ctrl-C makes a terminal drop what it has not shown.
    """

    happened = False


class LeavingNote:
    """What leaving says, too: what may go on without the program; empty: nothing."""

    text = ""


def ignore_interrupts() -> None:
    """From now on an interrupt comes too late: the answer has been given."""
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


async def cancelled_by_interrupt(work: Callable[[], Awaitable[None]]) -> None:
    """Do the work; an interrupt cancels it, unless it takes interrupts itself.

    One that comes while it is put down ends the process.

    Raises:
        KeyboardInterrupt: the work was cancelled.
    """
    import anyio

    async with anyio.create_task_group() as tasks:
        with anyio.CancelScope() as scope:
            if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
                await tasks.start(_receive, scope)
            await work()
        tasks.cancel_scope.cancel()
    if scope.cancelled_caught:
        raise KeyboardInterrupt


class TakenInterrupts:
    """While open, interrupts are for the command: the context is a stream with an item for each.

    From its end on an interrupt ends the process.
    """

    taker: MemoryObjectSendStream[None] | None = None
    were_taken = False

    def __enter__(self) -> MemoryObjectReceiveStream[None]:
        import anyio

        self._send, self._receive = anyio.create_memory_object_stream[None](math.inf)
        TakenInterrupts.taker = self._send
        return self._receive

    def __exit__(self, *_: object) -> None:
        TakenInterrupts.taker = None
        TakenInterrupts.were_taken = True
        self._send.close()
        self._receive.close()


async def _receive(scope: CancelScope, *, task_status: TaskStatus[None]) -> None:
    """Give every interrupt to whom it is for.

    One receiver for the whole life of the loop: without one a signal does not wake the loop.
    """
    import anyio

    is_ours = signal.getsignal(signal.SIGINT) is _leave
    TakenInterrupts.were_taken = False
    try:
        with anyio.open_signal_receiver(signal.SIGINT) as signals:
            task_status.started()
            async for _ in signals:
                if TakenInterrupts.taker is not None:
                    TakenInterrupts.taker.send_nowait(None)
                elif scope.cancel_called or TakenInterrupts.were_taken:
                    _leave()
                else:
                    scope.cancel()
    finally:
        if is_ours:
            signal.signal(signal.SIGINT, _leave)


def _leave(*_: object) -> NoReturn:
    # Not through the interpreter's own end, which would run into whatever is half-done.
    line = LeavingNote.text.encode() + _TEXT
    if os.isatty(2):
        line = b"\n" + line
    if HiddenCursor.happened:
        line = _SHOW_CURSOR + line
    # What stands after `--` is not meant for this program.
    own = sys.argv[: sys.argv.index("--")] if "--" in sys.argv else sys.argv
    text = _DOCUMENT if "--json" in own else line
    try:
        os.write(2, text)
    finally:
        os._exit(_INTERRUPTED)
