"""A deployment as data: transactions in order, made without a chain.

Addresses follow from who deploys and its nonce, so everything is known before anything is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graph_test_daemon.contracts.abi import keccak
from graph_test_daemon.contracts.address_book import AddressBook

__all__ = ["Deployment", "Step", "created_address"]

_LONGEST_ONE_BYTE = 0x7F
_EMPTY = 0x80
_SHORT_LIST = 0xC0


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One transaction.

    Attributes:
        contract: whose name it is about.
        what: is done, such as `deploy Controller` or `call Controller.setPaused(False)`.
        sender: address of the account.
        to: address of the contract; None: it deploys one.
        data: hex with 0x.
        creates: address of what it deploys; None: it deploys nothing.
    """

    contract: str
    what: str
    sender: str
    to: str | None
    data: str
    creates: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """All of it.

    Attributes:
        steps: in order; one sender's nonces follow from it.
        book: what is where in the end.
        accounts: role → address.
    """

    steps: tuple[Step, ...]
    book: AddressBook
    accounts: Mapping[str, str]

    def document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "steps": [[s.contract, s.what, s.sender, s.to, s.data, s.creates] for s in self.steps],
            "book": self.book.document(),
            "accounts": dict(self.accounts),
        }


def created_address(sender: str, nonce: int) -> str:
    """Return the address of what an account deploys with its transaction of a nonce.

    Source: Ethereum Yellow Paper, equation 88: the hash of the RLP of both.
    """
    account = bytes.fromhex(sender.removeprefix("0x"))
    if nonce == 0:
        number = bytes([_EMPTY])
    elif nonce <= _LONGEST_ONE_BYTE:
        number = bytes([nonce])
    else:
        raw = nonce.to_bytes((nonce.bit_length() + 7) // 8, "big")
        number = bytes([_EMPTY + len(raw)]) + raw
    body = bytes([_EMPTY + len(account)]) + account + number
    return f"0x{keccak(bytes([_SHORT_LIST + len(body)]) + body)[-20:].hex()}"
