"""A workflow's document as nodes, and a node's places: what is read is the same from everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .nodes import Entry, Map, Mark, Node, Path, Scalar, Seq, path_text
from .problems import Site

__all__ = ["document_node", "places", "set_names", "step_names"]

_STEPS = ("steps", "finally", "then", "else", "sequence", "parallel", "compensate")
"""Keys of lists of steps."""


def document_node(value: Any, file: str) -> Node:
    """Return JSON values as nodes of no file."""
    mark = Mark(file=file, line=0, column=0)
    if isinstance(value, Mapping):
        entries = {str(k): Entry(key=mark, node=document_node(v, file)) for k, v in value.items()}
        return Map(mark=mark, entries=entries)
    if isinstance(value, list | tuple):
        return Seq(items=tuple(document_node(item, file) for item in value), mark=mark)
    return Scalar(text=value if isinstance(value, str) else str(value), value=value, mark=mark)


def places(node: Node, site: Site, path: Path = ()) -> dict[str, str]:
    """Return path of every block below → where it stands."""
    found: dict[str, str] = {}
    if isinstance(node, Map):
        mark = node.mark
        found[path_text(path)] = f"{site.problems.shown(mark.file)}:{mark.line}:{mark.column}"
        for key, entry in node.entries.items():
            found |= places(entry.node, site, (*path, key))
    elif isinstance(node, Seq):
        for index, item in enumerate(node.items):
            found |= places(item, site, (*path, index))
    return found


def _maps(node: Node) -> Iterable[Map]:
    if isinstance(node, Map):
        yield node
        for entry in node.entries.values():
            yield from _maps(entry.node)
    elif isinstance(node, Seq):
        for item in node.items:
            yield from _maps(item)


def step_names(node: Map) -> Iterable[str]:
    """Return the names of all steps, to tell a later one from one that is not there."""
    for block in _maps(node):
        for key in _STEPS:
            steps = block.get(key)
            for step in steps.items if isinstance(steps, Seq) else ():
                name = step.get("name") if isinstance(step, Map) else None
                if isinstance(name, Scalar) and isinstance(name.value, str):
                    yield name.value


def set_names(node: Map) -> Iterable[str]:
    """Return the names of variables that steps set."""
    for block in _maps(node):
        values = block.get("set")
        if isinstance(values, Map):
            yield from values.entries
