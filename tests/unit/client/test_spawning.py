"""A daemon's process that is started early: only where there clearly is none."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest

from harness.client import begin_daemon, make_source
from harness.client.spawning import _last_line, is_locked, open_lock
from harness.client.starting import start_daemon
from harness.errors import ConfigError, DaemonUnavailable, StorageError
from harness.protocol import Endpoint


@pytest.fixture
def endpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    """Give a state directory, and a program in the daemon's place that leaves a mark and ends."""
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\necho started >> {tmp_path}/marks\necho no room >&2\nexit 1\n")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    return Endpoint(tmp_path / "state")


def _starts(endpoint: Endpoint) -> int:
    marks = endpoint.state_dir.parent / "marks"
    return len(marks.read_text().splitlines()) if marks.exists() else 0


def test_what_starts_a_daemon_early_loads_little() -> None:
    program = (
        "import sys; from harness.client import begin_daemon, make_source\n"
        "print([m for m in ('anyio', 'asyncio', 'harness.client.client') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"


def test_nothing_is_begun_where_a_socket_is(endpoint: Endpoint) -> None:
    endpoint.state_dir.mkdir()
    endpoint.socket_path.touch()
    assert begin_daemon(endpoint) is None
    assert _starts(endpoint) == 0


def test_nothing_is_begun_while_another_one_starts_or_ends(endpoint: Endpoint) -> None:
    other = open_lock(endpoint)
    assert is_locked(other)
    before = len(os.listdir("/proc/self/fd"))
    assert begin_daemon(endpoint) is None
    assert len(os.listdir("/proc/self/fd")) == before
    os.close(other)
    assert _starts(endpoint) == 0


def test_a_state_directory_that_cannot_be_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot use the state directory"):
        begin_daemon(Endpoint(tmp_path / "file" / "state"))


@pytest.fixture
def source(tmp_path: Path) -> dict[str, Any]:
    file = tmp_path / "harness.yaml"
    file.write_text("name: shop\nservices:\n  a: {type: process, command: sleep 1000}\n")
    return make_source(directory=str(tmp_path), env={})


async def test_what_was_begun_is_waited_for_and_its_lock_given_back(
    endpoint: Endpoint, source: dict[str, Any]
) -> None:
    begun = begin_daemon(endpoint, source=source)
    assert begun is not None
    another = open_lock(endpoint)
    assert not is_locked(another)

    async def nobody() -> None:
        return None

    with anyio.fail_after(10), pytest.raises(DaemonUnavailable, match="no room"):
        await start_daemon(endpoint, nobody, begun=begun)
    assert _starts(endpoint) == 1
    assert is_locked(another)
    os.close(another)


def test_a_stack_that_is_wrong_ends_what_was_begun(
    endpoint: Endpoint, source: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "harness.yaml").write_text("name: shop\nservces: {}\n")
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(ConfigError, match="did you mean"):
        begin_daemon(endpoint, source=source)
    gc.collect()  # the process's pipes
    assert len(os.listdir("/proc/self/fd")) == before
    another = open_lock(endpoint)
    assert is_locked(another)
    os.close(another)


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("", ""),
        ("one\ntwo\n", "two"),
        ("  | ExceptionGroup: some\n    | TypeError: no\n    +----------\n", "TypeError: no"),
        ("+---\n|\n", ""),
    ],
)
def test_the_last_line_with_words_says_why(said: str, line: str) -> None:
    assert _last_line(said) == line
