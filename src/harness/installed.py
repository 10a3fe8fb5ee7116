"""Whether an installed distribution names entry points, seen without what reads them properly.

Importing that, and reading what every distribution says of itself, costs ten times as much.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

__all__ = ["names_entry_points"]


def names_entry_points(group: str) -> bool:
    """Tell whether any distribution has entry points of a group."""
    wanted = f"[{group}]".encode()
    return any(_has_some(directory, wanted) for directory in sys.path)


def _has_some(directory: str, wanted: bytes) -> bool:
    with suppress(OSError), os.scandir(directory or ".") as entries:
        for entry in entries:
            if entry.name.endswith((".dist-info", ".egg-info")):
                with suppress(OSError), open(f"{entry.path}/entry_points.txt", "rb") as file:
                    if wanted in file.read():
                        return True
    return False
