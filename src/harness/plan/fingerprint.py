"""Definitions of a unit compared: is what runs still what the file says, and if not, where not.

A fingerprint covers what takes a new start to change: the command, its options, environment, ports,
checks, hooks, timeouts, restart policy. It leaves out what is for people (`description`, `labels`,
`profiles`, `service_type`, `setup`) and `depends_on`, which matters only while a unit starts.

It is stable: mappings count the same in any order, 10 the same as 10.0, and a field at its default
the same as one that an older version did not have, so an upgrade of the harness restarts nothing.
It sees the definition with its `${…}` unresolved, and names of files, not what is in them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Set
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import datetime
from enum import Enum
from pathlib import PurePath
from typing import Any

from harness.model import Secret, UnitSpec

__all__ = ["UNFINGERPRINTED", "changed_fields", "field_hashes", "fingerprint"]

UNFINGERPRINTED = frozenset(
    {"depends_on", "description", "labels", "profiles", "service_type", "setup"}
)
"""Fields of a unit whose change restarts nothing."""

_HASH_LENGTH = 16

_PLAIN_TYPES = (str, int, bool)
"""Most values are of these, and need no look at abstract classes."""

_known_fields: dict[type[Any], tuple[Field[Any], ...]] = {}

# Made once: `json.dumps` with settings makes an encoder for every call.
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def fingerprint(spec: UnitSpec | Mapping[str, str]) -> str:
    """Return 64 hex digits that are equal for equal definitions, in any process and version.

    Args:
        spec: a definition, or its `field_hashes`, which saves the time to make them again.
    """
    hashes = field_hashes(spec) if isinstance(spec, UnitSpec) else spec
    return hashlib.sha256(_text(hashes).encode()).hexdigest()


def field_hashes(spec: UnitSpec) -> dict[str, str]:
    """Return a short hash for each fact of a definition that is not at its default; JSON values.

    Keys are named as in the stack file: `command`, `ports.http`, `env.LOG_LEVEL`. An option that
    is called like a unit's own field has `options.` before its name. Store it beside the
    fingerprint to be able to say later what changed.

    Raises:
        TypeError: an option holds a value that has no stable text.
    """
    return {path: _hash(value) for path, value in _facts(spec)}


def changed_fields(
    old: UnitSpec | Mapping[str, str], new: UnitSpec | Mapping[str, str]
) -> tuple[str, ...]:
    """Return the names of what differs, sorted; empty when the fingerprints are equal.

    Args:
        old: a definition, or its stored `field_hashes`.
        new: the same for the other side.
    """
    before = field_hashes(old) if isinstance(old, UnitSpec) else old
    after = field_hashes(new) if isinstance(new, UnitSpec) else new
    names = before.keys() | after.keys()
    return tuple(sorted(name for name in names if before.get(name) != after.get(name)))


def _facts(spec: UnitSpec) -> Iterator[tuple[str, Any]]:
    yield "kind", spec.kind
    own = {field.name for field in _fields(type(spec))}
    for field, value in _set_fields(spec):
        if field.name in UNFINGERPRINTED:
            continue
        if field.name == "options" and is_dataclass(value):
            # The class counts too: another executor may have options of the same names.
            yield "type", (spec.type, type(value).__name__)
            for option, setting in _set_fields(value):
                prefix = "options." if option.name in own else ""
                yield f"{prefix}{option.name}", setting
        elif isinstance(value, Mapping):
            for key, item in value.items():
                yield f"{field.name}.{key}", item
        elif field.name != "type":
            yield field.name, value
        else:
            yield "type", (value, "")


def _set_fields(value: Any) -> Iterator[tuple[Field[Any], Any]]:
    for field in _fields(type(value)):
        setting = getattr(value, field.name)
        if not _is_default(field, setting):
            yield field, setting


def _fields(kind: type[Any]) -> tuple[Field[Any], ...]:
    found = _known_fields.get(kind)
    if found is None:
        found = _known_fields[kind] = fields(kind)
    return found


def _is_default(field: Field[Any], value: Any) -> bool:
    if field.default is not MISSING:
        return bool(value == field.default)
    if field.default_factory is not MISSING:
        return bool(value == field.default_factory())
    return False


def _hash(value: Any) -> str:
    return hashlib.sha256(_text(value).encode()).hexdigest()[:_HASH_LENGTH]


def _text(value: Any) -> str:
    return _encode(_plain(value))


def _plain(value: Any) -> Any:
    """Return JSON values from which equal things, and only those, can be told."""
    if value is None or type(value) in _PLAIN_TYPES:
        return value
    if is_dataclass(value) and not isinstance(value, type):
        facts = {field.name: _plain(item) for field, item in _set_fields(value)}
        return {"": type(value).__name__, **facts}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Set):
        return sorted((_plain(item) for item in value), key=_text)
    return _scalar(value)


def _scalar(value: Any) -> Any:
    match value:
        case Enum():
            return _plain(value.value)
        case bool() | int() | str():
            return value
        case float():
            return int(value) if value.is_integer() else value
        case bytes():
            return {"bytes": value.hex()}
        case PurePath():
            return str(value)
        case datetime():
            return value.isoformat()
        case Secret():
            # Only its hash: the text is hashed once more, but must not pass through in clear.
            return {"secret": hashlib.sha256(value.reveal().encode()).hexdigest()}
        case _:
            raise TypeError(f"cannot fingerprint a value of type {type(value).__name__}")
