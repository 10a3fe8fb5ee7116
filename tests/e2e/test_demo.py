"""`make demo` does the main job on a real chain and leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.requirements import require

ROOT = Path(__file__).parents[2]


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
    assert _processes_with(f"DEMO_RUN={tmp_path}") == []


def _processes_with(variable: str) -> list[str]:
    """Return the command lines of all processes that inherited a variable."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and variable.encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().decode(errors="replace"))
        except OSError:
            continue
    return found
