"""The protocol's stack as its user runs it, with a contract that a subgraph follows."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from graph_test_daemon import stacks
from tests.requirements import graph_tool
from tests.subgraphs.building import SUBGRAPHS, contract

from .harness_case import HarnessCase

__all__ = ["EVENTS", "Playground", "encoded", "protocol_case", "result"]

EVENTS = str(SUBGRAPHS / "events")


@contextmanager
def protocol_case(directory: Path) -> Iterator[HarnessCase]:
    """The stack, which is up."""
    for tool in ("anvil", "postgres", "gnd", "asc", "contracts"):
        graph_tool(tool)
    with HarnessCase(directory) as case:
        # Tools and builds are in the user's cache, once for all.
        case.env["XDG_CACHE_HOME"] = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        case.write(f"include: [{stacks.protocol}]\n")
        case.ok("up", "-q")
        yield case


def result(case: HarnessCase, action: str, **parameters: Any) -> Any:
    """Run an action; return its result."""
    printed = case.ok("action", "run", action, "--json", json.dumps(parameters))
    return json.loads(printed.splitlines()[-1])["result"]


def encoded(number: int, text: str) -> str:
    """Return the data of a call that stores a text."""
    values = (number, text)
    return f"0x{contract().abi.function('store', values).encode(values).hex()}"


class Playground:
    """A contract whose events the subgraph `events` follows."""

    def __init__(self, case: HarnessCase) -> None:
        self.case = case
        self.sender = result(case, "chain.accounts")[0]
        code = f"0x{contract().bytecode.hex()}"
        self.address = result(case, "chain.send", sender=self.sender, data=code)["contract"]

    def send(self, number: int, text: str) -> None:
        """Store a text."""
        data = encoded(number, text)
        result(self.case, "chain.send", sender=self.sender, to=self.address, data=data)

    def deploy(self) -> None:
        """Deploy the subgraph, as `test/events`; it has caught up."""
        values = {"Playground": self.address}
        result(self.case, "network.deploy-subgraph", path=EVENTS, name="test/events", values=values)
