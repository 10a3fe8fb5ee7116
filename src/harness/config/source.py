"""What a stack is read from, and where its files are looked for.

Like the files of many such tools a stack file is found from anywhere below it: the nearest counts.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

__all__ = [
    "FILE_NAMES",
    "OVERRIDE_NAME",
    "Source",
    "discover",
    "is_trusted",
    "not_found",
    "search_path",
]

FILE_NAMES = ("harness.yaml", "harness.yml", "services.yaml", "services.yml")
OVERRIDE_NAME = "harness.override.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a stack is read from, and for whom.

    Attributes:
        directory: absolute directory the command was given in.
        files: absolute paths, later ones laid over earlier ones; empty: what `discover` finds from
            `directory` on.
        project: name of the project, or None: the stack's `name`, else that of the first file's
            directory.
        profiles: active profiles; empty: the stack's own `profiles`.
        env: the client's environment.
    """

    directory: str
    files: tuple[str, ...] = ()
    project: str | None = None
    profiles: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)


def discover(directory: str) -> tuple[str, ...]:
    """Return the nearest stack file and, where present, the override beside it; empty if none.

    It is looked for in the directory, then in each one above it. What is above and `is_trusted`
    denies is passed over, for it would run another user's commands.

    Args:
        directory: absolute.
    """
    for path in _candidates(directory):
        if is_trusted(path, directory):
            override = os.path.join(os.path.dirname(path), OVERRIDE_NAME)
            has_override = os.path.isfile(override) and is_trusted(override, directory)
            return (path, override) if has_override else (path,)
    return ()


def is_trusted(path: str, directory: str) -> bool:
    """Tell whether a file that nobody named may be read for a command given in a directory.

    One in the directory itself may. One above may when it belongs to the user, to root or to the
    owner of the directory; of a link, both it and what it leads to. Nobody is trusted unseen.
    """
    if os.path.dirname(path) == os.path.normpath(directory):
        return True
    try:
        owners = {os.lstat(path).st_uid, os.stat(path).st_uid}
        return owners <= {0, os.geteuid(), os.stat(directory).st_uid}
    except (OSError, ValueError):
        return False


def not_found(directory: str) -> str:
    """Return what to say when `discover` finds nothing: where it looked."""
    text = f"there is no {FILE_NAMES[0]} or {FILE_NAMES[2]} here or above"
    text += f" (looked in {', '.join(search_path(directory))})"
    passed_over = list(_candidates(directory))
    if passed_over:
        text += f"; {', '.join(passed_over)}, of another user, was passed over"
    return text


def search_path(directory: str) -> Iterator[str]:
    """Yield the directory and all above it, up to the root."""
    yield directory
    while (above := os.path.dirname(directory)) != directory:
        directory = above
        yield directory


def _candidates(directory: str) -> Iterator[str]:
    """Yield the path of each stack file, nearest first, trusted or not."""
    for place in search_path(directory):
        for name in FILE_NAMES:
            path = os.path.join(place, name)
            if os.path.isfile(path):
                yield path
