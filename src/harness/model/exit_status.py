"""How a process ended."""

from __future__ import annotations

import signal as signals
from dataclasses import dataclass

__all__ = ["ExitStatus"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitStatus:
    """Either `code` (0 to 255) or `signal` (its number) is set; neither when nobody saw the end.

    `cause` is what a run says itself of why it ended so, where its executor can know.
    """

    code: int | None = None
    signal: int | None = None
    cause: str | None = None

    @classmethod
    def from_returncode(cls, returncode: int) -> ExitStatus:
        """Read Python's return code, where -n means "ended by signal n"."""
        return cls(signal=-returncode) if returncode < 0 else cls(code=returncode)

    @property
    def is_success(self) -> bool:
        """Tell whether the process ended by itself with status 0."""
        return self.code == 0

    def as_shell(self) -> int:
        """Return the status as a shell would show it; 255 when unknown."""
        if self.signal is not None:
            return 128 + self.signal
        return 255 if self.code is None else self.code

    def __str__(self) -> str:
        if self.cause is not None:
            return self.cause
        if self.signal is not None:
            try:
                return f"ended by {signals.Signals(self.signal).name}"
            except ValueError:
                return f"ended by signal {self.signal}"
        return "ended, status unknown" if self.code is None else f"exit status {self.code}"
