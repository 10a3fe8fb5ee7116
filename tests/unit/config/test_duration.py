"""Durations and sizes as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.config import parse_duration, parse_size
from tests.unit.config.stacks import CALM


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (0, 0.0),
        (3, 3.0),
        (2.5, 2.5),
        ("10", 10.0),
        (".5", 0.5),
        ("500ms", 0.5),
        ("20us", 2e-05),
        ("10s", 10.0),
        ("2m", 120.0),
        ("1.5h", 5400.0),
        ("1d", 86400.0),
        ("1h30m", 5400.0),
        (" 1m1s ", 61.0),
    ],
)
def test_duration_is_read_as_seconds(value: object, seconds: float) -> None:
    assert parse_duration(value) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "value",
    ["", "s", "1 s", "1x", "ten", "1s2", "-1s", -1, float("inf"), float("nan"), True, None, []],
)
def test_what_is_no_duration_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(value)


@CALM
@given(st.integers(min_value=0, max_value=10**6))
def test_units_agree_with_one_another(number: int) -> None:
    assert parse_duration(f"{number}s") == parse_duration(number)
    assert parse_duration(f"{number}m") == 60 * parse_duration(number)
    assert parse_duration(f"{number}s{number}ms") == pytest.approx(number * 1.001)


@pytest.mark.parametrize(
    ("value", "size"),
    [
        (0, 0),
        (5, 5),
        ("5", 5),
        ("5b", 5),
        ("64MiB", 64 * 1024**2),
        ("64 mib", 64 * 1024**2),
        ("1k", 1024),
        ("1.5KiB", 1536),
        ("2g", 2 * 1024**3),
        ("10MB", 10**7),
        ("1TB", 10**12),
    ],
)
def test_size_is_read_as_bytes(value: object, size: int) -> None:
    assert parse_size(value) == size


@pytest.mark.parametrize("value", ["", "MiB", "1 apple", "-1", -1, 1.5, True, None])
def test_what_is_no_size_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="size"):
        parse_size(value)
