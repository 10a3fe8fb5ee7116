"""What the next run of a chain goes on with, whatever the last one left."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from graph_test_daemon.launch.chain_state import ChainState


def state(*numbers: int, best: int | None = None, salt: str = "") -> str:
    """Return a state with blocks of these heights."""
    blocks = [{"header": {"number": hex(number), "salt": salt}} for number in numbers]
    return json.dumps({"blocks": blocks, "best_block_number": max(numbers, default=0)})


@pytest.fixture
def chain(tmp_path: Path) -> ChainState:
    return ChainState(tmp_path / "not" / "there", chain_id=1337)


def begun(chain: ChainState) -> tuple[Any, str | None]:
    """Begin a run; return the state that it goes on with, and what is told."""
    words, note = chain.arguments()
    given = dict(zip(words[::2], words[1::2], strict=True))
    assert given["--dump-state"] == str(chain.written)
    path = given.get("--load-state")
    return None if path is None else json.loads(Path(path).read_bytes()), note


def test_it_goes_on_with_what_the_last_run_wrote_and_says_of_when(chain: ChainState) -> None:
    assert begun(chain) == (None, None)
    for height in (1, 7):
        text = state(0, height)
        chain.written.write_text(text)
        os.utime(chain.written, (1_700_000_000 + height,) * 2)
        found, note = begun(chain)
        assert found == json.loads(text)
        at = r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d"
        assert re.fullmatch(f"the chain goes on from block {height}, as it was at {at}", note or "")
        assert chain.kept.stat().st_mtime == 1_700_000_000 + height
        assert not chain.written.exists()


@pytest.mark.parametrize("left", ["", state(0, 5)[:-1], "[]", "null", '{"blocks": [1]}'])
def test_what_is_cut_off_is_told_and_the_state_before_is_kept(chain: ChainState, left: str) -> None:
    begun(chain)
    chain.written.write_text(state(0, 3))
    begun(chain)
    chain.written.write_text(left)
    found, note = begun(chain)
    assert found == json.loads(state(0, 3))
    told = "the last run was killed while it wrote the chain's state: the chain goes on from block"
    assert (note or "").startswith(f"{told} 3, as it was at ")


def test_a_fork_is_left_behind(chain: ChainState) -> None:
    begun(chain)
    chain.written.write_text(state(0, 3))
    begun(chain)
    chain.written.write_text(state(6))
    told = "the chain had become a fork of another one, and begins anew"
    assert begun(chain) == (None, told)
    assert list(chain.directory.iterdir()) == []


def test_a_chain_that_begins_higher_is_no_fork(chain: ChainState) -> None:
    chain = ChainState(chain.directory, chain_id=1, first=100)
    begun(chain)
    chain.written.write_text(state(100, 103))
    assert begun(chain)[0] == json.loads(state(100, 103))


def test_a_chain_of_another_number_is_another_one(chain: ChainState) -> None:
    begun(chain)
    chain.written.write_text(state(0, 3))
    begun(chain)
    assert begun(ChainState(chain.directory, chain_id=5)) == (None, None)
    assert begun(chain)[0] == json.loads(state(0, 3))


def test_of_two_first_blocks_the_one_that_it_began_with_stays(chain: ChainState) -> None:
    begun(chain)
    chain.written.write_text(state(0, 3))
    begun(chain)
    own, others = json.loads(state(0, 3, 4)), json.loads(state(0, salt="of the run"))
    both = {**own, "blocks": [*others["blocks"], *own["blocks"]]}
    chain.written.write_text(json.dumps(both))
    assert begun(chain)[0] == own


def test_what_is_kept_and_is_no_state_is_told(chain: ChainState) -> None:
    begun(chain)
    chain.kept.write_text("{}")
    with pytest.raises(ValueError, match="is not the state of a chain"):
        chain.arguments()
