"""Who asks, and how much it may ask."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

__all__ = ["LOCAL_ADMIN", "Principal", "Role"]


class Role(StrEnum):
    """What a caller may ask; each role may also ask what the ones before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def includes(self, other: Role) -> bool:
        """Tell whether who has this role may ask what needs the other one."""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(other)


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A caller that has shown who it is.

    Attributes:
        name: of its token or certificate; of a user of this machine `uid N`.
        role: what it may ask.
        how: `socket`, `token` or `certificate`.
        address: where it called from, host and port; empty for the unix socket.
        key: what it showed, so that its connections can be found when that is revoked.
        expires_at: when what it showed ends; None: never.
    """

    name: str
    role: Role
    how: str
    address: str = ""
    key: str = ""
    expires_at: datetime | None = None

    @property
    def is_local(self) -> bool:
        """It is a user of this machine, whose user id the kernel vouches for."""
        return self.how == "socket"


LOCAL_ADMIN = Principal(name="local", role=Role.ADMIN, how="socket")
"""Whoever reaches a daemon from within its process, as tests do."""
