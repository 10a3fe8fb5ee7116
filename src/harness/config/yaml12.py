"""YAML text to nodes, plain scalars read as YAML 1.2's core schema reads them (10.3.2).

PyYAML alone reads YAML 1.1, where `yes` is true, `22:22` is 1342 and `017` is 15; here they are
"yes", "22:22" and 17. Doubled keys, tags and endless aliases are problems. Source: YAML 1.2.2.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from harness.errors import ConfigSyntaxError, Problem

from .nodes import Entry, Map, Mark, Node, Scalar, Seq

__all__ = ["parse_yaml", "scalar_value"]

_PLAIN = "plain"
_NULL = ("", "~", "null", "Null", "NULL")
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"([-+]?)\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_TEXT_TAGS = ("tag:yaml.org,2002:str",)
_COLLECTION_TAGS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")
_PLAIN_TAGS = tuple(f"tag:yaml.org,2002:{name}" for name in ("int", "float", "bool", "null"))
_MAX_DIGITS = 4000  # the interpreter reads no longer numbers
_MAX_NODES = 50_000
_MAX_DEPTH = 100


class _Loader(yaml.CSafeLoader):
    """The C parser; it leaves plain scalars to us."""

    def resolve(self, kind: type[yaml.Node], value: str, implicit: Any) -> str:
        if kind is yaml.ScalarNode and implicit[0]:
            return _PLAIN
        return str(super().resolve(kind, value, (False, True)))  # type: ignore[no-untyped-call]


def scalar_value(text: str) -> str | int | float | bool | None:
    """Read a plain scalar as YAML 1.2 does."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.fullmatch(text):
        return int(text) if len(text) <= _MAX_DIGITS else text
    if _BASED.fullmatch(text):
        return int(text[2:], 8 if text[1] == "o" else 16)
    if _FLOAT.fullmatch(text):
        return float(text)
    special = _SPECIAL.fullmatch(text)
    if special:
        return float(f"{special[1]}inf") if special[1] is not None else float("nan")
    return text


def parse_yaml(text: str, *, file: str) -> tuple[Node | None, tuple[Problem, ...]]:
    """Return the document's root, None when it is empty, and what is wrong beside it.

    Raises:
        ConfigSyntaxError: it is not YAML, or more than one document.
    """
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        if mark and text.startswith("\t", mark.index):
            what = "a tab stands there for indentation"
            raise _failure(file, line, column, f"it is not YAML: {what}", "use spaces") from error
        what = ": ".join(part for part in (error.context, error.problem) if part)
        raise _failure(file, line, column, f"it is not YAML: {what}") from error
    except yaml.YAMLError as error:
        raise _failure(file, 1, 1, f"it is not YAML: {error}") from error
    if root is None:
        return None, ()
    reader = _Reader(file)
    return reader.node(root, ""), tuple(reader.problems)


class _Reader:
    """Turns PyYAML's nodes into ours."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._open: set[int] = set()
        self._count = 0
        self.problems: list[Problem] = []

    def node(self, source: yaml.Node, path: str) -> Node:
        self._count += 1
        mark = self._mark(source)
        if self._count > _MAX_NODES or len(self._open) > _MAX_DEPTH:
            raise _failure(self._file, mark.line, mark.column, "its aliases make it too large")
        if isinstance(source, yaml.ScalarNode):
            return self._scalar(source, mark, path)
        if id(source) in self._open:
            raise _failure(self._file, mark.line, mark.column, "an alias holds itself")
        if source.tag not in _COLLECTION_TAGS:
            self._report(mark, path, "config-syntax", f'the tag "{source.tag}" is not known')
        self._open.add(id(source))
        try:
            if isinstance(source, yaml.SequenceNode):
                items = (self.node(item, f"{path}[{i}]") for i, item in enumerate(source.value))
                return Seq(items=tuple(items), mark=mark)
            return self._map(source, mark, path)
        finally:
            self._open.discard(id(source))

    def _scalar(self, source: yaml.ScalarNode, mark: Mark, path: str) -> Scalar:
        text = str(source.value)
        column = _text_column(source, text)
        if "\0" in text:
            # No path, argument or variable can have one.
            self._report(mark, path, "config-value", "holds a NUL character")
            text = text.replace("\0", "")
        if source.tag == _PLAIN or source.tag in _PLAIN_TAGS:
            return Scalar(text=text, value=scalar_value(text), mark=mark, column=column)
        if source.tag not in _TEXT_TAGS:
            self._report(mark, path, "config-syntax", f'the tag "{source.tag}" is not known')
        return Scalar(text=text, value=text, mark=mark, column=column)

    def _map(self, source: Any, mark: Mark, path: str) -> Map:
        entries: dict[str, Entry] = {}
        merged: list[Map] = []
        for key_node, value_node in source.value:
            key_mark = self._mark(key_node)
            if not isinstance(key_node, yaml.ScalarNode):
                self._report(key_mark, path, "config-syntax", "a key must be text")
                continue
            key = str(key_node.value)
            here = f"{path}.{key}" if path else key
            value = self.node(value_node, here)
            if key == "<<" and key_node.tag == _PLAIN:
                merged.extend(self._merged(value, here))
            elif key in entries:
                first = entries[key].key
                message = f"the key is there already, in line {first.line}"
                self._report(key_mark, here, "config-duplicate-key", message)
            else:
                entries[key] = Entry(key=key_mark, node=value)
        inherited: dict[str, Entry] = {}
        for other in merged:
            inherited = {**other.entries, **inherited}
        return Map(entries={**inherited, **entries}, mark=mark)

    def _merged(self, value: Node, path: str) -> list[Map]:
        items = value.items if isinstance(value, Seq) else (value,)
        maps = [item for item in items if isinstance(item, Map)]
        if len(maps) != len(items):
            self._report(value.mark, path, "config-type", "<< takes maps only")
        return maps

    def _mark(self, source: yaml.Node) -> Mark:
        start = source.start_mark
        return Mark(file=self._file, line=start.line + 1, column=start.column + 1)

    def _report(self, mark: Mark, path: str, kind: str, message: str) -> None:
        self.problems.append(
            Problem(
                file=mark.file,
                line=mark.line,
                column=mark.column,
                path=path,
                kind=kind,
                message=message,
            )
        )


def _text_column(source: yaml.ScalarNode, text: str) -> int | None:
    """Return the column, from 1, of a text that stands in one line as it reads, else None."""
    start, end = source.start_mark, source.end_mark
    quotes = 1 if source.style in ("'", '"') else 0
    if start.line != end.line or end.column - start.column != len(text) + 2 * quotes:
        return None
    return int(start.column) + quotes + 1


def _failure(
    file: str, line: int, column: int, message: str, hint: str | None = None
) -> ConfigSyntaxError:
    problem = Problem(
        file=file, line=line, column=column, path="", kind=ConfigSyntaxError.kind, message=message,
        hint=hint,
    )  # fmt: skip
    return ConfigSyntaxError(problems=[problem])
