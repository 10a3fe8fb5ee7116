"""YAML as a tree that remembers where everything stands, and how two trees merge.

Plain data forgets lines, so includes, overrides and templates are merged on this tree; a problem
found later still points at the line that says it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

__all__ = ["Entry", "Map", "Mark", "Node", "Path", "Scalar", "Seq", "find", "merge", "path_text",
           "plain", "put", "scalars"]  # fmt: skip

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A place in a file; line and column count from 1."""

    file: str
    line: int = 1
    column: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """One value: `text` as written, `value` as YAML 1.2 reads it.

    `column` is where the text's first character stands, when the file has the text in one line
    and letter by letter; None when it is folded or has escapes, or came from elsewhere.
    """

    text: str
    value: str | int | float | bool | None
    mark: Mark
    column: int | None = None

    def mark_at(self, offset: int) -> Mark:
        """Return the place of the character at `offset`, or of the value if that is not known."""
        return self.mark if self.column is None else replace(self.mark, column=self.column + offset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seq:
    """A list."""

    items: tuple[Node, ...]
    mark: Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A key's place and its value."""

    key: Mark
    node: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Map:
    """A mapping; keys are the texts as written, in file order."""

    mark: Mark
    entries: Mapping[str, Entry] = field(default_factory=dict)

    def get(self, key: str) -> Node | None:
        """Return the value of a key, or None."""
        entry = self.entries.get(key)
        return None if entry is None else entry.node

    def without(self, *keys: str) -> Map:
        """Return the map without these keys."""
        return replace(self, entries={k: e for k, e in self.entries.items() if k not in keys})

    def with_entry(self, key: str, entry: Entry) -> Map:
        """Return the map with one more, or another, entry."""
        return replace(self, entries={**self.entries, key: entry})


Node = Scalar | Seq | Map


def plain(node: Node) -> Any:
    """Return the data without the marks."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Seq):
        return [plain(item) for item in node.items]
    return {key: plain(entry.node) for key, entry in node.entries.items()}


def find(node: Node, path: Path) -> Node | None:
    """Return the node at `path`, or None."""
    current: Node | None = node
    for step in path:
        if isinstance(current, Map) and isinstance(step, str):
            current = current.get(step)
        elif isinstance(current, Seq) and isinstance(step, int) and step < len(current.items):
            current = current.items[step]
        else:
            return None
    return current


def put(node: Node, path: Path, new: Node) -> Node:
    """Return the tree with the node at `path`, which exists, replaced."""
    if not path:
        return new
    step, rest = path[0], path[1:]
    if isinstance(node, Map) and isinstance(step, str):
        entry = node.entries[step]
        return node.with_entry(step, replace(entry, node=put(entry.node, rest, new)))
    if isinstance(node, Seq) and isinstance(step, int):
        items = list(node.items)
        items[step] = put(items[step], rest, new)
        return replace(node, items=tuple(items))
    raise LookupError(path_text(path))


def merge(base: Node, over: Node) -> Node:
    """Lay one tree over another.

    Maps merge key by key, the base's order first; everything else is replaced as a whole, lists
    too. An empty value (null) over a key takes the key away.
    """
    if not isinstance(base, Map) or not isinstance(over, Map):
        return over
    entries = dict(base.entries)
    for key, entry in over.entries.items():
        if key not in entries:
            entries[key] = entry
        elif isinstance(entry.node, Scalar) and entry.node.value is None:
            del entries[key]
        else:
            entries[key] = replace(entry, node=merge(entries[key].node, entry.node))
    return replace(base, entries=entries)


def scalars(node: Node, path: Path = ()) -> Iterator[tuple[Path, Scalar]]:
    """Yield every scalar with its path, in file order."""
    if isinstance(node, Scalar):
        yield path, node
    elif isinstance(node, Seq):
        for index, item in enumerate(node.items):
            yield from scalars(item, (*path, index))
    else:
        for key, entry in node.entries.items():
            yield from scalars(entry.node, (*path, key))


def path_text(path: Path) -> str:
    """Write a path as in messages: `services.db.ports[0]`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return text
