"""The tutorial, done as it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import DOCS, blocks

PAGE = DOCS / "tutorial" / "first-stack.md"
EXIT = re.compile(r"# exits with (\d+)")


@pytest.mark.timeout(90)
def test_every_step_of_the_tutorial_works(tmp_path: Path):
    steps = blocks(PAGE)
    (tmp_path / "harness.yaml").write_text(steps[0].text, encoding="utf-8")
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HARNESS_STATE_DIR": str(tmp_path / "state"),
    }
    ran = 0
    try:
        for step in steps:
            for line in step.text.splitlines() if step.language == "console" else ():
                if line.startswith("$ "):
                    _run(line.removeprefix("$ "), tmp_path, environment)
                    ran += 1
    finally:
        subprocess.run(["harness", "daemon", "stop"], env=environment, check=False, timeout=30)
    assert ran > 10


def _run(line: str, directory: Path, environment: dict[str, str]) -> None:
    expected = EXIT.search(line)
    done = subprocess.run(
        ["sh", "-c", line],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    code = int(expected[1]) if expected else 0
    assert done.returncode == code, f"{line}\n{done.stdout}{done.stderr}"
