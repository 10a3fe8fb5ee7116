"""What `forge script --broadcast` leaves: `broadcast/SCRIPT/CHAIN/run-latest.json`.

Source: Foundry 1.7, the sequence file of a script.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["broadcast_contracts"]

_CREATES = ("CREATE", "CREATE2")


def broadcast_contracts(directory: Path, chain_id: int, *, since_ns: int) -> list[tuple[str, str]]:
    """Return name and address of what scripts have deployed, in order; blocks.

    Args:
        directory: of the project.
        chain_id: of the chain.
        since_ns: look at files that were written since, in nanoseconds of the system's clock.
    """
    paths = sorted((directory / "broadcast").glob(f"*/{chain_id}/run-latest.json"))
    recent = [path for path in paths if path.stat().st_mtime_ns >= since_ns]
    return [found for path in recent for found in _contracts(path)]


def _contracts(path: Path) -> Iterator[tuple[str, str]]:
    try:
        document: Any = json.loads(path.read_bytes())
    except ValueError:
        return  # half written: the script was interrupted, and its status says so
    for transaction in document.get("transactions", ()):
        name, address = transaction.get("contractName"), transaction.get("contractAddress")
        if transaction.get("transactionType") in _CREATES and address:
            yield name or "Contract", address
        for other in transaction.get("additionalContracts") or ():
            if other.get("transactionType") in _CREATES and other.get("address"):
                yield other.get("contractName") or "Contract", other["address"]
