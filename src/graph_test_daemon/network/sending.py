"""Transactions to the protocol's contracts, with refusals explained; and what was logged before."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from graph_test_daemon.chain import Log
from graph_test_daemon.contracts import Contract, Event, Sent
from graph_test_daemon.errors import Reverted

from .errors import TransactionPending

__all__ = ["NOBODY", "Tell", "history", "nothing_told", "send"]

NOBODY = f"0x{'0' * 40}"

Tell = Callable[[Any], Awaitable[None]]
"""Is awaited with each event as it happens."""

# What the contracts say in a word, and what can be done. Source: contracts 7.2.1, Staking, GNS,
# Curation, DisputeManager, EpochManager.
_HINTS = {
    "!minimumIndexerStake": "an indexer has minimum_indexer_stake at stake, or nothing",
    "!stake": "stake first",
    "!stake-avail": "what is allocated or thaws already cannot be unstaked",
    "!capacity": "`indexer` shows the capacity; stake, be delegated to, or close an allocation",
    "!null": "an allocation's id can be used once",
    "!active": "it is closed",
    "!auth": "only the indexer and its operators may; anybody may when it is stale",
    "!tokens": "the amount must not be zero, and what is thawing must have thawed",
    "!proof": "the proof must be signed by the key of the allocation",
    "ERC20: transfer amount exceeds balance": "fund gives tokens",
    "ERC20: transfer amount exceeds allowance": "the account has not approved so much",
    "Epoch length must be different to current": "`epoch` shows the present length",
    "Epoch length cannot be 0": None,
    "Current epoch already run": "it is done once in each epoch",
    "Dispute already created": "`disputes` shows it",
    "Dispute must be pending": "it is decided",
    "Dispute deposit is below minimum required": "leave the deposit out for the least one",
    "Dispute indexer has no stake": "an indexer that was slashed or has gone cannot be disputed",
    "GNS: Must be authorized": "only the owner may",
    "GNS: Must be active": "it is deprecated, or was never published",
    "Partial-paused": "the governor has paused the protocol",
    "Paused": "the governor has paused the protocol",
}


async def nothing_told(event: object) -> None:
    """Tell nobody."""


async def send(contract: Contract, function: str, *arguments: Any, sender: str) -> Sent:
    """Send a transaction to a contract, and return when it is in a block.

    Raises:
        Reverted: it was refused; with a hint where the reason is known.
        TransactionPending: it is in no block.
    """
    try:
        return await contract.send(function, *arguments, sender=sender)
    except Reverted as error:
        if error.hint is None and error.reason is not None:
            error.hint = _HINTS.get(error.reason)
        raise
    except TimeoutError as error:
        raise TransactionPending(what=f"call {function} on {contract.name}") from error


async def history(contract: Contract, event: str) -> list[Event]:
    """Return all events of a name that a contract has logged, oldest first."""
    topic = next(one for one in contract.abi.events if one.name == event).topic
    answer = await contract.chain.rpc.call(
        "eth_getLogs",
        [
            {
                "address": contract.address,
                "topics": [f"0x{topic.hex()}"],
                "fromBlock": "earliest",
                "toBlock": "latest",
            }
        ],
    )
    logs = [Log(address=o["address"], topics=tuple(o["topics"]), data=o["data"]) for o in answer]
    return list(contract.events(logs))
