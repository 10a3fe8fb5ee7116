"""Keys and signatures, of eth_account; import this in its place, and inside functions: it is large.

A library below it sets the interpreter's recursion limit so high that a JSON document of nothing
but brackets overflows the stack and ends the process. Here the limit stays as it was.
"""

from __future__ import annotations

import sys

_limit = sys.getrecursionlimit()

from eth_account import Account  # noqa: E402 - see above
from eth_account.hdaccount import seed_from_mnemonic  # noqa: E402
from eth_account.hdaccount.deterministic import Node, derive_child_key  # noqa: E402
from eth_account.messages import (  # noqa: E402
    SignableMessage,
    encode_defunct,
    encode_typed_data,
)
from eth_keys.exceptions import BadSignature  # noqa: E402

sys.setrecursionlimit(_limit)

__all__ = [
    "Account",
    "BadSignature",
    "Node",
    "SignableMessage",
    "derive_child_key",
    "encode_defunct",
    "encode_typed_data",
    "seed_from_mnemonic",
]
