"""Tables: aligned, and cut to a terminal's width."""

from __future__ import annotations

from typing import Any

import pytest

from harness.cli.options import GlobalOptions
from harness.cli.output import Output
from harness.cli.tables import Cell, columns, table

ROWS: list[list[str | Cell | None]] = [
    ["web", "running", "http://127.0.0.1:40211", None],
    ["worker", "failed", None, "exit status 3 after a long and winding road"],
]


class Narrow(Output):
    """An output to a terminal of so many columns."""

    def __init__(self, width: int | None) -> None:
        super().__init__(GlobalOptions(color="never"))
        self._width = width

    def size(self) -> tuple[int, int] | None:
        return (self._width, 24) if self._width is not None else None


def test_a_pipe_gets_lines_of_any_length() -> None:
    lines = columns(Narrow(None), ROWS, yielding=2)
    assert lines[1] == f"worker  failed   -{' ' * 23}exit status 3 after a long and winding road"


def test_a_wide_terminal_gets_the_same_lines() -> None:
    assert columns(Narrow(200), ROWS, yielding=2) == columns(Narrow(None), ROWS)


def test_a_table_that_was_not_told_to_is_not_cut() -> None:
    assert columns(Narrow(10), ROWS) == columns(Narrow(None), ROWS)


def test_the_last_column_is_cut_first_then_those_before_it() -> None:
    assert columns(Narrow(60), ROWS, yielding=2) == [
        "web     running  http://127.0.0.1:40211  -",
        "worker  failed   -                       exit status 3 afte…",
    ]
    assert columns(Narrow(50), ROWS, yielding=2) == [
        "web     running  http://127.0.0.…  -",
        "worker  failed   -                 exit status 3 …",
    ]


@pytest.mark.parametrize("width", range(1, 100))
def test_no_line_is_longer_than_the_terminal_is_wide(width: int) -> None:
    lines = table(Narrow(width), ("A", "STATE", "WHERE", "WHY"), ROWS, yielding=2)
    assert max(map(len, lines)) <= width


def test_characters_that_take_two_columns_are_counted_so() -> None:
    row: list[str | Cell | None] = ["\u65e5\u672c", "\u65e5\u672c\u8a9e"]
    assert columns(Narrow(9), [row], yielding=1) == ["\u65e5\u672c  \u65e5…"]
    both = columns(Narrow(None), [row, ["web", "x"]])
    assert both == ["\u65e5\u672c  \u65e5\u672c\u8a9e", "web   x"]


def test_cutting_happens_before_painting() -> None:
    output = Narrow(12)
    output._options.color = "always"
    rows: Any = [[Cell("a", "good"), Cell("much too long", "bad")]]
    (line,) = columns(output, rows, yielding=1)
    assert line == "\x1b[32ma\x1b[0m  \x1b[31mmuch too…\x1b[0m"


def test_a_stdout_that_is_no_terminal_has_no_size() -> None:
    assert Output(GlobalOptions()).size() is None
