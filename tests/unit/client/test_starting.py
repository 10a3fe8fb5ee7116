from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import anyio
import pytest

from harness.client import make_source
from harness.client.spawning import daemon_env
from harness.client.starting import start_daemon
from harness.errors import ConfigError, DaemonUnavailable
from harness.protocol import CheckedStack, Endpoint


def test_a_daemon_inherits_what_programs_need_and_no_more():
    kept = {
        "PATH": "/bin",
        "HOME": "/home/me",
        "LC_ALL": "C",
        "XDG_RUNTIME_DIR": "/run/user/1",
        "HARNESS_STATE_DIR": "/s",
        "DOCKER_HOST": "unix:///d",
        "SSH_AUTH_SOCK": "/a",
    }
    secret = {"AWS_SECRET_ACCESS_KEY": "x", "GITHUB_TOKEN": "y", "MY_PATH": "z"}
    assert daemon_env({**kept, **secret}) == kept


@pytest.fixture
def source(tmp_path: Path) -> dict[str, Any]:
    """Give a stack so large that a pipe does not take all of it at once."""
    units = "".join(f"  s{i}: {{type: process, command: sleep 1}}\n" for i in range(1000))
    (tmp_path / "harness.yaml").write_text("name: shop\nservices:\n" + units)
    return make_source(directory=str(tmp_path), env={})


async def nobody() -> None:
    return None


def stand_in(tmp_path: Path, body: str) -> str:
    """Write a program in the daemon's place; return its path."""
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\n{body}\nexit 1\n")
    program.chmod(0o700)
    return str(program)


async def test_a_daemon_that_dies_before_it_reads_says_why(tmp_path, monkeypatch, source):
    monkeypatch.setattr(sys, "executable", stand_in(tmp_path, "echo no room to live >&2"))
    with anyio.fail_after(10), pytest.raises(DaemonUnavailable, match="no room to live"):
        await start_daemon(Endpoint(tmp_path / "state"), nobody, source=source)


async def test_a_daemon_gets_all_of_the_stack(tmp_path, monkeypatch, source):
    monkeypatch.setattr(sys, "executable", stand_in(tmp_path, f"cat > {tmp_path}/given"))
    with anyio.fail_after(10), pytest.raises(DaemonUnavailable):
        await start_daemon(Endpoint(tmp_path / "state"), nobody, source=source)
    given = (tmp_path / "given").read_bytes()
    assert len(given) > 65536
    checked = CheckedStack.decode(given)
    assert checked is not None
    assert len(checked.stack.units) == 1000


async def test_a_stack_that_is_wrong_starts_no_daemon(tmp_path, monkeypatch, source):
    (tmp_path / "harness.yaml").write_text("name: shop\nservces: {}\n")
    monkeypatch.setattr(sys, "executable", stand_in(tmp_path, f"touch {tmp_path}/started"))
    with pytest.raises(ConfigError):
        await start_daemon(Endpoint(tmp_path / "state"), nobody, source=source)
    assert not (tmp_path / "started").exists()
