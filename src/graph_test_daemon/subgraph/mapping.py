"""A mapping's source: which functions it exports.

Files that it re-exports from are followed. It is a reading of the text, not a compiler's: strings
that look like exports would count, which is no harm for telling of a handler that is missing.
"""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["exported_functions"]

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_FUNCTION = re.compile(r"^\s*export\s+function\s+(\w+)", re.MULTILINE)
_LIST = re.compile(r"^\s*export\s*\{([^}]*)\}", re.MULTILINE)
_ALL = re.compile(r"""^\s*export\s*\*\s*from\s*["']([^"']+)["']""", re.MULTILINE)


def exported_functions(path: Path) -> frozenset[str]:
    """Return the names that a file exports as functions, or hands on.

    Raises:
        OSError: the file itself cannot be read.
    """
    return frozenset(_exported(path, set()))


def _exported(path: Path, seen: set[Path]) -> set[str]:
    seen.add(path)
    text = _COMMENT.sub("", path.read_text("utf-8", "replace"))
    names = set(_FUNCTION.findall(text))
    for listed in _LIST.findall(text):
        names |= {item.split()[-1] for item in listed.split(",") if item.split()}
    for target in _ALL.findall(text):
        other = (path.parent / target).with_suffix(".ts").resolve()
        if other not in seen and other.is_file():
            names |= _exported(other, seen)
    return names
