"""The demos do what they show, and leave nothing behind; `make demo` is the protocol's."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.processes import carriers
from tests.requirements import graph_tool, require

ROOT = Path(__file__).parents[2]


def test_every_npm_installs_the_native_programs_whatever_its_node():
    # npm leaves out an optional package whose "engines" do not fit; these need no node at all.
    lock = json.loads((ROOT / "examples" / "chain" / "package-lock.json").read_text())
    natives = [name for name, package in lock["packages"].items() if package.get("optional")]
    assert any("anvil-linux" in name for name in natives)
    assert [name for name in natives if "engines" in lock["packages"][name]] == []


@pytest.mark.timeout(90)
def test_the_demo_brings_a_real_chain_up_and_leaves_nothing_behind(tmp_path: Path):
    anvil = ROOT / ".tools" / "chain" / "node_modules" / "@foundry-rs" / "anvil"
    require("anvil", anvil.exists(), "make tools installs it")
    done = subprocess.run(
        [ROOT / "examples" / "chain" / "demo.sh"],
        env={**os.environ, "TMPDIR": str(tmp_path), "DEMO_RUN": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=80,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "10 blocks in all" in done.stdout
    assert "chain     running    healthy" in done.stdout
    assert "seed      completed" in done.stdout
    assert list(tmp_path.iterdir()) == []
    assert list(carriers(f"DEMO_RUN={tmp_path}")) == []


@pytest.mark.timeout(150)
def test_the_protocols_demo_earns_rewards_with_a_real_proof_and_leaves_nothing_behind(
    tmp_path: Path,
):
    for tool in ("anvil", "postgres", "gnd", "asc", "contracts"):
        graph_tool(tool)
    done = subprocess.run(
        [ROOT / "examples" / "graph" / "demo.sh"],
        env={**os.environ, "TMPDIR": str(tmp_path), "DEMO_RUN": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=140,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    closed = re.search(r"^poi: (0x[0-9a-f]{64})\nrewards: ([1-9]\d+)$", done.stdout, re.MULTILINE)
    assert closed is not None, done.stdout
    # What the contracts have paid is what the subgraph tells, and so is the proof.
    assert re.search(rf"^  Closed .* {closed[1]}  {closed[2]}$", done.stdout, re.MULTILINE)
    assert list(tmp_path.iterdir()) == []
    assert list(carriers(f"DEMO_RUN={tmp_path}")) == []
