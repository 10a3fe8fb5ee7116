"""Amounts of tokens are exact, whatever form people write them in."""

from __future__ import annotations

from decimal import Decimal

import pytest

from graph_test_daemon.network import wei
from graph_test_daemon.network.errors import InvalidAmount


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (0, 0),
        (100_000, 10**23),
        ("0.5", 5 * 10**17),
        (Decimal("1e-18"), 1),
        ("10000000000.000000000000000001", 10**28 + 1),
        ("1e3", 10**21),
    ],
)
def test_tokens_are_exact_in_wei(tokens: Decimal | int | str, expected: int) -> None:
    assert wei(tokens) == expected


@pytest.mark.parametrize(
    ("tokens", "cause"),
    [
        ("-1", "it is negative"),
        ("1e-19", "tokens have 18 places"),
        (f"1.{'0' * 200}1", "tokens have 18 places"),
        ("1e-999999", "tokens have 18 places"),
        ("many", "it is no number"),
        ("NaN", "it is no number"),
        ("Infinity", "it is no number"),
        ("1e60", "it is too large"),
        ("1e999999", "it is too large"),
    ],
)
def test_what_is_no_amount_is_refused(tokens: str, cause: str) -> None:
    with pytest.raises(InvalidAmount, match=cause):
        wei(tokens)
