"""What a command line is called, and what it acts on where nobody says otherwise."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["HARNESS", "Program"]


class Program(NamedTuple):
    """`harness` itself, or the command of a daemon for one domain.

    Attributes:
        name: of the command, in messages.
        prefix: of its environment variables: `PREFIX_FILE`, `_PROJECT` and `_STATE_DIR`.
        plugins: that its daemon is started with, `module` or `module:attribute`.
        files: absolute paths of the stack files it is about; none: those in the working directory.
        state_dir: of its daemon; None: the user's own.
        commands: name → `module:attribute` of commands that it adds.
    """

    name: str = "harness"
    prefix: str = "HARNESS"
    plugins: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    state_dir: str | None = None
    commands: tuple[tuple[str, str], ...] = ()


HARNESS = Program()
