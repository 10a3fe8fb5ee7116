"""Which deployments can follow a reorganisation, and what the refusal says."""

from __future__ import annotations

import dataclasses

import pytest

from graph_test_daemon.graph_node import (
    BlockPointer,
    DeploymentStatus,
    ReorgTooDeep,
    check_reorg,
)

_STATUS = DeploymentStatus(
    deployment="QmFirst",
    health="healthy",
    synced=True,
    node="default",
    paused=False,
    entity_count=0,
    network="hardhat",
    head=None,
    earliest=None,
    latest=None,
    fatal_error=None,
    errors=(),
)


def _begins_at(number: int, deployment: str = "QmFirst") -> DeploymentStatus:
    earliest = BlockPointer(number=number, hash=f"0x{number:064x}")
    return dataclasses.replace(_STATUS, deployment=deployment, earliest=earliest)


@pytest.mark.parametrize("depth", [1, 9, 100])
def test_one_that_begins_with_the_chain_follows_any_depth(depth: int) -> None:
    check_reorg([_begins_at(0), _STATUS], head=100, depth=depth)


def test_one_that_begins_later_follows_down_to_the_threshold() -> None:
    check_reorg([_begins_at(85)], head=100, depth=5)
    with pytest.raises(ReorgTooDeep):
        check_reorg([_begins_at(85)], head=100, depth=6)
    check_reorg([_begins_at(85)], head=100, depth=6, threshold=9)


def test_the_refusal_names_all_in_the_way_and_how_far_it_can_go() -> None:
    statuses = [_begins_at(95), _begins_at(0, "QmFine"), _begins_at(97, "QmSecond")]
    with pytest.raises(ReorgTooDeep) as caught:
        check_reorg(statuses, head=120, depth=18)
    assert caught.value.deployments == ("QmFirst", "QmSecond")
    assert "QmFirst has blocks from 95 on; QmSecond has blocks from 97 on" in str(caught.value)
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("go back to block 107 at most")
    check_reorg(statuses, head=120, depth=13)
    with pytest.raises(ReorgTooDeep):
        check_reorg(statuses, head=120, depth=14)


def test_one_that_nobody_indexes_does_not_count() -> None:
    paused = dataclasses.replace(_begins_at(99), paused=True)
    unassigned = dataclasses.replace(_begins_at(99), node=None)
    check_reorg([paused, unassigned], head=100, depth=50)
