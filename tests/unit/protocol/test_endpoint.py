from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from harness.protocol import Endpoint, default_state_dir, socket_address


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


def test_a_path_that_fits_is_its_own_address(tmp_path):
    path = Path("/", *(["d" * 20] * 5), "s")
    assert len(str(path)) == 107
    with socket_address(path) as address:
        assert address == str(path)


def test_a_longer_path_is_reached_through_its_directory(tmp_path):
    path = tmp_path.joinpath(*(["\N{SNOWMAN}" * 80] * 5), "s")
    path.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as calling:
        with socket_address(path) as address:
            listening.bind(address)
            assert path.is_socket()
            directory = int(address.split("/")[-2])
        listening.listen()
        with socket_address(path) as address:
            calling.connect(address)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(directory)


def test_a_longer_path_without_its_directory_has_no_address(tmp_path):
    with pytest.raises(FileNotFoundError), socket_address(tmp_path / ("d" * 120) / "s"):
        pass


def test_where_a_daemon_listens_follows_from_its_state_directory_alone(monkeypatch):
    endpoint = Endpoint(Path("/" + "a" * 120))
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1")
    assert endpoint.socket_path == endpoint.state_dir / "daemon.sock"
