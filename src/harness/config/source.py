"""What a stack is read from, and which files a directory offers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["FILE_NAMES", "OVERRIDE_NAME", "Source", "discover"]

FILE_NAMES = ("harness.yaml", "harness.yml", "services.yaml", "services.yml")
OVERRIDE_NAME = "harness.override.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a stack is read from, and for whom.

    Attributes:
        directory: absolute directory the command was given in.
        files: absolute paths, later ones laid over earlier ones; empty: what `discover` finds in
            `directory`.
        project: name of the project, or None: the stack's `name`, else the directory's name.
        profiles: active profiles; empty: the stack's own `profiles`.
        env: the client's environment.
    """

    directory: str
    files: tuple[str, ...] = ()
    project: str | None = None
    profiles: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)


def discover(directory: str) -> tuple[str, ...]:
    """Return the stack file of a directory and, where present, the override; empty if none."""
    for name in FILE_NAMES:
        path = os.path.join(directory, name)
        if os.path.isfile(path):
            override = os.path.join(directory, OVERRIDE_NAME)
            return (path, override) if os.path.isfile(override) else (path,)
    return ()
