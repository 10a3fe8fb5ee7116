"""Signals by name."""

from __future__ import annotations

import signal

import pytest

from harness.commands import signal_number


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("SIGTERM", 15),
        ("term", 15),
        (" SIGINT ", 2),
        ("9", 9),
        ("SIGRTMIN+3", signal.SIGRTMIN + 3),
        ("RTMIN", signal.SIGRTMIN),
    ],
)
def test_a_signal_is_found_by_name_or_number(name: str, number: int) -> None:
    assert signal_number(name) == number


@pytest.mark.parametrize("name", ["", "SIG", "SIGNONE", "0", "999", "SIG_IGN", "RTMIN+99", "_DFL"])
def test_what_is_no_signal_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="unknown signal"):
        signal_number(name)
