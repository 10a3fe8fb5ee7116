"""Stack files that plugins bring to start from: entry points of the group `harness.templates`.

Each is a path of a file, or its text. None is imported before it is wanted.
"""

from __future__ import annotations

import re
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from harness.errors import PluginBroken

__all__ = ["GROUP", "template_names", "template_text"]

GROUP = "harness.templates"

_NAME_LINE = re.compile(r"^name:.*$", re.MULTILINE)


def template_names() -> list[str]:
    """Return the names of those that are installed, sorted."""
    return sorted(point.name for point in entry_points(group=GROUP))


def template_text(name: str, *, project: str) -> str:
    """Return the text of one, with the name of a project.

    Raises:
        KeyError: none of that name is installed.
        PluginBroken: it cannot be loaded.
    """
    point = entry_points(group=GROUP)[name]
    return _NAME_LINE.sub(f"name: {project}", _load(point), count=1)


def _load(point: EntryPoint) -> str:
    try:
        found = point.load()
        return found.read_text(encoding="utf-8") if isinstance(found, Path) else str(found)
    except (Exception, SystemExit) as error:  # whatever somebody else's code does
        source = f"{point.dist.name} {point.dist.version}" if point.dist else GROUP
        cause = f"{type(error).__name__}: {error}"
        raise PluginBroken(name=point.name, source=source, cause=cause) from error
