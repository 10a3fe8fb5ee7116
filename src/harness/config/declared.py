"""What a stack file says its project is called, found without reading the whole of it.

A command that asks about a project needs its name and nothing else; reading a large stack for that
would take longer than the answer.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

__all__ = ["declared_name", "project_slug"]

_NAME_LINE = re.compile(r"^(?:name|'name'|\"name\"):[ \t]+(\S.*)$", re.MULTILINE)
_INCLUDE_LINE = re.compile(r"^(?:include|'include'|\"include\"):", re.MULTILINE)


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
        try:
            with open(path, encoding="utf-8") as file:
                text = file.read()
        except (OSError, UnicodeDecodeError):
            return None
        found = _NAME_LINE.findall(text)
        if found:
            name = _scalar(found[-1])
            if name is None or "$" in name:
                return None
        elif name is None and _INCLUDE_LINE.search(text):
            return None
    if not files:
        return None
    return project_slug(name or os.path.basename(os.path.dirname(files[0])))


def _scalar(text: str) -> str | None:
    import yaml

    try:
        value = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - makes nothing but texts
    except yaml.YAMLError:
        return None
    return value if isinstance(value, str) else None
