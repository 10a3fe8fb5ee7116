"""How many blocks an epoch is away."""

from __future__ import annotations

import pytest

from graph_test_daemon.chain import Epoch, blocks_until


@pytest.mark.parametrize(
    ("now", "length", "since_start", "wanted", "missing"),
    [
        (5, 20, 0, 6, 20),
        (5, 20, 19, 6, 1),
        (5, 20, 7, 6, 13),
        (5, 20, 7, 8, 53),
        (5, 20, 7, 5, 0),
        (5, 20, 7, 2, 0),
        (0, 1, 0, 3, 3),
    ],
)
def test_blocks_until_an_epoch_begins(
    now: int, length: int, since_start: int, wanted: int, missing: int
):
    at = Epoch(number=now, length=length, since_start=since_start, block=1000)
    assert blocks_until(at, wanted) == missing
