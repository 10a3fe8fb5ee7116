"""Where a stack comes from, as the commands that read it send it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["make_source"]


def make_source(
    *,
    files: Sequence[str] = (),
    project: str | None = None,
    profiles: Sequence[str] = (),
    directory: str | None = None,
    env: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the `source` of a call.

    Args:
        files: paths, relative ones start at `directory`; empty: the usual
            names, there or above.
        project: name that wins over the file's.
        profiles: active profiles.
        directory: None: the working directory.
        env: None: this process's environment.
    """
    base = os.path.abspath(directory or os.getcwd())
    return {
        "files": [os.path.join(base, file) for file in files],
        "directory": base,
        "project": project,
        "profiles": list(profiles),
        "env": dict(os.environ if env is None else env),
    }
