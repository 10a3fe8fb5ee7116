"""Private keys from a mnemonic, and what is signed with them.

Everything here blocks, and loads eth_account with its first use, which takes half a second.
Source: BIP-32, BIP-39; an allocation's path is the one of the indexers' own agent.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from functools import lru_cache

from .errors import MnemonicInvalid

__all__ = [
    "ALLOCATIONS_PER_EPOCH",
    "MNEMONIC",
    "account_key",
    "address_of",
    "allocation_keys",
    "sign_hash",
    "sign_message",
]

MNEMONIC = "test test test test test test test test test test test junk"
"""What local chains begin with unless they are told otherwise."""

ALLOCATIONS_PER_EPOCH = 100
"""Ids that the agent tries for a deployment in one epoch."""

_Extended = tuple[bytes, bytes]
"""A private key, and its chain code."""


def account_key(mnemonic: str, place: int) -> bytes:
    """Return the private key of the account at a place, from 0, as local chains count them.

    Raises:
        MnemonicInvalid: the words are no mnemonic.
    """
    parent = _derived(mnemonic, ("44'", "60'", "0'", "0"))
    return _child(parent, str(place))[0]


def allocation_keys(mnemonic: str, epoch: int, deployment: str) -> Iterator[bytes]:
    """Return the private keys that an indexer has for allocations to a deployment in an epoch.

    Args:
        mnemonic: of the indexer.
        epoch: in which the allocation is opened.
        deployment: as people write it, `Qm…`.

    Raises:
        MnemonicInvalid: the words are no mnemonic.
    """
    parent = _derived(mnemonic, (str(epoch), *(str(byte) for byte in deployment.encode())))
    for index in range(ALLOCATIONS_PER_EPOCH):
        yield _child(parent, str(index))[0]


def address_of(key: bytes) -> str:
    """Return the address of a private key, in lower case."""
    from graph_test_daemon.eth import Account

    return str(Account.from_key(key).address).lower()


def sign_message(key: bytes, message: bytes) -> str:
    """Sign bytes as wallets do, with Ethereum's prefix."""
    from graph_test_daemon.eth import Account, encode_defunct

    signed = Account.sign_message(encode_defunct(primitive=message), key)
    return f"0x{bytes(signed.signature).hex()}"


def sign_hash(key: bytes, digest: bytes) -> str:
    """Sign a hash of 32 bytes as it is."""
    from graph_test_daemon.eth import Account

    return f"0x{bytes(Account.unsafe_sign_hash(digest, key).signature).hex()}"


@lru_cache(maxsize=8)
def _seed(mnemonic: str) -> bytes:
    from eth_utils.exceptions import ValidationError

    from graph_test_daemon.eth import seed_from_mnemonic

    try:
        return seed_from_mnemonic(mnemonic, "")
    except ValidationError as error:
        # The words themselves are in no message: they may be a secret.
        raise MnemonicInvalid("cannot derive keys: the words are no BIP-39 mnemonic") from error


@lru_cache(maxsize=128)
def _derived(mnemonic: str, path: tuple[str, ...]) -> _Extended:
    master = hmac.new(b"Bitcoin seed", _seed(mnemonic), hashlib.sha512).digest()
    found = (master[:32], master[32:])
    for step in path:
        found = _child(found, step)
    return found


def _child(parent: _Extended, step: str) -> _Extended:
    from graph_test_daemon.eth import Node, derive_child_key

    return derive_child_key(*parent, Node.decode(step))
