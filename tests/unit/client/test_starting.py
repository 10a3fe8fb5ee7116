from __future__ import annotations

import sys
from pathlib import Path

import anyio
import pytest

from harness.client.spawning import daemon_env
from harness.client.starting import start_daemon
from harness.errors import DaemonUnavailable
from harness.protocol import Endpoint


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


async def test_a_daemon_that_dies_before_it_reads_says_why(tmp_path, monkeypatch):
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho no room to live >&2\nexit 1\n")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))

    async def nobody() -> None:
        return None

    with anyio.fail_after(10), pytest.raises(DaemonUnavailable, match="no room to live"):
        await start_daemon(Endpoint(tmp_path / "state"), nobody, source={"env": "x" * 1_000_000})


async def test_a_daemon_gets_all_of_the_source(tmp_path: Path, monkeypatch):
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\nwc -c >&2\nexit 1\n")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))

    async def nobody() -> None:
        return None

    with anyio.fail_after(10), pytest.raises(DaemonUnavailable, match=r": 1000011$"):
        await start_daemon(Endpoint(tmp_path / "state"), nobody, source={"env": "x" * 1_000_000})
