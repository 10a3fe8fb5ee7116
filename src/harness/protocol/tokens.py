"""Tokens, by which clients of other machines log in."""

from __future__ import annotations

from dataclasses import dataclass

from harness.access import Role

from .params import Params, Result

__all__ = ["CreateTokenParams", "NewToken", "RevokeTokenParams", "TokenStatus"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTokenParams(Params):
    """A token that is wanted."""

    name: str
    role: Role
    lifetime_s: float | None = None
    """It expires after so long; null: never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeTokenParams(Params):
    """A token that is not wanted any more."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenStatus(Result):
    """What may be told about a token."""

    name: str
    role: Role
    created_at: str
    """ISO 8601, UTC."""
    expires_at: str | None
    """ISO 8601, UTC; null: never."""
    expired: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken(TokenStatus):
    """A token that was made."""

    token: str
    """Shown here, and never again."""
