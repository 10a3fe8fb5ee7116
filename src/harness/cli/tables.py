"""Tables without boxes.

Columns two spaces apart, `-` for nothing, the last column as long as it is. On a terminal a line
can be made to fit: it is cut, never wrapped. What goes into a pipe is never cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .output import Output

__all__ = ["Cell", "columns", "table"]

_GAP = 2
_LEAST = 16  # characters that a cut column keeps


class Cell(NamedTuple):
    """One cell: its text, and the style it is painted in."""

    text: str
    style: str | None = None


def table(
    output: Output,
    headers: Sequence[str],
    rows: Iterable[Sequence[str | Cell | None]],
    *,
    yielding: int = 0,
    indent: int = 0,
) -> list[str]:
    """Return the lines of a table with its heading; see `columns`."""
    heading = [Cell(header, "bold") for header in headers]
    return columns(output, [heading, *rows], yielding=yielding, indent=indent)


def columns(
    output: Output,
    rows: Sequence[Sequence[str | Cell | None]],
    *,
    yielding: int = 0,
    indent: int = 0,
) -> list[str]:
    """Return aligned lines; None becomes `-`, an empty text stays empty.

    Args:
        output: where they go.
        rows: cells of each line.
        yielding: on a terminal that is too narrow so many last columns are cut, the last one first,
            and then the lines; 0: nothing is.
        indent: spaces before each line.
    """
    cells = [[_cell(value) for value in row] for row in rows]
    count = max((len(row) for row in cells), default=0)
    widths = [
        max(_width(row[index].text) for row in cells if index < len(row)) for index in range(count)
    ]
    size = output.size() if yielding else None
    if size is not None:
        room = max(size[0] - indent, 0)
        widths = _fitted(widths, min(yielding, count), room)
        cells = [_cut_row(row, widths, room) for row in cells]
    return [" " * indent + _line(output, row, widths) for row in cells]


def _fitted(widths: Sequence[int], yielding: int, room: int) -> list[int]:
    """Return the widths with the last ones shortened as far as they have to be and may be."""
    fitted = list(widths)
    excess = sum(fitted) + _GAP * (len(fitted) - 1) - room
    for index in reversed(range(len(fitted) - yielding, len(fitted))):
        given = min(max(excess, 0), max(fitted[index] - _LEAST, 0))
        fitted[index] -= given
        excess -= given
    return fitted


def _cut_row(row: Sequence[Cell], widths: Sequence[int], room: int) -> list[Cell]:
    cut = []
    for cell, width in zip(row, widths, strict=False):
        cut.append(Cell(_cut(cell.text, max(min(width, room), 0)), cell.style))
        room -= width + _GAP
    return cut


def _cut(text: str, width: int) -> str:
    """Return as much of the text as fits, with a mark where it was cut."""
    if _width(text) <= width:
        return text
    text = text[: max(width - 1, 0)]
    while _width(text) > width - 1 and text:
        text = text[:-1]
    return f"{text}…" if width > 0 else ""


def _width(text: str) -> int:
    """Return the columns that a text takes; some characters take two, or none."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(
        0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text
    )


def _cell(value: str | Cell | None) -> Cell:
    if isinstance(value, Cell):
        return value
    return Cell("-" if value is None else value)


def _line(output: Output, row: Sequence[Cell], widths: Sequence[int]) -> str:
    parts = []
    for index, cell in enumerate(row):
        last = index == len(row) - 1
        padding = "" if last else " " * (widths[index] - _width(cell.text) + _GAP)
        painted = output.paint(cell.text, cell.style) if cell.text else ""
        parts.append(painted + padding)
    return "".join(parts).rstrip()
