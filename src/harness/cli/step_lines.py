"""How a workflow looks while it runs: a line for each step that begins or ends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from .facts import action_event, step_text
from .operations import Show

if TYPE_CHECKING:
    from harness.client import Client

    from .output import Output
    from .progress import Board

__all__ = ["StepLines"]


class StepLines:
    """Says how each step goes: on stderr, or with --json as lines of the answer.

    The end of a run says why its step failed. What has failed besides is said before that.
    """

    def __init__(self) -> None:
        self._unsaid: dict[str, str] = {}

    @asynccontextmanager
    async def progress(self, output: Output, _: Client, board: Board) -> AsyncIterator[Show]:
        """Show the events of one run while the context is open."""

        def show(event: Mapping[str, Any]) -> None:
            kind, data = event["kind"], event["data"]
            if data.get("run") != board.id:
                return
            if output.json:
                output.record({"event": kind, "at": event["at"], **data})
            elif output.quiet or "step" not in data or (data.get("detail") and not output.verbose):
                return
            elif kind == "action-event":
                output.note(f"{data['step']}: {action_event(data['name'], data['data'])}")
            else:
                self._step(output, data)

        yield show

    def _step(self, output: Output, data: Mapping[str, Any]) -> None:
        message = data.get("message")
        if data.get("attempt", 1) > 1:
            self.say_rest(output)
        if data.get("state") != "failed" or not message or data["compensates"]:
            output.note(step_text(data))
            return
        output.note(step_text({**data, "message": None}))
        # A step that holds another one fails for the same reason.
        if message not in self._unsaid.values():
            self._unsaid[data["step"]] = message

    def say_rest(self, output: Output, *, end: str = "") -> None:
        """Say why steps failed, as far as the text of the run's end will not say so."""
        for step, message in self._unsaid.items():
            if message not in end:
                output.note(f"{step}: {message}")
        self._unsaid.clear()
