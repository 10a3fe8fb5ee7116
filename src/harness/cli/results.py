"""How the result of an action looks: values as they are, objects line by line, many as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from .facts import json_text
from .tables import table

if TYPE_CHECKING:
    from .output import Output

__all__ = ["is_table", "result_lines"]

_LONGEST = 60
"""Of a nested value in a table; `--json` has all of it."""
_ON_ONE_LINE = 100
"""So long may a value in an object be to stand beside its name, in characters."""
_INDENT = 2


def result_lines(
    output: Output, result: Any, *, columns: Mapping[str, str] = MappingProxyType({})
) -> Iterator[str]:
    """Return a result's lines; nothing for null.

    Objects of the same shape are a table, with a line each. So are rows beside their columns, as
    what asks a database returns them. What is too long to stand beside its name is below it.

    Args:
        output: where they go.
        result: JSON values.
        columns: of a table of objects, heading → path such as `latest.number`; empty: all keys.
    """
    if columns and is_table(result):
        rows = [[_at(one, path) for path in columns.values()] for one in result]
        return iter(_table(output, list(columns), rows, 0))
    return _lines(output, result, 0)


def is_table(result: Any) -> bool:
    """Tell whether a result is a list of objects that have the same keys."""
    if not isinstance(result, list) or not result or not isinstance(result[0], Mapping):
        return False
    keys = result[0].keys()
    return bool(keys) and all(isinstance(one, Mapping) and one.keys() == keys for one in result)


def _lines(output: Output, result: Any, indent: int) -> Iterator[str]:
    margin = " " * indent
    if result is None:
        return
    if is_table(result):
        yield from _of_objects(output, result, indent)
    elif isinstance(result, list) and indent:
        yield from (f"{margin}{json_text(value)}" for value in result)
    elif not isinstance(result, Mapping):
        yield f"{margin}{json_text(result)}"
    elif (rows := _rows(result)) is not None:
        names = [column["name"] for column in result["columns"]]
        yield from _table(output, names, rows, indent)
        rest = {key: value for key, value in result.items() if key not in ("columns", "rows")}
        yield from (f"{margin}{key}: {json_text(value)}" for key, value in rest.items())
    else:
        for key, value in result.items():
            yield from _named(output, key, value, indent)


def _named(output: Output, key: str, value: Any, indent: int) -> Iterator[str]:
    """Return the lines of a value in an object."""
    text = json_text(value)
    if len(text) <= _ON_ONE_LINE or not isinstance(value, Mapping | list):
        yield f"{' ' * indent}{key}: {text}"
    else:
        yield f"{' ' * indent}{key}:"
        yield from _lines(output, value, indent + _INDENT)


def _table(
    output: Output, names: Sequence[str], rows: Sequence[Sequence[Any]], indent: int
) -> list[str]:
    """Return a table of values; on a terminal that is too narrow the last columns are cut."""
    # A name such as `createdAt` is legible as it is alone.
    headers = [name.upper() if name.islower() else name for name in names]
    cells = [[_cell(value) for value in row] for row in rows]
    return table(output, headers, cells, yielding=len(headers), indent=indent)


def _of_objects(output: Output, objects: Sequence[Mapping[str, Any]], indent: int) -> list[str]:
    names = list(objects[0])
    return _table(output, names, [[one[name] for name in names] for one in objects], indent)


def _at(value: Any, path: str) -> Any:
    """Return what is at a path in an object; None where nothing is."""
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _rows(result: Mapping[str, Any]) -> Sequence[Sequence[Any]] | None:
    """Return the rows of a database's answer; None: it is something else, or has none."""
    columns, rows = result.get("columns"), result.get("rows")
    if not isinstance(columns, list) or not isinstance(rows, list) or not columns:
        return None
    named = all(isinstance(one, Mapping) and isinstance(one.get("name"), str) for one in columns)
    fit = all(isinstance(row, list) and len(row) == len(columns) for row in rows)
    return rows if named and fit else None


def _cell(value: Any) -> str | None:
    """Return a value on one line; a nested one is cut, a text is not."""
    if value is None:
        return None
    if not isinstance(value, Mapping | list):
        return " ".join(json_text(value).splitlines())
    if isinstance(value, list) and not any(isinstance(one, Mapping | list) for one in value):
        return ", ".join(map(json_text, value)) or None
    text = json_text(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
