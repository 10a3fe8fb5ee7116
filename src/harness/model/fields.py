"""The names of a dataclass's fields, for those who walk through many values."""

from __future__ import annotations

import dataclasses
from typing import Any

__all__ = ["field_names"]

# Kept by hand: the type checker does not take a class for what a cached function may be given.
_known: dict[type[Any], tuple[str, ...]] = {}


def field_names(kind: type[Any]) -> tuple[str, ...]:
    """Return the names of a dataclass's fields, in their order; asked again, it costs nothing."""
    found = _known.get(kind)
    if found is None:
        found = _known[kind] = tuple(field.name for field in dataclasses.fields(kind))
    return found
