"""Tokens."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from harness.daemon.dispatcher import Handler

if TYPE_CHECKING:
    from harness.access import TokenFacts
    from harness.daemon.session import Call
    from harness.daemon.wiring import Wiring
    from harness.protocol import (
        CreateTokenParams,
        Empty,
        NewToken,
        NoParams,
        RevokeTokenParams,
        TokenStatus,
    )

__all__ = ["handlers"]


def handlers(wiring: Wiring) -> dict[str, Handler]:
    """Return the handlers of `tokens.*`."""

    def status(facts: TokenFacts) -> TokenStatus:
        from harness.protocol import TokenStatus

        ends = facts.expires_at
        return TokenStatus(
            name=facts.name,
            role=facts.role,
            created_at=facts.created_at.isoformat(),
            expires_at=ends.isoformat() if ends else None,
            expired=ends is not None and ends <= wiring.clock.now(),
        )

    async def create(params: CreateTokenParams, _: Call) -> NewToken:
        from harness.protocol import NewToken

        token, facts = wiring.access.tokens.create(
            params.name, params.role, lifetime_s=params.lifetime_s
        )
        return NewToken(**asdict(status(facts)), token=token)

    async def list_(_: NoParams, __: Call) -> tuple[TokenStatus, ...]:
        return tuple(status(facts) for facts in wiring.access.tokens.list())

    async def revoke(params: RevokeTokenParams, _: Call) -> Empty:
        from harness.protocol import Empty

        wiring.access.revoke(params.name)
        return Empty()

    return {"tokens.create": create, "tokens.list": list_, "tokens.revoke": revoke}
