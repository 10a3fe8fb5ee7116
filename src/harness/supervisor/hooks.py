"""Runs the commands around a unit's start and stop, with the unit's environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.commands import Command, run
from harness.errors import CommandError
from harness.model import EventKind, Hook

from .launch import Run

if TYPE_CHECKING:
    from .unit import Unit

__all__ = ["HookFailed", "run_hooks"]

_SHOWN_OUTPUT = 400


class HookFailed(Exception):
    """A hook that had to succeed did not."""


async def run_hooks(
    moment: str, hooks: tuple[Hook, ...], *, unit: Unit, run: Run, must_succeed: bool = True
) -> None:
    """Run the hooks of one moment, one after the other; each is reported as an event.

    Raises:
        HookFailed: one failed, and `must_succeed` is set; later ones do not run.
    """
    for hook in hooks:
        problem, output = await _run_hook(hook, run)
        # The reason is one line among others; the event has all of them.
        shown = f"; {output.splitlines()[-1]}" if output else ""
        unit.context.publish(
            EventKind.HOOK_FINISHED,
            unit.name,
            moment=moment,
            ok=problem is None,
            message=problem,
            output=output,
        )
        if problem is not None and must_succeed:
            raise HookFailed(f"its {moment} hook failed: {problem}{shown}")


async def _run_hook(hook: Hook, of: Run) -> tuple[str | None, str]:
    """Return what went wrong, or None, and the end of the hook's output."""
    command = Command(
        argv=hook.argv,
        env={**of.request.env, **of.request.identity},
        inherit_env=False,
        working_dir=str(of.request.base_dir),
        timeout_s=hook.timeout_s,
    )
    try:
        completed = await run(command, whole_tree=True)
    except CommandError as error:
        return str(error), ""
    output = completed.tail()[-_SHOWN_OUTPUT:]
    if completed.status.is_success:
        return None, output
    return str(completed.status), output
