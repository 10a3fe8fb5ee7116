"""What is left of a chain between two runs of anvil.

anvil writes a chain's state when it is asked to end, into the place of what is there already, and
whoever kills it in the middle leaves half a file. So a run reads one file and writes another, which
becomes the former only once it was found to be whole, when the next run starts.

A run that was killed has written nothing: the next one goes on from where that one began.

A chain that was made a fork by a call is not whole without the other one: its first block is not
among those that were written. It is left behind, and the next run begins with an empty chain.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

__all__ = ["state_arguments"]

_KEPT = "chain.json"
_ENDING = "chain-at-end.json"
_RUNS = "chain-was-run"
_KILLED = "the last run did not end in order: the chain "


def state_arguments(directory: Path) -> tuple[list[str], str | None]:
    """Return anvil's arguments to go on with a chain, and what is to be told about it.

    Args:
        directory: where its state is; it is made.
    """
    directory.mkdir(parents=True, exist_ok=True)
    kept, ending, runs = directory / _KEPT, directory / _ENDING, directory / _RUNS
    note = None
    if ending.exists():
        if (whole := _is_whole(ending)) is None:
            ending.unlink()
            note = _KILLED
        elif whole:
            os.replace(ending, kept)
        else:
            ending.unlink()
            kept.unlink(missing_ok=True)
            note = "the chain had become a fork of another one: it begins anew"
    elif runs.exists():
        note = _KILLED
    if note is _KILLED:
        note += "goes on from where that run began" if kept.exists() else "begins anew"
    runs.touch()
    added = ["--dump-state", str(ending)]
    return (["--load-state", str(kept), *added] if kept.exists() else added), note


def _is_whole(path: Path) -> bool | None:
    """Tell whether a state is of a whole chain; None: it was not written to its end."""
    try:
        blocks = json.loads(path.read_bytes())["blocks"]
        return any(int(str(block["header"]["number"]), 0) == 0 for block in blocks)
    except (ValueError, KeyError, TypeError):
        return None
