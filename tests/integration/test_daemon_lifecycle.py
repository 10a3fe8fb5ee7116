"""The daemon as a process: how it starts, ends, is killed, and what it refuses."""

from __future__ import annotations

import fcntl
import os
import signal
import sqlite3
import stat
import sys
from pathlib import Path
from typing import Any, TextIO

import anyio
import pytest

from harness.client.spawning import is_locked, open_lock
from harness.errors import (
    DaemonUnavailable,
    StorageError,
    StoreCorrupt,
    StoreTooNew,
)
from harness.protocol import Endpoint
from tests.e2e.harness_case import eventually
from tests.processes import is_alive, users
from tests.unit.daemon.daemon_process import (
    TEST_S,
    Gate,
    client_of,
    daemon_pid,
    ended,
    foreground_daemon,
    stack,
    up,
)

pytestmark = pytest.mark.timeout(60)

_SLEEPER = """
version: "1"
name: shop
services:
  db:
    type: process
    command: [sh, -c, "echo started; exec sleep 1000"]
"""

_CONNECT = """
import anyio, sys
from pathlib import Path
from harness.client import Endpoint, connect

async def main():
    async with connect(Endpoint(Path(sys.argv[1]))) as client:
        print((await client.daemon.status())["pid"])

anyio.run(main)
"""


async def test_the_first_command_starts_a_daemon_and_the_second_finds_it(endpoint):
    async with client_of(endpoint) as client:
        first = (await client.daemon.status())["pid"]
    assert first == daemon_pid(endpoint)
    async with client_of(endpoint) as client:
        assert (await client.daemon.status())["pid"] == first


async def test_a_daemon_that_is_asked_nothing_loads_what_the_first_stack_needs(endpoint):
    async with client_of(endpoint) as client:
        maps = Path(f"/proc/{(await client.daemon.status())['pid']}/maps")
    await anyio.to_thread.run_sync(eventually, lambda: "yaml" in maps.read_text())


async def test_without_leave_to_start_one_there_is_no_daemon(endpoint):
    with pytest.raises(DaemonUnavailable, match="nothing listens"):
        async with client_of(endpoint, start=False):
            pass
    assert not endpoint.state_dir.exists()


async def test_commands_that_start_at_once_end_with_one_daemon(endpoint):
    command = [sys.executable, "-c", _CONNECT, str(endpoint.state_dir)]
    pids = []

    async def run() -> None:
        done = await anyio.run_process(command)
        pids.append(int(done.stdout))

    with anyio.fail_after(TEST_S):
        async with anyio.create_task_group() as group:
            for _ in range(4):
                group.start_soon(run)
    assert len(pids) == 4
    assert set(pids) == {daemon_pid(endpoint)}


async def test_a_command_waits_while_another_one_starts_a_daemon(endpoint):
    endpoint.state_dir.mkdir(mode=0o700)
    pids = []

    async def connect() -> None:
        async with client_of(endpoint) as client:
            pids.append((await client.daemon.status())["pid"])

    with endpoint.start_lock_path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        async with anyio.create_task_group() as group:
            group.start_soon(connect)
            await anyio.to_thread.run_sync(eventually, lambda: _is_waited_for(lock))
            assert users(endpoint.state_dir) == []
            fcntl.flock(lock, fcntl.LOCK_UN)
    assert pids == [daemon_pid(endpoint)]


def _is_waited_for(lock: TextIO) -> bool:
    inode = os.fstat(lock.fileno()).st_ino
    lines = Path("/proc/locks").read_text().splitlines()
    return any("->" in line and f":{inode} " in line for line in lines)


async def test_only_the_user_can_read_what_a_daemon_makes(endpoint):
    async with client_of(endpoint):
        modes = {
            path.name: stat.S_IMODE(path.stat().st_mode)
            for path in endpoint.state_dir.iterdir()
            if path.is_file() or path.is_socket()
        }
        assert stat.S_IMODE(endpoint.state_dir.stat().st_mode) == 0o700
    for name in ("daemon.sock", "daemon.log", "daemon.pid", "start.lock", "state.db"):
        assert modes[name] == 0o600, name


async def test_what_is_in_a_directory_open_to_others_is_the_users_alone(endpoint, tmp_path):
    endpoint.state_dir.mkdir(mode=0o755)
    endpoint.state_dir.chmod(0o755)
    stack = tmp_path / "harness.yaml"
    stack.write_text("name: shop\nservices: {db: {type: process, command: sleep 1000}}")
    async with client_of(endpoint) as client:
        source = {"directory": str(tmp_path), "files": [str(stack)], "env": {"PATH": os.defpath}}
        reference = await client.services.up(source=source)
        assert (await client.operations.wait(id=reference["id"]))["state"] == "done"
        found = [path for path in endpoint.state_dir.rglob("*") if not path.is_symlink()]
        assert {path.name for path in found} >= {"projects", "shop", "units", "db"}
        open_to_others = [path for path in found if path.stat().st_mode & 0o077]
        assert open_to_others == []
        reference = await client.services.down(project="shop")
        await client.operations.wait(id=reference["id"])


async def test_a_daemon_inherits_no_secrets_and_leaves_the_terminal(endpoint, monkeypatch):
    monkeypatch.setenv("CLOUD_TOKEN", "sesame")
    async with client_of(endpoint):
        pid = daemon_pid(endpoint)
        environ = _environ(pid)
        assert os.getsid(pid) != os.getsid(0)
        outputs = {os.readlink(f"/proc/{pid}/fd/{number}") for number in (0, 1)}
    assert b"sesame" not in environ
    assert b"PATH=" in environ
    assert outputs == {os.devnull}


def _environ(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


async def test_stop_takes_everything_down_and_leaves_no_process(endpoint, tmp_path):
    async with client_of(endpoint) as client:
        units = await up(client, stack(tmp_path / "shop", _SLEEPER))
        daemon, service = daemon_pid(endpoint), units["db"]["pid"]
        await client.daemon.stop()
    await ended(daemon)
    assert not is_alive(service or 0)
    assert not endpoint.socket_path.exists()
    assert not (endpoint.state_dir / "daemon.pid").exists()


async def test_stop_can_keep_services_for_the_next_daemon(endpoint, tmp_path):
    async with client_of(endpoint) as client:
        units = await up(client, stack(tmp_path / "shop", _SLEEPER))
        await client.daemon.stop(keep_services=True)
    assert is_alive(units["db"]["pid"] or 0)
    # At once, while the old one may still be ending.
    async with client_of(endpoint) as client:
        (unit,) = (await client.services.status(project="shop"))["services"]
        assert (unit["state"], unit["pid"]) == ("running", units["db"]["pid"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
async def test_services_outlive_a_daemon_ended_by_a_signal(endpoint, tmp_path, number):
    async with client_of(endpoint) as client:
        units = await up(client, stack(tmp_path / "shop", _SLEEPER))
        old = daemon_pid(endpoint)
        os.kill(old, number)
        await client.connection.wait_closed()
    await ended(old)
    assert is_alive(units["db"]["pid"] or 0)
    assert endpoint.socket_path.exists() == (number == signal.SIGKILL)
    async with client_of(endpoint) as client:
        assert daemon_pid(endpoint) != old
        (unit,) = (await client.services.status(project="shop"))["services"]
        assert (unit["state"], unit["pid"]) == ("running", units["db"]["pid"])


async def test_a_signal_lets_what_is_being_changed_finish(endpoint, tmp_path):
    gate = Gate(tmp_path / "shop")
    async with client_of(endpoint) as client:
        operation = await gate.begun(client)
        pid = daemon_pid(endpoint)
        os.kill(pid, signal.SIGTERM)
        # It is still there for who is connected, and waits for the task.
        waited: dict[str, Any] = {}

        async def wait() -> None:
            waited.update(await client.operations.wait(id=operation))

        async with anyio.create_task_group() as group:
            group.start_soon(wait)
            await gate.open()
    assert waited["state"] == "done"
    await ended(pid)


async def test_whoever_starts_a_daemon_waits_for_the_end_of_the_one_before(endpoint, tmp_path):
    gate = Gate(tmp_path / "shop")
    async with client_of(endpoint) as client:
        await gate.begun(client)
        pid = daemon_pid(endpoint)
        os.kill(pid, signal.SIGTERM)
        while endpoint.socket_path.exists():  # noqa: ASYNC110 - nothing tells of it
            await anyio.sleep(0.01)
        lock = open_lock(endpoint)
        assert not is_locked(lock)
        await gate.open()
        await client.connection.wait_closed()
    await ended(pid)
    assert is_locked(lock)
    os.close(lock)


async def test_an_operation_goes_on_when_its_client_vanishes(endpoint, tmp_path):
    gate = Gate(tmp_path / "shop")
    async with client_of(endpoint) as client:
        operation = await gate.begun(client)
    async with client_of(endpoint) as client:
        assert (await client.operations.get(id=operation))["state"] == "running"
        await gate.open()
        assert (await client.operations.wait(id=operation))["state"] == "done"


async def test_a_second_daemon_is_refused_in_plain_words(endpoint):
    async with foreground_daemon(endpoint) as first:
        second = await anyio.run_process(
            [sys.executable, "-m", "harness.daemon", "--state-dir", str(endpoint.state_dir)],
            check=False,
        )
        assert second.returncode == 1
        message = second.stderr.decode()
        assert f"the daemon with pid {first.pid} owns it" in message
        assert "Traceback" not in message
        async with client_of(endpoint, start=False) as client:
            assert (await client.daemon.status())["pid"] == first.pid


async def test_a_command_that_comes_while_a_daemon_starts_in_the_foreground_waits(endpoint):
    command = [sys.executable, "-m", "harness.daemon", "--state-dir", str(endpoint.state_dir)]
    async with await anyio.open_process(command, stdout=None), client_of(endpoint) as client:
        assert (await client.daemon.status())["pid"] == daemon_pid(endpoint)
        await client.daemon.stop()


async def test_a_damaged_database_is_refused_and_left_as_it_is(endpoint, tmp_path):
    async with client_of(endpoint) as client:
        await client.daemon.stop()
    database = endpoint.state_dir / "state.db"
    damaged = database.read_bytes()[:5_000]
    database.write_bytes(damaged)
    with pytest.raises(StoreCorrupt, match=r"cannot \w+ the state database") as caught:
        async with client_of(endpoint):
            pass
    assert "nothing was changed" in str(caught.value.hint)
    assert database.read_bytes() == damaged


async def test_a_database_of_a_newer_version_is_refused_and_left_as_it_is(endpoint):
    async with client_of(endpoint) as client:
        await client.daemon.stop()
    database = endpoint.state_dir / "state.db"
    with sqlite3.connect(database) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = database.read_bytes()
    with pytest.raises(StoreTooNew, match="newer version"):
        async with client_of(endpoint):
            pass
    assert database.read_bytes() == before


async def test_a_state_directory_that_cannot_be_one_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot use the state directory"):
        async with client_of(Endpoint(tmp_path / "file")):
            pass


async def test_a_daemon_of_a_long_state_directory_is_found_whatever_the_environment(
    tmp_path, monkeypatch
):
    endpoint = Endpoint(tmp_path / ("d" * 100) / "state")
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    async with client_of(endpoint) as client:
        first = (await client.daemon.status())["pid"]
    assert stat.S_IMODE(endpoint.socket_path.stat().st_mode) == 0o600
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    async with client_of(endpoint) as client:
        assert (await client.daemon.status())["pid"] == first


async def test_a_daemon_that_is_handed_no_stack_changes_nothing_and_says_nothing(
    tmp_path: Path,
) -> None:
    state = tmp_path / "state"
    command = [sys.executable, "-m", "harness.daemon", "--detach", "--stack-from-stdin"]
    with anyio.fail_after(TEST_S):
        # Its output ends when it does: the process that is waited for only forks.
        done = await anyio.run_process([*command, "--state-dir", str(state)], input=b"")
    assert (done.stdout, done.stderr) == (b"", b"")
    assert not state.exists()
