"""A YAML file as plain data that knows where each value is written.

Scalars are read as graph-node reads them: an address without quotes is a text, not a number.

Source: YAML 1.2, core schema without its hexadecimal and octal numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from .problems import Problem

__all__ = ["FLOAT", "INT", "WORDS", "Document", "Path", "Place", "read_document"]

Path = tuple[str | int, ...]
"""The way to a value: keys and positions, outermost first."""

INT = re.compile(r"[-+]?[0-9]+$")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$")
WORDS: Mapping[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", "")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a value begins; both counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What a file holds.

    Attributes:
        file: its name, for messages.
        text: as it is written.
        data: mappings, lists, texts, numbers, booleans and None; not to be changed.
        places: of every key and every item of a list.
        doubled: the way to each key that its mapping has twice.
    """

    file: str
    text: str
    data: Any
    places: Mapping[Path, Place]
    doubled: tuple[Path, ...]

    def at(self, *path: str | int) -> Any:
        """Return the value there, or None where there is none."""
        found = self.data
        for step in path:
            match found, step:
                case dict(), str():
                    found = found.get(step)
                case list(), int() if step < len(found):
                    found = found[step]
                case _:
                    return None
        return found

    def place(self, *path: str | int) -> Place:
        """Return where that is, or would be: the nearest thing around it that is written."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, Place(line=1, column=1))


def read_document(text: str, file: str) -> Document | Problem:
    """Read a file's text; what is no YAML comes back as the problem it is."""
    try:
        node = yaml.compose(text, yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (0, 0) if mark is None else (mark.line + 1, mark.column + 1)
        message = f"it is no YAML: {error.problem}"
        return Problem(message=message, file=file, line=line, column=column)
    except yaml.YAMLError as error:
        return Problem(message=f"it is no YAML: {error}", file=file)
    reader = _Reader()
    data = None if node is None else reader.value(node, ())
    return Document(
        file=file,
        text=text,
        data=data,
        places=reader.places,
        doubled=tuple(reader.doubled),
    )


class _Reader:
    """Makes plain data of nodes and notes where they are."""

    def __init__(self) -> None:
        self.places: dict[Path, Place] = {}
        self.doubled: list[Path] = []

    def value(self, node: yaml.Node, path: Path) -> Any:
        self.places.setdefault(path, _place(node))
        match node:
            case yaml.MappingNode():
                return dict(self._pairs(node, path))
            case yaml.SequenceNode():
                return [self.value(item, (*path, at)) for at, item in enumerate(node.value)]
            case yaml.ScalarNode():
                return _scalar(node)
            case _:
                raise AssertionError(node)

    def _pairs(self, node: yaml.MappingNode, path: Path) -> Iterator[tuple[str, Any]]:
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                self.doubled.append((*path, name))
            seen.add(name)
            self.places[*path, name] = _place(key)
            yield name, self.value(value, (*path, name))


def _place(node: yaml.Node) -> Place:
    return Place(line=node.start_mark.line + 1, column=node.start_mark.column + 1)


def _scalar(node: yaml.ScalarNode) -> Any:
    text: str = node.value
    if node.style in ("'", '"', "|", ">"):
        return text
    if text in WORDS:
        return WORDS[text]
    if INT.match(text):
        return int(text)
    return float(text) if FLOAT.match(text) else text
