"""Times as people read and write them."""

from __future__ import annotations

import click
import pytest

from harness.cli.moments import DURATION, MOMENT, age


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0.00 s"), (0.214, "0.21 s"), (1.13, "1.1 s"), (42.4, "42 s"), (131, "2m 11s"),
        (3600, "1h 00m"), (90061, "1d 01h"), (59.7, "60 s"),
    ],
)  # fmt: skip
def test_an_age_has_two_units_at_most(seconds: float, text: str) -> None:
    assert age(seconds) == text


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("1.5", 1.5), ("500ms", 0.5), ("2m", 120), ("1h30m", 5400)]
)
def test_durations_are_read_as_in_the_stack_file(text: str, seconds: float) -> None:
    assert DURATION.convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-1", "10 parsecs", "inf", "nan", "1m later"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        DURATION.convert(text, None, None)


def test_a_moment_may_be_seconds_since_1970() -> None:
    assert MOMENT.convert("86400", None, None) == "1970-01-02T00:00:00+00:00"
