"""Actions on accounts."""

from __future__ import annotations

from decimal import Decimal

from graph_test_daemon.network.accounts import Account, Funded, Who
from graph_test_daemon.network.amounts import wei
from graph_test_daemon.network.base import NetworkBase
from harness.actions import Call, action

__all__ = ["AccountActions"]

_NOTHING = Decimal(0)


class AccountActions(NetworkBase):
    """Accounts."""

    @action()
    async def account(self, who: Who) -> Account:
        """Return an account, with what it has.

        Args:
            who: a name such as `indexer` or `governor`, a place from 0, an address, a contract.
        """
        return await (await self.network()).participants.account(who)

    @action(events=[Funded])
    async def fund(
        self, call: Call, who: Who, tokens: Decimal = _NOTHING, ether: Decimal = _NOTHING
    ) -> Funded:
        """Give an account tokens of the deployer, and ether.

        Args:
            who: a name, a place, an address, a contract.
            tokens: GRT.
            ether: besides what it has.
        """
        participants = (await self.network()).participants
        funded = await participants.fund(who, tokens=wei(tokens), ether=wei(ether))
        await call.emit(funded)
        return funded
