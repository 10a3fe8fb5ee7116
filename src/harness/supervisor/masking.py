"""Keeps secret texts out of whatever is shown."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping, Set
from typing import Any

from harness.model import MASK

__all__ = ["forms", "masked"]

_SHORTEST = 4
_SHORTEST_NUMBER = 6


def forms(secrets: Iterable[str]) -> frozenset[str]:
    """Return secrets in every form in which messages have them.

    As they are, line by line, and quoted as in a command line, in JSON and in Python.
    """
    found: set[str] = set()
    for secret in secrets:
        found |= {secret, shlex.quote(secret), json.dumps(secret)[1:-1], repr(secret)[1:-1]}
        found |= {json.dumps(secret, ensure_ascii=False)[1:-1]}
        if len(lines := secret.split("\n")) > 1:
            found |= {line.strip() for line in lines}
    return frozenset(text for text in found if len(text) >= _SHORTEST)


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
    if type(value) in (int, float):
        # A program has printed it as JSON. Short ones are everywhere: ports, process ids.
        text = str(value)
        return MASK if len(text) >= _SHORTEST_NUMBER and text in secrets else value
    if isinstance(value, Mapping):
        return {masked(key, secrets): masked(item, secrets) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [masked(item, secrets) for item in value]
    return value
