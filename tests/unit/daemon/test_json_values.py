from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from harness.daemon.json_values import json_value
from harness.model import Secret, ServiceState


@dataclass(frozen=True, slots=True, kw_only=True)
class _Thing:
    name: str
    parts: tuple[Any, ...] = ()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (1.5, 1.5),
        ("x", "x"),
        (ServiceState.RUNNING, "running"),
        ({ServiceState.RUNNING: (1, 2)}, {"running": [1, 2]}),
        (datetime(2026, 1, 2, 3, tzinfo=UTC), "2026-01-02T03:00:00+00:00"),
        (
            datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=2))),
            "2026-01-02T01:00:00+00:00",
        ),
        (Path("/a/b"), "/a/b"),
        (b"\xff", "/w=="),
        (
            _Thing(name="a", parts=(_Thing(name="b"),)),
            {"name": "a", "parts": [{"name": "b", "parts": []}]},
        ),
    ],
)
def test_values_become_json_of_the_same_content(value, expected):
    assert json_value(value) == expected


def test_a_secret_is_masked():
    assert "sesame" not in str(json_value({"token": Secret("sesame")}))


def test_what_has_no_json_form_is_refused():
    with pytest.raises(TypeError, match="no JSON for a object"):
        json_value(object())
