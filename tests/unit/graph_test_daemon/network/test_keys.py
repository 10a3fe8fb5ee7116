"""Keys are the ones that other tools derive from the same words."""

from __future__ import annotations

import itertools

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct

from graph_test_daemon.network.errors import MnemonicInvalid
from graph_test_daemon.network.keys import (
    ALLOCATIONS_PER_EPOCH,
    MNEMONIC,
    account_key,
    address_of,
    allocation_keys,
    sign_hash,
    sign_message,
)

DEPLOYMENT = "QmcYzr1v1xpXch8aU6qFb7EjxEKvNhjTVJmKDUXSPFg3TD"
INDEXER = "test test test test test test test test test test test zero"


def test_accounts_are_those_of_local_chains() -> None:
    first = account_key(MNEMONIC, 0)
    assert first.hex() == "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
    assert address_of(first) == "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
    assert address_of(account_key(MNEMONIC, 9)) == "0xa0ee7a142d267c1f36714e4a8f75612f20a79720"
    assert address_of(account_key(INDEXER, 0)).startswith("0xf4ef")


def test_keys_of_allocations_have_the_agents_path() -> None:
    Account.enable_unaudited_hdwallet_features()
    steps = [7, *DEPLOYMENT.encode()]
    for index, key in enumerate(itertools.islice(allocation_keys(INDEXER, 7, DEPLOYMENT), 2)):
        path = "/".join(["m", *map(str, steps), str(index)])
        assert Account.from_mnemonic(INDEXER, account_path=path).key == key
    assert ALLOCATIONS_PER_EPOCH == 100


def test_other_epochs_and_deployments_have_other_keys() -> None:
    other = DEPLOYMENT[:-1] + "E"
    keys = {
        next(allocation_keys(INDEXER, epoch, deployment))
        for epoch in (1, 2)
        for deployment in (DEPLOYMENT, other)
    }
    assert len(keys) == 4


def test_signatures_are_recovered_with_and_without_the_prefix() -> None:
    key, digest = account_key(MNEMONIC, 5), bytes(range(32))
    signed = sign_message(key, digest)
    message = encode_defunct(primitive=digest)
    assert Account.recover_message(message, signature=signed).lower() == address_of(key)
    raw = sign_hash(key, digest)
    assert raw != signed
    assert Account._recover_hash(digest, signature=raw).lower() == address_of(key)


def test_words_that_are_no_mnemonic_are_refused_and_not_repeated() -> None:
    with pytest.raises(MnemonicInvalid) as refused:
        account_key("correct horse battery staple", 0)
    assert "horse" not in str(refused.value)
