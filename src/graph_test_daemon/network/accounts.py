"""Who takes part: accounts by name, with what they need to send transactions.

Names are those of the deployment's roles (`governor`, `arbitrator`, …), of contracts, and of people
who use the protocol: `indexer`, `curator`, `delegator`, `consumer`, and further ones, `indexer-2`.
These have accounts from the place 6 on, in turn: `indexer` is 6, `curator` 7, `indexer-2` is 10.
Whom the node has no account for is derived from the mnemonic, and impersonated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import anyio

from graph_test_daemon.contracts.protocol import Protocol

from .errors import KeyUnknown, NetworkError, UnknownParticipant
from .keys import MNEMONIC, account_key, address_of
from .sending import send

__all__ = ["Account", "Funded", "Participants", "Who"]

Who = int | str
"""A name, an account's place from 0, or an address."""

USERS = ("indexer", "curator", "delegator", "consumer")
_FIRST_USER = 6
_OWN = 10
"""So many accounts local chains have unless they are told otherwise."""
_LAST_PLACE = 9999
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_USER = re.compile(rf"({'|'.join(USERS)})(?:-([1-9]\d{{0,3}}))?")
_LITTLE = 10**18
_ENOUGH = 100 * 10**18


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account; amounts in wei.

    Attributes:
        address: of it.
        names: that it has.
        ether: for gas.
        tokens: GRT.
    """

    address: str
    names: tuple[str, ...]
    ether: int
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Funded:
    """An account has got tokens or ether; amounts in wei."""

    account: str
    tokens: int
    ether: int


class Participants:
    """The accounts of one network.

    Args:
        protocol: the contracts.
        roles: role → address, as the deployment has it.
        mnemonic: of the chain's accounts.
    """

    def __init__(
        self, protocol: Protocol, *, roles: Mapping[str, str], mnemonic: str = MNEMONIC
    ) -> None:
        self._protocol = protocol
        self._chain = protocol.chain
        self._roles = {name.replace("_", "-"): address for name, address in roles.items()}
        self._mnemonic = mnemonic

    async def address(self, who: Who) -> str:
        """Return somebody's address, in lower case.

        Raises:
            UnknownParticipant: nobody has that name or place.
        """
        text = str(who)
        if _ADDRESS.fullmatch(text):
            return text.lower()
        name = text.lower().replace("_", "-")
        if name in self._roles:
            return self._roles[name]
        if text in self._protocol.book:
            return self._protocol.book[text].address
        place = _place(name)
        if place is None:
            raise UnknownParticipant(text, self._names())
        own = await self._own()
        if place < len(own):
            return own[place]
        return await anyio.to_thread.run_sync(self._derived, place)

    async def sender(self, who: Who) -> str:
        """Return the address of somebody who can send transactions from now on.

        Who is none of the node's own accounts is impersonated; who has nothing to pay gas with
        gets some.
        """
        address = await self.address(who)
        if address not in await self._own():
            await self._chain.rpc.call("anvil_impersonateAccount", [address])
        if await self._ether(address) < _LITTLE:
            await self._chain.rpc.call("anvil_setBalance", [address, hex(_ENOUGH)])
        return address

    async def key(self, who: Who, *, what: str) -> bytes:
        """Return somebody's private key.

        Args:
            who: has a place among the accounts, by name, place or address.
            what: should be done with it, for messages.

        Raises:
            KeyUnknown: it is not known.
        """
        address = await self.address(who)
        place = _place(str(who).lower())
        candidates = list(range(_OWN)) if place is None else [place]
        key = await anyio.to_thread.run_sync(self._key_of, address, candidates)
        if key is None:
            raise KeyUnknown(
                address=address,
                what=what,
                hint="only keys of the accounts of the chain's mnemonic are known",
            )
        return key

    async def account(self, who: Who) -> Account:
        """Return an account, with what it has."""
        address = await self.address(who)
        tokens = await self._protocol.graph_token.call("balanceOf", address)
        names = [name for name, one in self._roles.items() if one == address]
        own = await self._own()
        place = own.index(address) if address in own else None
        if place is not None and place >= _FIRST_USER:
            number, user = divmod(place - _FIRST_USER, len(USERS))
            names.append(USERS[user] if number == 0 else f"{USERS[user]}-{number + 1}")
        if place is None and str(who) != address:
            names.append(str(who))
        return Account(
            address=address, names=tuple(names), ether=await self._ether(address), tokens=tokens
        )

    async def fund(self, who: Who, *, tokens: int = 0, ether: int = 0) -> Funded:
        """Give an account tokens of the deployer, and ether besides what it has; in wei.

        Raises:
            Reverted: the deployer has not so many.
        """
        address = await self.address(who)
        if ether:
            total = await self._ether(address) + ether
            await self._chain.rpc.call("anvil_setBalance", [address, hex(total)])
        if tokens:
            treasury = await self.sender(self._treasury())
            await send(self._protocol.graph_token, "transfer", address, tokens, sender=treasury)
        return Funded(account=address, tokens=tokens, ether=ether)

    async def spendable(self, owner: str, spender: str, tokens: int, *, fund: bool) -> None:
        """See that a contract can take tokens from an account.

        Args:
            owner: of the tokens; can send transactions.
            spender: address of the contract, which is allowed to take them.
            tokens: in wei.
            fund: what is missing comes from the deployer.
        """
        token = self._protocol.graph_token
        missing = tokens - await token.call("balanceOf", owner)
        if fund and missing > 0:
            await self.fund(owner, tokens=missing)
        if await token.call("allowance", owner, spender) < tokens:
            await send(token, "approve", spender, tokens, sender=owner)

    async def _own(self) -> list[str]:
        """Return the node's own accounts; it lists those that are impersonated after them."""
        return [account.lower() for account in (await self._chain.accounts())[:_OWN]]

    async def _ether(self, address: str) -> int:
        return int(await self._chain.rpc.call("eth_getBalance", [address, "latest"]), 16)

    def _treasury(self) -> str:
        if "deployer" not in self._roles:
            raise NetworkError(
                "cannot give anybody tokens: who deployed the contracts is not known",
                hint="send tokens yourself, and say `fund=false`",
            )
        return self._roles["deployer"]

    def _derived(self, place: int) -> str:
        return address_of(account_key(self._mnemonic, place))

    def _key_of(self, address: str, places: list[int]) -> bytes | None:
        keys = (account_key(self._mnemonic, place) for place in places)
        return next((key for key in keys if address_of(key) == address), None)

    def _names(self) -> list[str]:
        return [*USERS, *self._roles, *self._protocol.book.entries]


def _place(name: str) -> int | None:
    """Return the place of an account by its name or number; None: it is neither."""
    if name.isascii() and name.isdecimal() and int(name) <= _LAST_PLACE:
        return int(name)
    found = _USER.fullmatch(name)
    if found is None:
        return None
    number = int(found[2] or 1) - 1
    return _FIRST_USER + len(USERS) * number + USERS.index(found[1])
