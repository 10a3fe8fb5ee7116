"""What the references in a definition stood for when a run began, as hashes by name of the fact.

The fingerprint sees a definition with its `${…}` unresolved, and names of env files. This is the
other half: only facts that hold a reference, or come from an env file, have a hash here.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from harness.config import Lookup, read_env_file, resolve
from harness.errors import ConfigError
from harness.model import Hooks, UnitSpec

__all__ = ["changed_values", "value_hashes"]

_HASH_LENGTH = 16
_UNKNOWN = ""
_NO_HOOKS = Hooks()


def value_hashes(spec: UnitSpec, lookup: Lookup) -> dict[str, str]:
    """Return fact, such as `env.URL`, → hash of its value; empty for one that has no value now."""
    found = _file_hashes(spec, lookup)
    for name, raw in _facts(spec):
        try:
            value = resolve(raw, lookup)
        except (ConfigError, ValueError):
            found[name] = _UNKNOWN
            continue
        if value != raw:
            found[name] = _hash(value)
        else:
            # It may stand for a variable of an env file.
            found.pop(name, None)
    return found


def changed_values(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of facts with another value, sorted; what is not known is unchanged."""
    if now.get("env_file") == _UNKNOWN or before.get("env_file") == _UNKNOWN:
        names = before.keys() & now.keys()
    else:
        names = before.keys() | now.keys()
    return tuple(
        sorted(
            name
            for name in names
            if before.get(name) != now.get(name)
            and _UNKNOWN not in (before.get(name), now.get(name))
        )
    )


def _file_hashes(spec: UnitSpec, lookup: Lookup) -> dict[str, str]:
    found: dict[str, str] = {}
    try:
        for name in resolve(spec.env_file, lookup):
            values = read_env_file(os.path.join(spec.base_dir, name))
            found.update({f"env.{key}": _hash(value) for key, value in values.items()})
    except (ConfigError, ValueError):
        return {"env_file": _UNKNOWN}
    return found


def _facts(spec: UnitSpec) -> Iterator[tuple[str, Any]]:
    for name, text in spec.env.items():
        yield f"env.{name}", text
    for item in fields(spec.options):
        yield item.name, getattr(spec.options, item.name)
    if spec.hooks != _NO_HOOKS:
        for moment in fields(spec.hooks):
            yield f"hooks.{moment.name}", getattr(spec.hooks, moment.name)
    yield "health", spec.health


def _hash(value: Any) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()[:_HASH_LENGTH]
