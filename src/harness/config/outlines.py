"""What the names in a stack file are, for somebody who types one of them; nothing is checked.

A shell that completes a word cannot wait until a stack is read as a whole, and has to answer while
half of the file is wrong.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import yaml
from yaml import MappingNode, Node, ScalarNode, SequenceNode

__all__ = ["Outline", "outline"]

_MOST_DEEP = 20
_KINDS = {"services": "service", "tasks": "task"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """Names in file order.

    Attributes:
        units: name → kind: service or task.
        ports: name of a unit → names of its ports; without those that have none.
        profiles: all that units name.
        workflows: their names.
    """

    units: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    profiles: tuple[str, ...] = ()
    workflows: tuple[str, ...] = ()


def outline(files: Sequence[str]) -> Outline:
    """Return the names in these files and what they include; what cannot be read is left out.

    Args:
        files: absolute paths.
    """
    trees = list(_trees(files))
    definitions = {
        name: node
        for tree in trees
        for section in ("templates", *_KINDS)
        for name, node in _entries(_value(tree, section))
    }
    units: dict[str, str] = {}
    ports: dict[str, tuple[str, ...]] = {}
    profiles: dict[str, None] = {}
    workflows: dict[str, None] = {}
    for tree in trees:
        workflows.update(dict.fromkeys(name for name, _ in _entries(_value(tree, "workflows"))))
        for section, kind in _KINDS.items():
            for name, node in _entries(_value(tree, section)):
                units.setdefault(name, kind)
                profiles.update(dict.fromkeys(_texts(_value(node, "profiles"))))
                own = _ports(node, definitions)
                if own:
                    ports[name] = tuple(dict.fromkeys((*ports.get(name, ()), *own)))
    return Outline(units=units, ports=ports, profiles=tuple(profiles), workflows=tuple(workflows))


def _trees(files: Iterable[str]) -> Iterator[Node]:
    """Yield the root of every file, before it those that it includes."""
    seen: set[str] = set()

    def read(path: str) -> Iterator[Node]:
        if path in seen:
            return
        seen.add(path)
        try:
            with open(path, encoding="utf-8-sig") as file:
                root = yaml.compose(file, Loader=yaml.CSafeLoader)
        except (OSError, ValueError, yaml.YAMLError):
            return
        if root is not None:
            for name in _texts(_value(root, "include")):
                yield from read(os.path.normpath(os.path.join(os.path.dirname(path), name)))
            yield root

    for path in files:
        yield from read(path)


def _ports(unit: Node, definitions: dict[str, Node]) -> list[str]:
    """Return the names of a unit's ports, and of those it inherits."""
    names: dict[str, None] = {}
    node: Node | None = unit
    for _ in range(_MOST_DEEP):
        ports = _value(node, "ports")
        named = [name for name, _ in _entries(ports)]
        # A port of a list is named by its number inside, without the protocol.
        numbers = [text.partition("/")[0].rpartition(":")[2] for text in _texts(ports)]
        names.update(dict.fromkeys((*named, *numbers)))
        above = _texts(_value(node, "extends"))
        node = definitions.get(above[0]) if above else None
    return list(names)


def _entries(node: Node | None, depth: int = 0) -> list[tuple[str, Node]]:
    """Return the keys and values of a map, merged ones among them."""
    if not isinstance(node, MappingNode) or depth > _MOST_DEEP:  # it may merge itself
        return []
    entries: list[tuple[str, Node]] = []
    for key, value in node.value:
        if not isinstance(key, ScalarNode):
            continue
        if key.value == "<<":
            merged = value.value if isinstance(value, SequenceNode) else [value]
            entries += [pair for item in merged for pair in _entries(item, depth + 1)]
        else:
            entries.append((str(key.value), value))
    return entries


def _value(node: Node | None, key: str) -> Node | None:
    return next((value for name, value in _entries(node) if name == key), None)


def _texts(node: Node | None) -> list[str]:
    """Return a text, or the texts of a list."""
    items = node.value if isinstance(node, SequenceNode) else [node]
    return [str(item.value) for item in items if isinstance(item, ScalarNode) and item.value]
