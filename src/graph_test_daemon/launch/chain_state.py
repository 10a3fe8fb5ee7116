"""What is left of a chain between two runs of anvil.

anvil writes a chain's state every minute and when it ends, into the place of what is there, and
whoever kills it meanwhile leaves half a file. So a run reads one file and writes another, which
takes the former's place at the next start, if it is whole.

Each run of anvil makes a first block of its own and lays the state over it; what it writes has both
then, and which of the two another run takes is chance. Only the one that the others go back to is
kept.

A chain that was made a fork by a call is not whole without the other one: its first block is not
among those that were written. It is left behind, and the next run begins with an empty chain.

Source: anvil, `--dump-state`, `--state-interval`; seen with version 1.7.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graph_test_daemon.whole_files import write_whole

__all__ = ["ChainState"]

# Of a header, in their order: what it is hashed of. Those of later forks may be missing.
_HASHED = (
    *("parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot"),
    *("logsBloom", "difficulty", "number", "gasLimit", "gasUsed", "timestamp", "extraData"),
    *("mixHash", "nonce", "baseFeePerGas", "withdrawalsRoot", "blobGasUsed", "excessBlobGas"),
    *("parentBeaconBlockRoot", "requestsHash"),
)
_NUMBERS = frozenset(
    {"difficulty", "number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas"}
    | {"blobGasUsed", "excessBlobGas"}
)


@dataclass(frozen=True, slots=True)
class ChainState:
    """The files of one chain.

    Attributes:
        directory: where they are.
        chain_id: the chain's number: one that is started with another is another chain.
        first: height of its first block.
    """

    directory: Path
    chain_id: int
    first: int = 0

    @property
    def kept(self) -> Path:
        """What the next run reads."""
        return self.directory / f"chain-{self.chain_id}.json"

    @property
    def written(self) -> Path:
        """What a run writes."""
        return self.directory / f"chain-{self.chain_id}-written.json"

    def arguments(self) -> tuple[list[str], str | None]:
        """Return anvil's arguments to go on with the chain, and what is to be told about it.

        Raises:
            OSError: the directory cannot be used.
            ValueError: what is kept is not the state of a chain.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        note = self._take_over() if self.written.exists() else None
        writes = ["--dump-state", str(self.written)]
        if not self.kept.exists():
            return writes, note
        state = _read(self.kept)
        if state is None:
            raise ValueError(f"{self.kept} is not the state of a chain")
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.kept.stat().st_mtime))
        goes_on = f"the chain goes on from block {_height(state)}, as it was at {at}"
        told = goes_on if note is None else f"{note}: {goes_on}"
        return ["--load-state", str(self.kept), *writes], told

    def _take_over(self) -> str | None:
        """Put what was written in the place of what is kept; return what is wrong with it."""
        state = _read(self.written)
        if state is None:
            self.written.unlink()
            return "the last run was killed while it wrote the chain's state"
        firsts = [block for block in state["blocks"] if _number(block) == self.first]
        if not firsts:
            self.written.unlink()
            self.kept.unlink(missing_ok=True)
            return "the chain had become a fork of another one, and begins anew"
        if len(firsts) > 1:
            self._write_with(state, self._canonical(firsts, state["blocks"]))
        os.replace(self.written, self.kept)
        return None

    def _canonical(self, firsts: Sequence[Any], blocks: Sequence[Any]) -> Any:
        """Return the first block that the others go back to."""
        before = _read(self.kept) if self.kept.exists() else None
        for block in () if before is None else before["blocks"]:
            # What it began with is there still, so it was not reset.
            if _number(block) == self.first and block in firsts:
                return block
        parents = {
            block["header"]["parentHash"] for block in blocks if _number(block) == self.first + 1
        }
        return next((block for block in firsts if _hash(block["header"]) in parents), firsts[0])

    def _write_with(self, state: Mapping[str, Any], first: Any) -> None:
        others = [block for block in state["blocks"] if _number(block) != self.first]
        at = self.written.stat().st_mtime
        write_whole(self.written, json.dumps({**state, "blocks": [first, *others]}), mode=0o600)
        os.utime(self.written, (at, at))


def _read(path: Path) -> dict[str, Any] | None:
    """Return a state; None: it is none, or was not written to its end."""
    try:
        state = json.loads(path.read_bytes())
        for block in state["blocks"]:
            _number(block)
        _height(state)
    except (ValueError, KeyError, TypeError):
        return None
    return dict(state)


def _height(state: Mapping[str, Any]) -> int:
    return int(str(state["best_block_number"]), 0)


def _number(block: Mapping[str, Any]) -> int:
    return int(str(block["header"]["number"]), 0)


def _hash(header: Mapping[str, Any]) -> str:
    import rlp  # these two take longer than all the rest, and are seldom needed
    from eth_utils.crypto import keccak

    fields = [
        _minimal(int(header[name], 16)) if name in _NUMBERS else bytes.fromhex(header[name][2:])
        for name in _HASHED
        if header.get(name) is not None
    ]
    return f"0x{keccak(rlp.encode(fields)).hex()}"


def _minimal(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")
