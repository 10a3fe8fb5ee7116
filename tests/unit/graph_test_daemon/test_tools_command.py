"""`graph-test-daemon tools`, by the real program, over directories with and without programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from graph_test_daemon.tools import TOOLS


def _run(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run it where programs are at this place, and none are on PATH."""
    env = {**os.environ, "GRAPH_TEST_TOOLS": str(place), "PATH": str(place / "no")}
    argv = [sys.executable, "-m", "graph_test_daemon", "tools", *words]
    return subprocess.run(argv, capture_output=True, text=True, env=env)


def _install(place: Path, *names: str) -> None:
    for name in names:
        file = place / "node_modules" / TOOLS[name].inside.replace("*", "linux")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()


def test_what_lacks_is_listed_with_how_to_get_it_and_checked_for_scripts(tmp_path: Path) -> None:
    _install(tmp_path, *TOOLS)
    listed = _run(tmp_path, "list")
    assert (listed.returncode, listed.stderr, listed.stdout.count("missing")) == (0, "", 0)
    checked = _run(tmp_path, "check", "--json")
    assert (checked.returncode, json.loads(checked.stdout)) == (0, {"missing": []})

    _install(tmp_path / "some", *TOOLS.keys() - {"gnd", "asc"})
    listed = _run(tmp_path / "some", "list")
    assert listed.returncode == 0
    assert "gnd         missing\n" in listed.stdout
    assert listed.stderr == "2 of 6 are missing; `graph-test-daemon tools install` gets all\n"
    checked = _run(tmp_path / "some", "check")
    assert checked.returncode == 1
    assert checked.stderr.splitlines() == [
        "graph-test-daemon: cannot find gnd, asc: neither installed nor on PATH",
        "hint: run `graph-test-daemon tools install`",
    ]
