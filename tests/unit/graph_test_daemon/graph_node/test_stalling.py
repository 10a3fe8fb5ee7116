"""Why a deployment is not where it is waited for to be."""

from __future__ import annotations

from typing import Any

import pytest

from graph_test_daemon.graph_node import BlockPointer, DeploymentStatus, IndexingError
from graph_test_daemon.graph_node.stalling import why_stalled

ERROR = IndexingError(
    message="no such file",
    handler=None,
    block=None,
    transaction=None,
    deterministic=False,
    backtrace=(),
)


def block(number: int) -> BlockPointer:
    return BlockPointer(number=number, hash=f"0x{number:064x}")


def status(**given: Any) -> DeploymentStatus:
    """Return that of one that is indexed, on a node that knows the chain up to block 9."""
    fields: dict[str, Any] = {
        "deployment": "Qm",
        "health": "healthy",
        "synced": True,
        "node": "default",
        "paused": False,
        "entity_count": 0,
        "network": "hardhat",
        "head": block(9),
        "earliest": block(0),
        "latest": block(7),
        "fatal_error": None,
        "errors": (),
    }
    return DeploymentStatus(**{**fields, **given})


@pytest.mark.parametrize(
    ("found", "at", "head", "cause", "hint"),
    [
        pytest.param(None, None, 9, "nothing of it is deployed", "deploy it first", id="nothing"),
        pytest.param(status(paused=True), 7, 9, "it is paused", "resume it", id="paused"),
        pytest.param(status(node=None), 7, 9, "no node indexes it", "reassign it", id="no node"),
        pytest.param(status(fatal_error=ERROR), 7, 9, "no such file", None, id="an error"),
        pytest.param(
            status(), 7, 6, "the chain is at block 6", "the workflow `reset`", id="chain below it"
        ),
        pytest.param(status(), 7, 8, "the chain is at block 8", "mine blocks", id="chain too low"),
        pytest.param(
            status(head=block(8)), 7, 9, "knows the chain up to block 8", "mine a block", id="late"
        ),
        pytest.param(status(), 8, 9, None, "mine a block", id="the last block is overlooked"),
        pytest.param(status(), 7, 9, None, "a restart of graph-node helps", id="stuck"),
        pytest.param(status(), None, 9, None, "a restart of graph-node helps", id="never began"),
    ],
)
def test_what_stands_in_the_way_is_told_with_a_remedy(
    found: DeploymentStatus | None, at: int | None, head: int, cause: str | None, hint: str | None
) -> None:
    pointer = None if at is None else block(at)
    told, advised = why_stalled(found, at=pointer, wanted=9, head=head)
    assert (told is None) == (cause is None)
    assert (cause or "") in (told or "")
    assert (advised is None) == (hint is None)
    assert (hint or "") in (advised or "")
