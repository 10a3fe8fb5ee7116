from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.protocol import Endpoint, default_state_dir


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"HARNESS_STATE_DIR": "/var/lib/h", "XDG_STATE_HOME": "/x"}, "/var/lib/h"),
        ({"XDG_STATE_HOME": "/x"}, "/x/graph-network-harness"),
        ({"XDG_STATE_HOME": "relative"}, "~/.local/state/graph-network-harness"),
        ({"HARNESS_STATE_DIR": ""}, "~/.local/state/graph-network-harness"),
    ],
)
def test_the_environment_names_the_state_directory(env, expected):
    assert default_state_dir(env) == Path(expected).expanduser()


def test_a_relative_state_directory_starts_at_the_working_directory():
    assert default_state_dir({"HARNESS_STATE_DIR": "here"}) == Path.cwd() / "here"


def test_the_default_endpoint_is_that_of_the_environment(monkeypatch):
    monkeypatch.setenv("HARNESS_STATE_DIR", "/var/lib/h")
    assert Endpoint.default() == Endpoint(Path("/var/lib/h"))
    assert str(Endpoint.default()) == "unix:/var/lib/h/daemon.sock"


def test_files_are_in_the_state_directory():
    endpoint = Endpoint(Path("/s"))
    assert endpoint.socket_path == Path("/s/daemon.sock")
    assert endpoint.log_path == Path("/s/daemon.log")
    assert endpoint.start_lock_path == Path("/s/start.lock")


def test_a_long_path_gets_a_short_socket_of_its_own(monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1")
    one, two = Endpoint(Path("/" + "a" * 120)), Endpoint(Path("/" + "b" * 120))
    assert one.socket_path.parent == Path("/run/user/1/harness")
    assert one.socket_path != two.socket_path


@pytest.mark.parametrize("runtime", [None, "/" + "r" * 90])
def test_without_a_short_runtime_directory_the_socket_is_in_tmp(monkeypatch, runtime):
    if runtime is None:
        monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    else:
        monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
    path = Endpoint(Path("/" + "a" * 120)).socket_path
    assert path.parent == Path(f"/tmp/harness-{os.getuid()}")
    assert len(os.fsencode(path)) <= 100
