"""Records as JSON documents, and back.

A document of an older layout is read: what it does not have takes its default. One of a newer
layout is refused.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from .errors import JournalTooNew
from .records import (
    Allocation,
    AllocationState,
    BlockAt,
    Deployment,
    DeploymentState,
    Graft,
    GraftChain,
    Moment,
    Note,
    QuerySnapshot,
    Record,
    Transaction,
    TransactionState,
)

__all__ = ["KINDS", "R", "document_of", "kind_of", "record_of"]

R = TypeVar("R", bound=Record)

KINDS: Mapping[str, type[Record]] = {
    "deployment": Deployment,
    "graft-chain": GraftChain,
    "allocation": Allocation,
    "transaction": Transaction,
    "query-snapshot": QuerySnapshot,
    "note": Note,
}
"""Every kind of record, by the name that it is kept and shown under."""

_NAMES = {of: name for name, of in KINDS.items()}


def kind_of(of: type[Record]) -> str:
    """Return the name of a kind of records."""
    return _NAMES[of]


def document_of(record: Record) -> str:
    """Return a record as JSON."""
    return json.dumps(dataclasses.asdict(record), separators=(",", ":"), default=_plain)


def record_of(of: type[R], document: str) -> R:
    """Return the record that a document tells.

    Raises:
        JournalTooNew: its layout is a newer one.
        ValueError: it is no such document.
    """
    values = json.loads(document)
    if not isinstance(values, dict) or not isinstance(values.get("version"), int):
        raise ValueError("it is no record")
    known = {field.name: field.default for field in dataclasses.fields(of)}
    newest = known["version"]
    if values["version"] > newest:
        raise JournalTooNew(
            what=f"read a {kind_of(of)}",
            cause=f"a newer version wrote it (layout {values['version']}, this one knows {newest})",
        )
    try:
        given = {name: _read(of, name, values[name]) for name in known if name in values}
        return of(**(given | {"version": newest}))
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(str(error)) from error


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"cannot keep {value!r}")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _block(values: Mapping[str, Any]) -> BlockAt:
    return BlockAt(number=values["number"], hash=values["hash"])


def _moment(values: Mapping[str, Any]) -> Moment:
    return Moment(epoch=values["epoch"], block=values["block"], transaction=values["transaction"])


def _graft(values: Mapping[str, Any]) -> Graft:
    return Graft(base=values["base"], block=values["block"])


_TIMES = frozenset({"deployed_at", "removed_at", "recorded_at", "taken_at", "noted_at"})
_READERS: Mapping[type[Record], Mapping[str, Callable[[Any], Any]]] = {
    Deployment: {"block": _block, "graft": _graft, "state": DeploymentState},
    GraftChain: {"deployments": tuple},
    Allocation: {"opened": _moment, "closed": _moment, "state": AllocationState},
    Transaction: {"block": _block, "state": TransactionState},
    QuerySnapshot: {"block": _block},
    Note: {},
}


def _read(of: type[Record], name: str, value: Any) -> Any:
    """Return a field as records have it."""
    reader = _time if name in _TIMES else _READERS[of].get(name)
    return value if reader is None or value is None else reader(value)
