"""What anvil is started with, by a program in its place that shows its arguments."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_VERSION = "1.7.1"
WHOLE = '{"blocks": [{"header": {"number": "0x0"}}], "best_block_number": 0}'


@pytest.fixture
def launched(tmp_path: Path, request: pytest.FixtureRequest):
    """Launch with arguments; the program on PATH is of the version that the test asks for."""
    version = getattr(request, "param", _VERSION)
    program = tmp_path / "bin" / "anvil"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && echo "anvil Version: {version}-dist" && exit\n'
        'for word in "$@"; do echo "$word"; done; echo "$HOME" >&2\n'
    )
    program.chmod(0o755)

    def launch(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "graph_test_daemon.launch", "anvil", *arguments],
            env={
                "PATH": f"{program.parent}:/usr/bin:/bin",
                "GRAPH_TEST_TOOLS": str(tmp_path / "none"),
                "TMPDIR": str(tmp_path),
                "HOME": "/the/user",
            },
            capture_output=True,
            text=True,
            check=False,
        )

    return launch


def test_states_are_kept_in_the_data_directory_and_old_ones_removed(launched, tmp_path: Path):
    left = tmp_path / "data" / "states" / "anvil-state-1" / "a.json"
    left.parent.mkdir(parents=True)
    left.touch()
    done = launched("--port", "1", f"--data-dir={tmp_path / 'data'}", "--block-time", "2")
    states = str(tmp_path / "data" / "states")
    assert done.stdout.split() == [
        *("--no-request-size-limit", "--cache-path", states),
        *("--dump-state", str(tmp_path / "data" / "chain-31337-written.json")),
        *("--port", "1", "--block-time", "2"),
    ]
    assert not left.exists()
    assert (done.returncode, done.stderr) == (0, f"{states}\n")


@pytest.mark.parametrize("name", ["-f", "--fork-url", "--rpc-url"])
def test_who_starts_it_as_a_fork_keeps_what_it_has_read(launched, name: str):
    assert launched(name, "http://127.0.0.1:1").stderr == "/the/user\n"


def test_the_chain_goes_on_unless_it_is_said_what_to_begin_with(launched, tmp_path: Path):
    directory = tmp_path / "data"
    given = (f"--data-dir={directory}", "--chain-id", "7")
    launched(*given)
    (directory / "chain-7-written.json").write_text(WHOLE)
    done = launched(*given)
    assert done.stderr.startswith("note: the chain goes on from block 0, as it was at ")
    words = done.stdout.split()
    assert words[words.index("--load-state") + 1] == str(directory / "chain-7.json")
    for other in ("--state=x", "--load-state=x", "--dump-state=x", "--init=x", "--fork-url=x"):
        assert "-written.json" not in launched(*given, other).stdout


@pytest.mark.parametrize("left", ["file", "state"])
def test_what_cannot_be_kept_is_told_with_a_remedy(launched, tmp_path: Path, left: str):
    directory = tmp_path / "data"
    if left == "state":
        directory.mkdir()
        (directory / "chain-31337.json").write_text("[")
    else:
        directory.write_text("")
    done = launched(f"--data-dir={directory}")
    assert done.returncode == 1
    assert done.stderr.startswith(f"cannot launch anvil: cannot keep the chain in {directory}: ")
    assert "as `down --volumes` does" in done.stderr
    assert "Traceback" not in done.stderr


def test_states_without_a_data_directory_are_removed_by_the_next_run(launched, tmp_path: Path):
    first, *_ = [w for w in launched().stdout.split() if w.startswith(str(tmp_path))]
    Path(first).mkdir(parents=True)
    kept = Path(first).parent / "1"  # a process that is there
    kept.mkdir()
    launched()
    assert not Path(first).exists()
    assert kept.exists()


def test_what_is_given_is_left_as_it_is(launched):
    done = launched("--no-request-size-limit", "--cache-path=/x")
    assert done.stdout.split() == ["--no-request-size-limit", "--cache-path=/x"]


def test_data_directory_that_is_missing_is_told(launched):
    done = launched("--data-dir")
    assert done.returncode == 1
    assert "--data-dir wants a directory" in done.stderr


@pytest.mark.parametrize("launched", ["0.9.1"], indirect=True)
def test_another_major_version_is_warned_of(launched):
    done = launched("--port", "1")
    assert "is version 0.9.1; anvil 1.7.1 is what this is tested with" in done.stderr
    assert done.returncode == 0
