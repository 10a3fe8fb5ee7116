"""The command check: does a program in the unit's place end with status 0?"""

from __future__ import annotations

from harness.errors import CommandTimeout, HarnessError
from harness.model import CommandCheck

from .context import ProbeContext
from .result import Outcome, excerpt

__all__ = ["check_command"]


async def check_command(check: CommandCheck, *, context: ProbeContext, timeout_s: float) -> Outcome:
    """Run the command; a failure shows its last line of output."""
    try:
        status, output = await context.run_command(check.argv, timeout_s=timeout_s)
    except CommandTimeout:
        return False, f"no answer within {timeout_s:g} s"
    except HarnessError as error:
        return False, excerpt(str(error), 500)
    if status.is_success:
        return True, str(status)
    lines = output.strip().splitlines()
    return False, f"{status}: {excerpt(lines[-1])}" if lines else str(status)
