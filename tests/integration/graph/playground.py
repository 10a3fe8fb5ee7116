"""A contract that subgraphs of tests follow, driven by the actions of a stack, with no `await`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from harness.testing import Stack
from tests.e2e.harness_case import PROGRAM
from tests.subgraphs.building import SUBGRAPHS, contract

__all__ = ["Playground", "own_graft"]


class Playground:
    """A contract of a test's own.

    Attributes:
        stack: whose chain it is on.
        sender: who has deployed it, and calls it.
        address: where it is.
        values: of placeholders in subgraphs that follow it.
    """

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.sender = stack.action("chain.accounts")[0]
        deployed = self._send(data=contract().bytecode)
        self.address: str = deployed["contract"]
        self.values = {"Playground": self.address}

    def name(self, name: str) -> str:
        """Return a name for a subgraph that no other test has."""
        return f"t{self.address[-6:]}/{name}"

    def store(self, number: int, text: str) -> int:
        """Call a function that subgraphs follow; return the block that it is in."""
        call = contract().abi.function("store", (number, text)).encode((number, text))
        return int(self._send(to=self.address, data=call)["block_number"])

    def deploy(self, kind: str, name: str, **settings: Any) -> dict[str, Any]:
        """Deploy one of the test subgraphs for it."""
        found: dict[str, Any] = self.stack.action(
            "network.deploy-subgraph",
            path=str(SUBGRAPHS / kind),
            name=self.name(name),
            values=self.values,
            **settings,
        )
        return found

    def notes(self, subgraph: str, block: int | None = None) -> list[str]:
        """Return the texts that a subgraph has stored, when it knows the chain's newest block."""
        self.stack.action("graph-node.wait-for-sync", subgraph=subgraph, mine=True)
        query = "{ notes(orderBy: id) { text } }"
        answer = self.stack.action("graph-node.query", subgraph=subgraph, query=query, block=block)
        return [note["text"] for note in answer["notes"]]

    def remove_all(self) -> None:
        """Remove the subgraphs of this test: many that run at once wait for one another."""
        for one in self.stack.action("network.list-deployments", state="active"):
            if one["name"].startswith(self.name("")):
                self.stack.action("graph-node.remove", name=one["name"])

    def run(self, workflow: str, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run a workflow of the stack by the command."""
        return self._command(
            "workflow", "run", workflow, *words, "--values", json.dumps(self.values), cwd=cwd
        )

    def outputs(self, run: str) -> dict[str, Any]:
        """Return path → outputs of the steps of a run."""
        done = self._command("workflow", "show", run, "--json", cwd=SUBGRAPHS)
        assert done.returncode == 0, done.stderr
        return {step["path"]: step["outputs"] for step in json.loads(done.stdout)["trace"]}

    def _command(self, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAM, *words, "--project", self.stack.project],
            cwd=cwd,
            env={**os.environ, "HARNESS_STATE_DIR": self.stack.state_dir},
            capture_output=True,
            text=True,
            check=False,
        )

    def _send(self, *, data: bytes, to: str | None = None) -> dict[str, Any]:
        receipt: dict[str, Any] = self.stack.action(
            "chain.send", sender=self.sender, to=to, data=f"0x{data.hex()}"
        )
        return receipt


def own_graft(directory: Path) -> Path:
    """Write a subgraph that knows nothing of grafts, and whose mapping differs step by step."""
    made = directory / "graft"
    shutil.copytree(SUBGRAPHS / "graft", made)
    (directory / "contracts").mkdir()
    shutil.copy(SUBGRAPHS / "contracts" / "Playground.json", directory / "contracts")
    mapping = made / "src" / "mapping.ts"
    mapping.write_text(mapping.read_text().replace("graft: ", "@step@: "))
    manifest = made / "subgraph.yaml"
    text = manifest.read_text()
    start, end = text.index("features:"), text.index("schema:")
    manifest.write_text(text[:start] + text[end:])
    return made
