"""Which chain a task is about."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from graph_test_daemon.contracts.chain_of import url_of_chain
from graph_test_daemon.errors import PeerUnclear
from harness.actions import Task


def _task(*chains: str) -> Task:
    def service(name: str) -> Any:
        return SimpleNamespace(name=name, url=lambda: f"http://{name}")

    def peers(service_type: str) -> list[Any]:
        return [service(name) for name in chains] if service_type == "anvil" else []

    return cast("Task", SimpleNamespace(name="deploy", service=service, peers=peers))


def test_the_only_chain_needs_no_name() -> None:
    assert url_of_chain(_task("chain"), None) == "http://chain"


def test_one_of_several_is_named() -> None:
    assert url_of_chain(_task("chain", "l2"), "l2") == "http://l2"


@pytest.mark.parametrize(
    ("chains", "why"), [([], "no service has the type anvil"), (["a", "b"], "there are a, b")]
)
def test_none_or_several_are_told(chains: list[str], why: str) -> None:
    with pytest.raises(PeerUnclear, match=f'the chain of "deploy": {why}') as unclear:
        url_of_chain(_task(*chains), None)
    assert "config.chain" in str(unclear.value.hint)
