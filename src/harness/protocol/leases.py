"""Leases: how long a project lives whose holder renews it."""

from __future__ import annotations

from dataclasses import dataclass

from .params import Params, ProjectParams, Result

__all__ = ["LeaseParams", "LeaseStatus", "LeaseTerms", "SetLeaseParams"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseTerms(Params):
    """A lease that is asked for."""

    ttl_s: float
    """How long after its last renewal it ends, and the project with it."""
    owner: str
    """Who holds it, for people; for example `pytest pid 123 on HOST`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetLeaseParams(ProjectParams):
    """A lease for a project that there is; it takes the place of the one it has."""

    ttl_s: float
    """How long after its last renewal it ends, and the project with it."""
    owner: str
    """Who holds it, for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseParams(ProjectParams):
    """A lease."""

    lease: str | None = None
    """Its id; null: whichever the project has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseStatus(Result):
    """One lease."""

    id: str
    project: str
    owner: str
    ttl_s: float
    left_s: float
    """How long it lasts without a renewal; 0: it has expired, and its project is being removed."""
    granted_at: str
    """ISO 8601, UTC."""
    renewed_at: str
    """ISO 8601, UTC."""
