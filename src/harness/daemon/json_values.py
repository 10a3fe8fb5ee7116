"""Turns what the product's own types hold into JSON values."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import Enum
from pathlib import PurePath
from typing import Any

from harness.model import MASK, Secret, field_names

__all__ = ["json_value"]

_PLAIN = frozenset({str, int, float, bool, type(None)})
"""Most values are of these, and need no other look."""


def json_value(value: Any) -> Any:
    """Return a value of JSON's own types with the same content.

    Dataclasses become objects, moments ISO 8601 in UTC, bytes base64, secrets a mask.

    Raises:
        TypeError: the value is of a type that has no such form.
    """
    if type(value) in _PLAIN:
        return value
    if isinstance(value, int | float):
        return value
    if isinstance(value, Enum):
        return json_value(value.value)
    if isinstance(value, str):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: json_value(getattr(value, name)) for name in field_names(type(value))}
    return _other(value)


def _other(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key if type(key) is str else str(json_value(key)): json_value(item)
            for key, item in value.items()
        }
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, Iterable):
        return [json_value(item) for item in value]
    raise TypeError(f"no JSON for a {type(value).__name__}")
