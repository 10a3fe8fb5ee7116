"""What actions on the network do while its contracts are not there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from graph_test_daemon.chain import Chain
from graph_test_daemon.network.base import NetworkBase
from graph_test_daemon.tracking import TransactionState
from harness.actions import ActionEvent, Call, Service
from tests.unit.graph_test_daemon.tracking.test_reorgs import Blocks
from tests.unit.graph_test_daemon.tracking.test_tracker import receipt


class WithTask:
    """A service of a stack whose task of the contracts has left these outputs."""

    name = "network"
    labels: Mapping[str, str] = {}

    def __init__(self, directory: Path, outputs: Mapping[str, Any]) -> None:
        self.data_dir = directory
        self._outputs = outputs

    def outputs(self, task: str) -> Mapping[str, Any]:
        return self._outputs


class Network(NetworkBase):
    """The network of a chain that is written down."""

    @property
    def chain(self) -> Chain:
        return cast("Chain", Blocks({6: "0x6"}, {"0xab1": 6}))


OTHERS = {"addresses": {}, "chain_id": 1, "variant": None, "accounts": {}}


@pytest.mark.parametrize("outputs", [{}, OTHERS], ids=["not completed", "of another provider"])
async def test_a_reorg_is_followed_without_contracts(
    tmp_path: Path, outputs: Mapping[str, Any]
) -> None:
    sent: list[str] = []

    async def send(told: ActionEvent) -> None:
        sent.append(told.name)

    network = Network(cast("Service", WithTask(tmp_path, outputs)))
    await network.tracker.sent(receipt(1), sender="0xa", to=None, what="x")
    call = Call("follow-reorg", Network.declared()["follow-reorg"].events, send)
    (moved,) = await network.follow_reorg(call)
    assert (moved.state, moved.block.number) == (TransactionState.INCLUDED, 6)
    assert sent == ["transaction-moved"]
    await network.aclose()
