"""A chain over JSON-RPC: what any chain can be asked, and what test nodes can be told besides.

Accounts are the node's own or impersonated ones, so that the node signs.
"""

from __future__ import annotations

from .accounts import Accounts
from .reorgs import Reorgs
from .sending import Sending
from .states import States

__all__ = ["Chain"]


class Chain(Sending, Accounts, States, Reorgs):
    """One chain; see its parts for what each method does.

    Args:
        url: of its JSON-RPC.
        timeout_s: how long an answer may take.

    Attributes:
        rpc: for whatever is not a method here.
    """
