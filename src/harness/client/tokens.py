"""Tokens, by which clients of other machines log in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .connection import Connection

if TYPE_CHECKING:
    from .results import NewToken, TokenStatus

__all__ = ["Tokens"]


class Tokens:
    """Methods `tokens.*`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def create(self, *, name: str, role: str, lifetime_s: float | None = None) -> NewToken:
        """Make a token; return name, role, created_at, expires_at, expired and, once, `token`.

        Args:
            name: by which it is listed and revoked.
            role: viewer, operator or admin.
            lifetime_s: it expires after so long; None: never.
        """
        result: NewToken = await self._connection.call(
            "tokens.create", {"name": name, "role": role, "lifetime_s": lifetime_s}
        )
        return result

    async def list(self) -> list[TokenStatus]:
        """Return what may be told about every token, oldest first."""
        result: list[TokenStatus] = await self._connection.call("tokens.list")
        return result

    async def revoke(self, *, name: str) -> None:
        """Forget a token and end the connections that it made."""
        await self._connection.call("tokens.revoke", {"name": name})
