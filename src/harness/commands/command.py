"""What to run: one command with everything that decides how it runs, and nothing about where."""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, Mapping
from dataclasses import dataclass, field

from .quoting import join

__all__ = ["Command", "TerminalSize"]

_LARGEST_SIDE = 65535  # struct winsize has 16 bits for each, ioctl_tty(2)


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalSize:
    """How many characters fit into a terminal's window; 0 is unknown."""

    columns: int = 80
    rows: int = 24

    def __post_init__(self) -> None:
        if not (0 <= self.columns <= _LARGEST_SIDE and 0 <= self.rows <= _LARGEST_SIDE):
            raise ValueError(f"a terminal has 0 to {_LARGEST_SIDE} columns and rows")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command.

    Attributes:
        argv: program and arguments; the program is looked up in the command's own PATH, and a
            relative path starts at its working directory.
        env: variables; on top of the caller's environment, or all there is.
        inherit_env: whether the caller's environment comes first.
        working_dir: where it runs; None: where the caller runs.
        user: user to run as, a name or a number, with `:group` if wanted; None: the caller's.
        umask: file mode bits to withhold; None: the caller's.
        nice: added to the caller's niceness.
        limits: resource name → limit, as `harness.commands.LIMITS` lists them.
        stdin: None is an empty input; bytes are written and then the input is closed; so is all a
            byte stream gives.
        terminal: size of a terminal that is its controlling one, and its input and both outputs;
            None: it has none. For `Process` only.
        timeout_s: how long it may run, where somebody waits for its end; None: for ever.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    inherit_env: bool = True
    working_dir: str | None = None
    user: str | None = None
    umask: int | None = None
    nice: int | None = None
    limits: Mapping[str, int] = field(default_factory=dict)
    stdin: bytes | AsyncIterable[bytes] | None = None
    terminal: TerminalSize | None = None
    timeout_s: float | None = None

    def __post_init__(self) -> None:
        if not self.argv or not self.argv[0]:
            raise ValueError("a command needs a program")
        words = (*self.argv, *self.env, *self.env.values(), self.working_dir or "")
        if "\0" in "".join(words):
            raise ValueError("a command cannot hold a NUL character")
        if "" in self.env or "=" in "".join(self.env):
            raise ValueError("the name of an environment variable is empty or holds a =")

    def __str__(self) -> str:
        return join(self.argv)

    def environment(self) -> dict[str, str]:
        """Return the complete environment: the caller's, if inherited, with `env` on top."""
        return {**os.environ, **self.env} if self.inherit_env else dict(self.env)
