"""Keeps secret texts out of whatever is shown."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from harness.model import MASK

__all__ = ["masked"]

_SHORTEST = 4


def masked(value: Any, secrets: Set[str]) -> Any:
    """Return JSON values with every secret text in them replaced."""
    if not secrets:
        return value
    if isinstance(value, str):
        # The longest first: one secret may be a part of another.
        for secret in sorted(secrets, key=len, reverse=True):
            # A shorter text is found everywhere, and its masks would tell it.
            if len(secret) >= _SHORTEST:
                value = value.replace(secret, MASK)
        return value
    if isinstance(value, Mapping):
        return {key: masked(item, secrets) for key, item in value.items()}
    if isinstance(value, list):
        return [masked(item, secrets) for item in value]
    return value
