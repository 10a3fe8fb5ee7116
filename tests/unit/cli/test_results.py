"""Results of actions: lines, and tables where there are many objects of one shape."""

from __future__ import annotations

from typing import Any

import pytest

from harness.cli.options import GlobalOptions
from harness.cli.output import Output
from harness.cli.results import result_lines


class Narrow(Output):
    """An output to a terminal of so many columns; None: to a pipe."""

    def __init__(self, width: int | None = None) -> None:
        super().__init__(GlobalOptions(color="never"))
        self._width = width

    def size(self) -> tuple[int, int] | None:
        return (self._width, 24) if self._width is not None else None


@pytest.mark.parametrize(
    ("result", "lines"),
    [
        pytest.param(None, [], id="nothing"),
        pytest.param("0x1", ["0x1"], id="a text"),
        pytest.param([1, 2], ["[1, 2]"], id="numbers"),
        pytest.param([], ["[]"], id="an empty list"),
        pytest.param({"a": 1, "b": {"c": 2}}, ["a: 1", 'b: {"c": 2}'], id="an object"),
        pytest.param(
            [{"id": "0x1", "active": True, "at": None}, {"id": "0xaa", "active": False, "at": 3}],
            ["ID    ACTIVE  AT", "0x1   true    -", "0xaa  false   3"],
            id="objects of one shape",
        ),
        pytest.param(
            {
                "depth": 2,
                "short": [{"a": 1}],
                "reorg": {"blocks": [{"n": 7, "hash": "0" * 99}, {"n": 8, "hash": "1"}], "at": 1},
                "log": ["one " * 20, "two " * 20],
                "text": "t" * 120,
            },
            [
                "depth: 2",
                'short: [{"a": 1}]',
                "reorg:",
                "  blocks:",
                "    N  HASH",
                f"    7  {'0' * 99}",
                "    8  1",
                "  at: 1",
                "log:",
                f"  {'one ' * 20}",
                f"  {'two ' * 20}",
                f"text: {'t' * 120}",
            ],
            id="what is long is below its name",
        ),
        pytest.param([{"createdAt": 1, "n": 2}], ["createdAt  N", "1          2"], id="camels"),
        pytest.param([{"a": 1}, {"b": 1}], ['[{"a": 1}, {"b": 1}]'], id="objects of others"),
        pytest.param([{}, {}], ["[{}, {}]"], id="objects without keys"),
        pytest.param(
            [{"a": {"hash": "0x" + "1" * 99}, "t": "x\ny"}],
            ["A" + " " * 61 + "T", '{"hash": "0x' + "1" * 47 + "…" + "  x y"],
            id="nested values are cut, texts are one line",
        ),
        pytest.param(
            {
                "columns": [{"name": "n", "type": "int4"}, {"name": "n", "type": "text"}],
                "rows": [[1, "a"], [22, None]],
                "row_count": 2,
            },
            ["N   N", "1   a", "22  -", "row_count: 2"],
            id="rows beside their columns",
        ),
        pytest.param(
            {"columns": [], "rows": [], "row_count": 0},
            ["columns: []", "rows: []", "row_count: 0"],
            id="a statement without rows",
        ),
        pytest.param(
            [{"names": ["a", "b"], "more": []}, {"names": ["c"], "more": [1]}],
            ["NAMES  MORE", "a, b   -", "c      1"],
            id="lists of values in a table",
        ),
        pytest.param(
            {"columns": 3, "rows": [[1]]}, ["columns: 3", "rows: [[1]]"], id="an object of others"
        ),
    ],
)
def test_a_result_is_shown(result: Any, lines: list[str]) -> None:
    assert list(result_lines(Narrow(), result)) == lines


def test_a_table_fits_the_terminal_and_a_pipe_gets_all_of_it() -> None:
    result = [{"name": "a" * 30, "text": "b" * 90}]
    assert len(list(result_lines(Narrow(60), result))[1]) == 60
    assert list(result_lines(Narrow(), result))[1].endswith("b" * 90)
    nested = list(result_lines(Narrow(60), {"one": {"all": result, "more": "c" * 90}}))
    assert [len(line) for line in nested[:4]] == [4, 6, 40, 60]


def test_a_table_has_the_columns_that_its_action_says() -> None:
    result = [{"id": "a", "at": {"number": 7}, "more": 1}, {"id": "b", "at": None, "more": 2}]
    columns = {"block": "at.number", "id": "id", "gone": "no.such"}
    assert list(result_lines(Narrow(), result, columns=columns)) == [
        "BLOCK  ID  GONE",
        "7      a   -",
        "-      b   -",
    ]
    assert list(result_lines(Narrow(), 7, columns=columns)) == ["7"]
