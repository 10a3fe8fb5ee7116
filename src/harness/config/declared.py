"""What a stack file says its project is called, found without reading the whole of it.

A command that asks about a project needs its name and nothing else; reading a large stack for that
would take longer than the answer.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

__all__ = ["declared_name", "project_slug"]


def project_slug(text: str) -> str:
    """Return a name or the name of a directory as the name of a project."""
    return re.sub(r"[^a-z0-9_-]+", "-", text.lower()).strip("-_") or "default"


def declared_name(files: Sequence[str]) -> str | None:
    """Return the name of the project that these files describe.

    None when only reading them whole can tell: a file cannot be read, the name holds a reference,
    or it may come from an included file.

    Args:
        files: absolute paths, later ones laid over earlier ones.
    """
    name = None
    for path in files:
        if not os.path.isfile(path):
            return None  # not opened: reading a device or a pipe may never end
        try:
            with open(path, encoding="utf-8") as file:
                found, includes = _top_level(file.read())
        except (OSError, ValueError):  # no text, or no path that there can be
            return None
        if found is None or "$" in found:
            return None
        if not found and not name and includes:
            return None
        name = found or name
    if not files:
        return None
    return project_slug(name or os.path.basename(os.path.dirname(files[0])))


def _top_level(text: str) -> tuple[str | None, bool]:
    """Return the value of the top level's `name` ("" if it has none), and whether it includes.

    The value is None when it is no plain text, or the text is not YAML. Reading stops at the name.
    """
    import yaml

    includes = False
    depth = 0
    key: str | None = None
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            at_key = depth == 1 and key is None
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth == 2 and key == "name":
                    return None, includes
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
                key = None if depth == 1 else key
            elif at_key and isinstance(event, yaml.ScalarEvent):
                key = event.value
                includes = includes or key == "include"
            elif depth == 1 and isinstance(event, yaml.NodeEvent):
                if key == "name":
                    return getattr(event, "value", None), includes
                key = None
    except yaml.YAMLError:
        return None, includes
    return "", includes
