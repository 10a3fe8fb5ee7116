"""Files of `NAME=value` lines: every case in tests/cases/env_file, and what no case can say."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.config import parse_env_file, read_env_file
from harness.errors import ConfigSyntaxError
from tests.unit.config.stacks import CALM

CASES = Path(__file__).parents[2] / "cases" / "env_file"


@pytest.mark.parametrize("case", sorted(path.stem for path in CASES.glob("*.env")))
def test_file_gives_what_stands_beside_it(case: str) -> None:
    expected = json.loads((CASES / f"{case}.json").read_text())
    text = (CASES / f"{case}.env").read_text()

    if "problems" not in expected:
        values = parse_env_file(text, path=f"{case}.env")
        assert list(values.items()) == list(expected["values"].items())
        return
    with pytest.raises(ConfigSyntaxError) as caught:
        parse_env_file(text, path=f"{case}.env")
    assert [str(problem) for problem in caught.value.problems] == expected["problems"]


def test_file_is_read_and_a_byte_order_mark_ignored(tmp_path: Path) -> None:
    (tmp_path / "a.env").write_bytes(b"\xef\xbb\xbfA=\xc3\xa9\n")

    assert read_env_file(tmp_path / "a.env") == {"A": "é"}


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigSyntaxError, match="cannot read it: No such file"):
        read_env_file(tmp_path / "none.env")


def test_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.env").write_bytes(b"A=\xff\n")

    with pytest.raises(ConfigSyntaxError, match="not UTF-8"):
        read_env_file(tmp_path / "a.env")


@CALM
@given(
    st.dictionaries(
        st.from_regex(r"[A-Za-z_]\w{0,5}", fullmatch=True).filter(str.isascii),
        st.text(st.characters(exclude_characters="'\r", codec="utf-8")),
    )
)
def test_quoted_values_come_back_as_they_were(values: dict[str, str]) -> None:
    text = "".join(f"{name}='{value}'\n" for name, value in values.items())

    assert parse_env_file(text, path="f") == values


@CALM
@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ConfigSyntaxError):
        assert all(parse_env_file(text, path="f"))
