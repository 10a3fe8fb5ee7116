"""Real programs of the Graph's stack, each test or module with its own."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.requirements import graph_tool

_LISTENING = re.compile(r"Listening on ([\d.]+:\d+)")


@contextmanager
def running_chain(directory: Path, *arguments: str) -> Iterator[str]:
    """Run a chain on a free port; its output is in the directory. Give its URL."""
    graph_tool("anvil")
    command = [sys.executable, "-m", "graph_test_daemon.launch", "anvil", "--port", "0"]
    with subprocess.Popen(
        [*command, *arguments], cwd=directory, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if found := _LISTENING.search(line):
                    yield f"http://{found[1]}"
                    break
        finally:
            process.kill()


@pytest.fixture
def chain_url(tmp_path: Path) -> Iterator[str]:
    """A chain of the test's own."""
    with running_chain(tmp_path) as url:
        yield url


@pytest.fixture(scope="module")
def shared_chain_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A chain that a module's tests share."""
    with running_chain(tmp_path_factory.mktemp("chain")) as url:
        yield url
