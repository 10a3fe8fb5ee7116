"""Real programs of the Graph's stack, each test or module with its own."""

from __future__ import annotations

import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from graph_test_daemon import stacks
from harness.testing import Stack, harness_stack
from tests.requirements import graph_tool

from .lab import Lab, running_lab
from .playground import Playground

_LISTENING = re.compile(r"Listening on (?:http://)?([\d.]+:\d+)")


@contextmanager
def running_chain(directory: Path, *arguments: str) -> Iterator[str]:
    """Run a chain on a free port; its output is in the directory. Give its URL."""
    graph_tool("anvil")
    directory.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "graph_test_daemon.launch", "anvil", "--port", "0"]
    command += ["--data-dir", str(directory / "data")]
    output = directory / "output"  # a file: anvil stands still once nobody drains a pipe
    with (
        output.open("w") as stdout,
        subprocess.Popen([*command, *arguments], cwd=directory, stdout=stdout) as process,
    ):
        try:
            while (found := _LISTENING.search(output.read_text())) is None:
                assert process.poll() is None, output.read_text()
                time.sleep(0.005)
            yield f"http://{found[1]}"
        finally:
            process.terminate()  # in order: the next one in the directory goes on


@contextmanager
def running_postgres(
    directory: Path,
    *arguments: str,
    password: str = "",
    data: Path | None = None,
    before: Sequence[str] = (),
) -> Iterator[str]:
    """Run PostgreSQL on a free port until it is left; its log is in the directory. Give its URL.

    What is `before` runs it.
    """
    graph_tool("postgres")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    command = [*before, sys.executable, "-m", "graph_test_daemon.launch", "postgres"]
    command += ["--port", str(port), "--data", str(data or directory / "data"), *arguments]
    with (
        (directory / "postgres.log").open("w+") as log,
        subprocess.Popen(
            command, stderr=log, stdout=log, env={**os.environ, "POSTGRES_PASSWORD": password}
        ) as process,
    ):
        try:
            _wait_for(log, process, "ready to accept connections")
            yield f"postgresql://postgres{f':{password}' * bool(password)}@127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(20)


def _wait_for(log: IO[str], process: subprocess.Popen[bytes], words: str) -> None:
    deadline = time.monotonic() + 15
    while words not in (text := Path(log.name).read_text()):
        assert process.poll() is None, text
        assert time.monotonic() < deadline, text
        select.select((), (), (), 0.02)


@pytest.fixture(scope="module")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server that a module's tests share."""
    with running_postgres(tmp_path_factory.mktemp("postgres")) as url:
        yield url


@contextmanager
def running_ipfs(repo: Path, *arguments: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run an IPFS server on a free port; give its URL and its process."""
    command = [sys.executable, "-m", "graph_test_daemon.launch", "ipfs", "--port", "0"]
    with subprocess.Popen(
        [*command, "--repo", str(repo), *arguments], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            found = _LISTENING.search(process.stdout.readline())
            assert found is not None
            yield f"http://{found[1]}", process
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


@pytest.fixture(scope="session")
def graph_tools() -> None:
    """Have all programs of a stack, or say why not."""
    for tool in ("anvil", "postgres", "gnd"):
        graph_tool(tool)


graph = harness_stack(stacks.minimal, scope="session")
"""The minimal stack, shared by all tests of a process: each has its own subgraphs in it."""


@pytest.fixture
async def lab(graph: Stack) -> AsyncIterator[Lab]:
    """A contract of the test's own in that stack, and the subgraphs that it deploys for it."""
    graph_tool("asc")
    async with running_lab(graph) as found:
        yield found


protocol = harness_stack(stacks.protocol, scope="session")
"""The protocol's stack, shared likewise."""


@pytest.fixture
def playground(protocol: Stack) -> Iterator[Playground]:
    """A contract of the test's own in that stack; subgraphs that follow it are gone afterwards."""
    for tool in ("asc", "contracts"):
        graph_tool(tool)
    made = Playground(protocol)
    try:
        yield made
    finally:
        made.remove_all()
