"""The resolved stack as YAML, with everything private masked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from harness.model import MASK, UnitKind

from .build import build
from .dialects import UNIT_GROUPS
from .interpolate import resolve_text
from .nodes import Map, Node, Scalar, Seq
from .source import Source
from .types import Types

__all__ = ["show"]

_PRIVATE = re.compile(
    r"pass(word|wd|phrase)?$|pwd|secret|token|api_?key|private|credential|mnemonic", re.IGNORECASE
)
_KEPT = re.compile("\0([^\0]*)\0")
_URL_PASSWORD = re.compile(r"(://[^/\s:@]*:)[^/\s@]+@")


class _Masked:
    """Fills in the stack's own variables, masks what comes from outside."""

    def __init__(self, variables: Mapping[str, str], outside: Mapping[str, str], project: str):
        self._variables = variables
        self._outside = outside
        self._project = project

    def variable(self, name: str) -> str | None:
        if name in self._outside:
            return MASK if self._outside[name] else ""
        return self._variables.get(name)

    def reference(self, path: tuple[str, ...]) -> str:
        if path == ("project", "name"):
            return self._project
        return MASK if path[0] == "secrets" else f"\0{'.'.join(path)}\0"


def show(source: Source, types: Types) -> str:
    """Return the YAML text; see `load.show`."""
    built = build(source, types)
    built.problems.raise_if_any()
    assert built.root  # noqa: S101 - without problems there are all three
    assert built.assembled  # noqa: S101
    assert built.stack  # noqa: S101
    lookup = _Masked(
        built.assembled.variables,
        {**built.assembled.env_values, **source.env},
        built.stack.name,
    )
    document: dict[str, Any] = {"name": built.stack.name}
    for key, entry in built.root.entries.items():
        if key in ("name", "env_file", "include", "templates") or key.startswith("x-"):
            continue
        if key in UNIT_GROUPS and isinstance(entry.node, Map):
            kind = UnitKind.TASK if key == "tasks" else UnitKind.SERVICE
            document[key] = {
                name: _data(unit.node, name, lookup)
                for name, unit in entry.node.entries.items()
                if name in built.stack.units and built.stack.units[name].kind is kind
            }
        else:
            document[key] = _data(entry.node, key, lookup)
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)


def _data(node: Node, key: str, lookup: _Masked) -> Any:
    if isinstance(node, Seq):
        return [_data(item, key, lookup) for item in node.items]
    if isinstance(node, Map):
        return {name: _data(entry.node, name, lookup) for name, entry in node.entries.items()}
    return _scalar(node, key, lookup)


def _scalar(node: Scalar, key: str, lookup: _Masked) -> Any:
    if not isinstance(node.value, str):
        return MASK if node.value is not None and _PRIVATE.search(key) else node.value
    text = node.text
    if "$" in text:
        # What is shown is a stack file again: a `$` of a value is no reference.
        text = _KEPT.sub(r"${\1}", resolve_text(text, lookup).replace("$", "$$"))
    if text and _PRIVATE.search(key):
        return MASK
    return _URL_PASSWORD.sub(rf"\g<1>{MASK}@", text)
