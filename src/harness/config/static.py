"""Substitution at load, where only variables are known: structure and fields that are not text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from harness.errors import UnresolvedReference

from .interpolate import missing, resolve_text, unresolved
from .nodes import Map, Node, Scalar, Seq
from .problems import Site
from .yaml12 import scalar_value

__all__ = ["StaticLookup", "resolve_node", "resolve_scalar"]


class StaticLookup:
    """Knows variables; refuses everything that exists only once units run."""

    def __init__(self, *layers: Mapping[str, str], project: str | None = None) -> None:
        self._layers = layers
        self._project = project

    def variable(self, name: str) -> str | None:
        """Return the value from the first layer that has it."""
        for layer in self._layers:
            if name in layer:
                return layer[name]
        return None

    def reference(self, path: tuple[str, ...]) -> str:
        """Return the project's name; refuse other references."""
        if path == ("project", "name") and self._project is not None:
            return self._project
        raise unresolved(
            f"${{{'.'.join(path)}}} cannot stand here: the value is needed before any unit runs",
            hint="use a variable, such as ${NAME:-default}",
        )


def resolve_scalar(scalar: Scalar, site: Site, lookup: StaticLookup) -> Scalar | None:
    """Resolve a text and read the result as a plain scalar; None when that was a problem."""
    if not isinstance(scalar.value, str) or "$" not in scalar.text:
        return scalar
    try:
        text = resolve_text(scalar.text, lookup)
    except UnresolvedReference:
        for offset, problem in missing(scalar.text, lookup):
            site.problems.add(
                scalar.mark_at(offset), site.path, problem.kind, problem.message, problem.hint
            )
        return None
    return replace(scalar, text=text, value=scalar_value(text), column=None)


def resolve_node(node: Node, site: Site, lookup: StaticLookup) -> Node:
    """Resolve every text below; what could not be resolved, and is reported, stays as it is."""
    if isinstance(node, Scalar):
        return resolve_scalar(node, site, lookup) or node
    if isinstance(node, Seq):
        items = (resolve_node(n, site.at(i), lookup) for i, n in enumerate(node.items))
        return replace(node, items=tuple(items))
    entries = {
        key: replace(entry, node=resolve_node(entry.node, site.at(key), lookup))
        for key, entry in node.entries.items()
    }
    return Map(mark=node.mark, entries=entries)
