"""Tables without boxes.

Columns two spaces apart, `-` for nothing, the last column as long as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .output import Output

__all__ = ["Cell", "columns", "table"]


class Cell(NamedTuple):
    """One cell: its text, and the style it is painted in."""

    text: str
    style: str | None = None


def table(
    output: Output, headers: Sequence[str], rows: Iterable[Sequence[str | Cell | None]]
) -> list[str]:
    """Return the lines of a table with its heading."""
    heading = [Cell(header, "bold") for header in headers]
    return columns(output, [heading, *rows])


def columns(output: Output, rows: Sequence[Sequence[str | Cell | None]]) -> list[str]:
    """Return aligned lines; None becomes `-`, an empty text stays empty."""
    cells = [[_cell(value) for value in row] for row in rows]
    count = max((len(row) for row in cells), default=0)
    widths = [
        max(len(row[index].text) for row in cells if index < len(row)) for index in range(count)
    ]
    return [_line(output, row, widths) for row in cells]


def _cell(value: str | Cell | None) -> Cell:
    if isinstance(value, Cell):
        return value
    return Cell("-" if value is None else value)


def _line(output: Output, row: Sequence[Cell], widths: Sequence[int]) -> str:
    parts = []
    for index, cell in enumerate(row):
        last = index == len(row) - 1
        padding = "" if last else " " * (widths[index] - len(cell.text) + 2)
        parts.append(output.paint(cell.text, cell.style) + padding)
    return "".join(parts).rstrip()
