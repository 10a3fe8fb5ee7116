"""What is remembered of a stack survives the daemon, through the real program."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.answering import Answers, answering

from .harness_case import HarnessCase

pytestmark = pytest.mark.timeout(120)

STACK = """
services:
  network:
    type: external
    service_type: tracked-network
    ports: {{query: {{port: {port}, scheme: http}}}}
"""
QUERY = "{ tokens { id balance } }"


@pytest.fixture
def answers() -> Iterator[Answers]:
    """Who answers queries."""
    with answering() as found:
        yield found


@pytest.fixture
def network(case: HarnessCase, answers: Answers) -> HarnessCase:
    """Have a stack up that remembers."""
    case.env["HARNESS_PLUGINS"] = "tests.tracking_plugin"
    case.env["PYTHONPATH"] = str(Path(__file__).parents[2])
    case.write(STACK.format(port=answers.url.rpartition(":")[2]))
    case.ok("up", "-q")
    return case


def listed(case: HarnessCase, action: str) -> list[Any]:
    found: list[Any] = json.loads(case.ok("action", "run", f"network.{action}", "--json"))["result"]
    return found


def test_what_is_remembered_survives_a_crash_of_the_daemon(
    network: HarnessCase, answers: Answers
) -> None:
    answers.data = {"tokens": [{"id": "0x1", "balance": "1"}]}
    run = ("action", "run")
    network.ok(*run, "network.tell-deployed", "--name", "a", "--deployment", "QmA")
    snapshot = ("--name", "before", "--subgraph", "my/s", "--query", QUERY)
    network.ok(*run, "network.query-snapshot", *snapshot)
    for kill_after in (0, 7, 3):
        # It dies in the middle of an action, as soon as one more transaction was told.
        died = network(*run, "network.tell-sent", "--count", "50", "--kill-after", str(kill_after))
        assert died.returncode != 0
        found = listed(network, "list-transactions")
        assert [t["hash"] for t in found] == [f"0x{n:x}" for n in range(max(1, len(found)))]
        assert len(found) >= kill_after + 1
    assert [t["hash"] for t in found] == [f"0x{n:x}" for n in range(8)]
    assert [d["deployment"] for d in listed(network, "list-deployments")] == ["QmA"]
    assert listed(network, "list-notes") == []

    answers.data = {"tokens": [{"id": "0x1", "balance": "2"}]}
    differs = network(*run, "network.compare-query", "--name", "before", "--require")
    assert differs.returncode == 1
    assert 'tokens[id=0x1].balance: "1" became "2"' in differs.stderr
    assert "hint: `ignore` leaves fields out" in differs.stderr
    network.ok(*run, "network.compare-query", '{"ignore": ["balance"]}', "--name", "before")


def test_a_damaged_journal_is_put_aside_and_that_is_told(network: HarnessCase) -> None:
    run = ("action", "run")
    network.ok(*run, "network.tell-sent", "--count", "5")
    network.kill_daemon()
    units = network.state_dir / "projects" / network.project / "units"
    for file in (units / "network" / "data" / "tracking").iterdir():
        file.write_bytes(b"damage" * 1000)
    network.ok(*run, "network.tell-sent", "--count", "2")
    assert len(listed(network, "list-transactions")) == 2
    (note,) = listed(network, "list-notes")
    assert "the journal was damaged and begins anew" in note["text"]


def test_it_goes_with_the_project(network: HarnessCase) -> None:
    network.ok("action", "run", "network.tell-sent", "--count", "5")
    network.ok("down")
    network.ok("up", "-q")
    assert len(listed(network, "list-transactions")) == 5
    network.ok("down", "--volumes")
    network.ok("up", "-q")
    assert listed(network, "list-transactions") == []
