"""The daemon as a process: how it starts, ends, is killed, and what it refuses."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from harness.client import connect
from harness.errors import (
    DaemonUnavailable,
    StorageError,
    StoreCorrupt,
    StoreTooNew,
)
from harness.protocol import Endpoint
from tests.unit.daemon.daemon_process import (
    daemon_pid,
    ended,
    foreground_daemon,
    is_alive,
    kill_all,
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


@pytest.fixture
def endpoint(tmp_path) -> Endpoint:
    return Endpoint(tmp_path / "state")


@pytest.fixture
def short_directory() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="h") as directory:
        yield directory


async def test_the_first_command_starts_a_daemon_and_the_second_finds_it(endpoint):
    with anyio.fail_after(50):
        async with kill_all(endpoint):
            async with connect(endpoint) as client:
                first = (await client.daemon.status())["pid"]
            assert first == daemon_pid(endpoint)
            async with connect(endpoint) as client:
                assert (await client.daemon.status())["pid"] == first


async def test_without_leave_to_start_one_there_is_no_daemon(endpoint):
    with pytest.raises(DaemonUnavailable, match="nothing listens"):
        async with connect(endpoint, start=False):
            pass
    assert not endpoint.state_dir.exists()


async def test_commands_that_start_at_once_end_with_one_daemon(endpoint):
    command = [sys.executable, "-c", _CONNECT, str(endpoint.state_dir)]
    pids = []

    async def run() -> None:
        done = await anyio.run_process(command)
        pids.append(int(done.stdout))

    with anyio.fail_after(50):
        async with kill_all(endpoint):
            async with anyio.create_task_group() as group:
                for _ in range(4):
                    group.start_soon(run)
            assert len(pids) == 4
            assert set(pids) == {daemon_pid(endpoint)}


async def test_only_the_user_can_read_what_a_daemon_makes(endpoint):
    with anyio.fail_after(50):
        async with kill_all(endpoint), connect(endpoint):
            modes = {
                path.name: stat.S_IMODE(path.stat().st_mode)
                for path in endpoint.state_dir.iterdir()
                if path.is_file() or path.is_socket()
            }
            assert stat.S_IMODE(endpoint.state_dir.stat().st_mode) == 0o700
    for name in ("daemon.sock", "daemon.log", "daemon.pid", "start.lock", "state.db"):
        assert modes[name] == 0o600, name


async def test_a_daemon_inherits_no_secrets_and_leaves_the_terminal(endpoint, monkeypatch):
    monkeypatch.setenv("CLOUD_TOKEN", "sesame")
    with anyio.fail_after(50):
        async with kill_all(endpoint), connect(endpoint):
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
    with anyio.fail_after(50):
        async with kill_all(endpoint):
            async with connect(endpoint) as client:
                units = await up(client, stack(tmp_path / "shop", _SLEEPER))
                daemon, service = daemon_pid(endpoint), units["db"]["pid"]
                await client.daemon.stop()
            await ended(daemon)
            assert not is_alive(service)
            assert not endpoint.socket_path.exists()
            assert not (endpoint.state_dir / "daemon.pid").exists()


async def test_stop_can_keep_services_for_the_next_daemon(endpoint, tmp_path):
    with anyio.fail_after(50):
        async with kill_all(endpoint):
            async with connect(endpoint) as client:
                units = await up(client, stack(tmp_path / "shop", _SLEEPER))
                await client.daemon.stop(keep_services=True)
            assert is_alive(units["db"]["pid"])
            # At once, while the old one may still be ending.
            async with connect(endpoint) as client:
                (unit,) = (await client.services.status(project="shop"))["services"]
                assert (unit["state"], unit["pid"]) == ("running", units["db"]["pid"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
async def test_services_outlive_a_daemon_ended_by_a_signal(endpoint, tmp_path, number):
    with anyio.fail_after(50):
        async with kill_all(endpoint):
            async with connect(endpoint) as client:
                units = await up(client, stack(tmp_path / "shop", _SLEEPER))
                old = daemon_pid(endpoint)
                os.kill(old, number)
                await client.connection.wait_closed()
            await ended(old)
            assert is_alive(units["db"]["pid"])
            assert endpoint.socket_path.exists() == (number == signal.SIGKILL)
            async with connect(endpoint) as client:
                assert daemon_pid(endpoint) != old
                (unit,) = (await client.services.status(project="shop"))["services"]
                assert (unit["state"], unit["pid"]) == ("running", units["db"]["pid"])


async def test_a_signal_lets_what_is_being_changed_finish(endpoint, tmp_path):
    text = """
name: shop
tasks:
  seed: {type: process, command: [sh, -c, "echo begun; read line < gate; echo finished"]}
"""
    with anyio.fail_after(50):
        async with kill_all(endpoint):
            source = stack(tmp_path / "shop", text)
            os.mkfifo(tmp_path / "shop" / "gate")
            async with connect(endpoint) as client:
                operation = await client.services.up(source=source)
                async with client.logs.read(project="shop", follow=True) as chunks:
                    assert "begun" in (await anext(chunks))["text"]
                pid = daemon_pid(endpoint)
                os.kill(pid, signal.SIGTERM)
                # It is still there for who is connected, and waits for the task.
                waited = {}

                async def wait() -> None:
                    waited.update(await client.operations.wait(id=operation["id"]))

                async with anyio.create_task_group() as group:
                    group.start_soon(wait)
                    async with await anyio.open_file(tmp_path / "shop" / "gate", "w") as gate:
                        await gate.write("go\n")
            assert waited["state"] == "done"
            await ended(pid)


async def test_an_operation_goes_on_when_its_client_vanishes(endpoint, tmp_path):
    text = """
name: shop
tasks:
  seed: {type: process, command: [sh, -c, "echo begun; read line < gate"]}
"""
    with anyio.fail_after(50):
        async with kill_all(endpoint):
            source = stack(tmp_path / "shop", text)
            os.mkfifo(tmp_path / "shop" / "gate")
            async with connect(endpoint) as client:
                operation = await client.services.up(source=source)
                async with client.logs.read(project="shop", follow=True) as chunks:
                    assert "begun" in (await anext(chunks))["text"]
            async with connect(endpoint) as client:
                assert (await client.operations.get(id=operation["id"]))["state"] == "running"
                async with await anyio.open_file(tmp_path / "shop" / "gate", "w") as gate:
                    await gate.write("go\n")
                assert (await client.operations.wait(id=operation["id"]))["state"] == "done"


async def test_a_second_daemon_is_refused_in_plain_words(endpoint):
    with anyio.fail_after(50):
        async with foreground_daemon(endpoint) as first:
            second = await anyio.run_process(
                [sys.executable, "-m", "harness.daemon", "--state-dir", str(endpoint.state_dir)],
                check=False,
            )
            assert second.returncode == 1
            message = second.stderr.decode()
            assert f"the daemon with pid {first.pid} owns it" in message
            assert "Traceback" not in message
            async with connect(endpoint, start=False) as client:
                assert (await client.daemon.status())["pid"] == first.pid


async def test_a_command_that_comes_while_a_daemon_starts_in_the_foreground_waits(endpoint):
    command = [sys.executable, "-m", "harness.daemon", "--state-dir", str(endpoint.state_dir)]
    with anyio.fail_after(50):
        async with (
            kill_all(endpoint),
            await anyio.open_process(command, stdout=None),
            connect(endpoint) as client,
        ):
            assert (await client.daemon.status())["pid"] == daemon_pid(endpoint)
            await client.daemon.stop()


async def test_a_damaged_database_is_refused_and_left_as_it_is(endpoint, tmp_path):
    with anyio.fail_after(50):
        async with kill_all(endpoint):
            async with connect(endpoint) as client:
                await client.daemon.stop()
            database = endpoint.state_dir / "state.db"
            damaged = database.read_bytes()[:5_000]
            database.write_bytes(damaged)
            with pytest.raises(StoreCorrupt, match=r"cannot \w+ the state database") as caught:
                async with connect(endpoint):
                    pass
            assert "nothing was changed" in str(caught.value.hint)
            assert database.read_bytes() == damaged
            database.unlink()


async def test_a_database_of_a_newer_version_is_refused_and_left_as_it_is(endpoint):
    with anyio.fail_after(50):
        async with kill_all(endpoint):
            async with connect(endpoint) as client:
                await client.daemon.stop()
            database = endpoint.state_dir / "state.db"
            with sqlite3.connect(database) as connection:
                connection.execute("PRAGMA user_version = 99")
            connection.close()
            before = database.read_bytes()
            with pytest.raises(StoreTooNew, match="newer version"):
                async with connect(endpoint):
                    pass
            assert database.read_bytes() == before
            database.unlink()


async def test_a_state_directory_that_cannot_be_one_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with anyio.fail_after(50), pytest.raises(StorageError, match="cannot use the state directory"):
        async with connect(Endpoint(tmp_path / "file")):
            pass


async def test_a_long_state_directory_gets_a_short_socket(tmp_path, monkeypatch, short_directory):
    endpoint = Endpoint(tmp_path / ("d" * 100) / "state")
    monkeypatch.setenv("XDG_RUNTIME_DIR", short_directory)
    assert endpoint.socket_path.parent == Path(short_directory, "harness")
    with anyio.fail_after(50):
        async with kill_all(endpoint), connect(endpoint) as client:
            assert (await client.daemon.status())["state_dir"] == str(endpoint.state_dir)
            assert stat.S_IMODE(endpoint.socket_path.parent.stat().st_mode) == 0o700
