"""A length of time as a parameter: given as everywhere else, `10s`, and a number of seconds inside.

Its format has a name of its own: `duration` means another way of writing to JSON Schema.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from harness.config import parse_duration

__all__ = ["Duration"]


def _seconds(value: object) -> float:
    try:
        return parse_duration(value)
    except ValueError:
        # What was given is not repeated: parameters are private.
        raise ValueError("input should be seconds, or text such as 500ms, 10s, 2m") from None


Duration = Annotated[
    float,
    BeforeValidator(_seconds),
    WithJsonSchema(
        {"anyOf": [{"type": "number"}, {"type": "string"}], "format": "seconds"}, mode="validation"
    ),
]
"""Seconds; callers may write `500ms`, `10s` or `2m`."""
