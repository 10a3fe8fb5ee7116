"""Values of PostgreSQL as JSON has them."""

from __future__ import annotations

import datetime
import ipaddress
import json
import uuid
from decimal import Decimal
from typing import Any

import pytest

from graph_test_daemon.postgres.rows import Column, QueryResult, json_value

UUID = uuid.UUID("12345678-1234-5678-1234-567812345678")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (2**70, 2**70),
        (1.5, 1.5),
        (float("inf"), "inf"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0.1000"), "0.1000"),
        (Decimal("NaN"), "NaN"),
        (b"\x00\xff", "0x00ff"),
        (memoryview(b"a"), "0x61"),
        (datetime.date(2026, 1, 31), "2026-01-31"),
        (datetime.datetime(2026, 1, 31, 9, 10, tzinfo=datetime.UTC), "2026-01-31T09:10:00+00:00"),
        (datetime.timedelta(days=1, seconds=5), "1 day, 0:00:05"),
        (UUID, str(UUID)),
        (ipaddress.ip_address("::1"), "::1"),
        ([Decimal(1), [b"a"]], ["1", ["0x61"]]),
        ({"a": Decimal(1)}, {"a": "1"}),
    ],
)
def test_values_are_json(value: Any, expected: Any) -> None:
    assert json_value(value) == expected
    json.dumps(json_value(value), allow_nan=False)


def test_a_result_without_rows_has_no_value() -> None:
    assert QueryResult().value() is None
    assert QueryResult().records() == []


def test_records_are_by_name() -> None:
    columns = (Column(name="a", type="int4"), Column(name="b", type="text"))
    assert QueryResult(columns=columns, rows=((1, "x"),)).records() == [{"a": 1, "b": "x"}]
