"""Who is where, over all projects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .params import Params, Result
from .units import EndpointAddress

__all__ = ["ListRegistryParams", "RegistryEntry"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRegistryParams(Params):
    """Which entries."""

    project: str | None = None
    """Null: of all projects."""
    label: str | None = None
    """`NAME`, or `NAME=VALUE`; null: with any labels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryEntry(Result):
    """One unit, as others find it."""

    project: str
    name: str
    kind: str
    type: str
    version: str | None = None
    state: str
    health: str
    endpoints: Mapping[str, EndpointAddress] = field(default_factory=dict)
    node: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    since: str | None = None
    """When it came into this state, ISO 8601, UTC."""
