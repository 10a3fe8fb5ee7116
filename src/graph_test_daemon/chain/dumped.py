"""What anvil dumps, with one first block.

A node whose state was loaded has a first block of its own beside the loaded one, and dumps both;
which of the two whoever loads that takes, is chance.

Source: anvil, `anvil_dumpState`: JSON, compressed by gzip, in hexadecimal; seen with version 1.7.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Mapping
from typing import Any

__all__ = ["with_one_first"]

_FIRST = b'"number":"0x0"'
_SAME = ("parentHash", "stateRoot", "timestamp", "miner", "gasLimit", "extraData", "mixHash")


def with_one_first(dump: str, first: Mapping[str, Any] | None) -> str:
    """Return a dump without first blocks that are not the chain's; blocks.

    Args:
        dump: as the node gives it; what is none is returned as it is.
        first: the chain's first block, as JSON-RPC gives it; None: it has none of height 0.
    """
    if first is None:
        return dump
    try:
        text = gzip.decompress(bytes.fromhex(dump.removeprefix("0x")))
    except (ValueError, OSError, zlib.error):
        return dump
    if text.replace(b" ", b"").count(_FIRST) < 2:
        return dump
    state = json.loads(text)
    state["blocks"] = [block for block in state["blocks"] if _is_of(block["header"], first)]
    return f"0x{gzip.compress(json.dumps(state).encode(), compresslevel=1).hex()}"


def _is_of(header: Mapping[str, Any], first: Mapping[str, Any]) -> bool:
    if int(str(header["number"]), 0) != 0:
        return True
    return all(header[name] == first[name] for name in _SAME)
