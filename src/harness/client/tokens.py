"""Tokens, by which clients of other machines log in."""

from __future__ import annotations

from typing import Any

from .connection import Connection

__all__ = ["Tokens"]


class Tokens:
    """Methods `tokens.*`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def create(
        self, *, name: str, role: str, lifetime_s: float | None = None
    ) -> dict[str, Any]:
        """Make a token; return name, role, created_at, expires_at, expired and, once, `token`.

        Args:
            name: by which it is listed and revoked.
            role: viewer, operator or admin.
            lifetime_s: it expires after so long; None: never.
        """
        result: dict[str, Any] = await self._connection.call(
            "tokens.create", {"name": name, "role": role, "lifetime_s": lifetime_s}
        )
        return result

    async def list(self) -> list[dict[str, Any]]:
        """Return what may be told about every token, oldest first."""
        result: list[dict[str, Any]] = await self._connection.call("tokens.list")
        return result

    async def revoke(self, *, name: str) -> None:
        """Forget a token and end the connections that it made."""
        await self._connection.call("tokens.revoke", {"name": name})
