"""A client that goes on with the next daemon."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from harness.client import Client, client, connect
from harness.errors import DaemonUnavailable, OperationNotFound
from harness.protocol import Endpoint
from tests.unit.daemon.daemon_process import TEST_S, client_of, daemon_pid, ended, stack, up

pytestmark = pytest.mark.timeout(60)

_STACK = """
name: shop
services:
  db: {type: process, command: [sleep, "1000"]}
"""


@pytest.fixture
async def endpoint(tmp_path: Path) -> AsyncIterator[Endpoint]:
    """Give a state directory; whatever runs in it is taken down at the end."""
    found = Endpoint(tmp_path / "state")
    yield found
    async with client_of(found) as stopping:
        await stopping.daemon.stop()
    await ended(daemon_pid(found)) if (found.state_dir / "daemon.pid").exists() else None


@asynccontextmanager
async def lasting(endpoint: Endpoint) -> AsyncIterator[Client]:
    with anyio.fail_after(TEST_S):
        async with connect(endpoint, reconnect=True) as found:
            yield found


async def kill(endpoint: Endpoint) -> None:
    pid = daemon_pid(endpoint)
    os.kill(pid, signal.SIGKILL)
    await ended(pid)


async def test_what_reads_is_asked_again_of_the_next_daemon(endpoint, tmp_path):
    async with lasting(endpoint) as found:
        before = await up(found, stack(tmp_path / "shop", _STACK))
        pid = found.hello["pid"]
        await kill(endpoint)
        status = await found.services.status(project="shop")
        assert status["services"][0]["pid"] == before["db"]["pid"]
        assert daemon_pid(endpoint) != pid


async def test_events_go_on_from_the_last_one_seen(endpoint, tmp_path):
    async with lasting(endpoint) as found:
        await up(found, stack(tmp_path / "shop", _STACK))
        numbers: list[int] = []
        kinds: list[str] = []

        async def follow(*, task_status: Any = anyio.TASK_STATUS_IGNORED) -> None:
            async with found.events.subscribe() as events:
                task_status.started()
                async for event in events:
                    numbers.append(event["number"])
                    kinds.append(event["kind"])
                    if kinds.count("operation-finished") == 3:
                        return

        async with anyio.create_task_group() as group:
            await group.start(follow)
            for _ in range(3):
                restarting = await found.services.restart(project="shop", units=["db"])
                await found.operations.wait(id=restarting["id"])
                await kill(endpoint)
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        assert kinds.count("daemon-started") == 2


_COUNTING = """
name: shop
services:
  count:
    type: process
    command: [sh, -c, "i=0; while :; do seq $i $((i + 999)); i=$((i + 1000)); sleep 0.01; done"]
  quiet: {type: process, command: [sh, -c, "read line < gate; echo at last; exec sleep 1000"]}
"""


async def test_output_goes_on_from_its_last_byte(endpoint, tmp_path):
    async with lasting(endpoint) as found:
        await up(found, stack(tmp_path / "shop", _COUNTING))
        text = ""
        kills = 0
        async with found.logs.read(project="shop", units=["count"], follow=True) as chunks:
            async for chunk in chunks:
                text += chunk["text"]
                if len(text) > (kills + 1) * 100_000:
                    if kills == 3:
                        break
                    await kill(endpoint)
                    kills += 1
        lines = text.splitlines()[:-1]
        assert lines == [str(number) for number in range(len(lines))]


async def test_output_of_which_nothing_was_seen_goes_on_where_it_began(endpoint, tmp_path):
    source = stack(tmp_path / "shop", _COUNTING)
    os.mkfifo(tmp_path / "shop" / "gate")
    async with lasting(endpoint) as found:
        operation = await found.services.up(source=source, units=["quiet"])
        await found.operations.wait(id=operation["id"])
        async with found.logs.read(project="shop", tail=0, follow=True) as chunks:
            seen: list[str] = []

            async def read() -> None:
                async for chunk in chunks:
                    seen.append(chunk["text"])
                    return

            async with anyio.create_task_group() as group:
                group.start_soon(read)
                # Its answer comes after what the daemon says of where the output is now.
                await found.daemon.status()
                await anyio.wait_all_tasks_blocked()
                await kill(endpoint)
                async with await anyio.open_file(tmp_path / "shop" / "gate", "w") as file:
                    await file.write("go\n")
        assert seen == ["at last\n"]


async def test_what_changes_something_is_not_asked_again(endpoint, tmp_path):
    async with lasting(endpoint) as found:
        await up(found, stack(tmp_path / "shop", _STACK))
        os.kill(found.hello["pid"], signal.SIGSTOP)
        failures: list[BaseException] = []

        async def restart() -> None:
            try:
                await found.services.restart(project="shop", units=["db"])
            except DaemonUnavailable as error:
                failures.append(error)

        async with anyio.create_task_group() as group:
            group.start_soon(restart)
            await anyio.wait_all_tasks_blocked()
            await kill(endpoint)
        assert len(failures) == 1
        with pytest.raises(OperationNotFound):
            await found.operations.get(id="0" * 12)


async def test_a_daemon_that_was_restarted_is_gone_on_with(endpoint, tmp_path):
    async with lasting(endpoint) as found:
        before = await up(found, stack(tmp_path / "shop", _STACK))
        async with client_of(endpoint) as other:
            await other.daemon.stop(keep_services=True)
        async with client_of(endpoint):
            status = await found.services.status(project="shop")
        assert status["services"][0]["pid"] == before["db"]["pid"]


async def test_a_daemon_that_was_stopped_stays_so(endpoint, tmp_path, monkeypatch):
    monkeypatch.setattr(client, "_NEXT_DAEMON_S", 0.5)
    async with lasting(endpoint) as found:
        await found.daemon.status()
        async with found.events.subscribe() as events:
            async with client_of(endpoint) as other:
                await other.daemon.stop()
            with pytest.raises(DaemonUnavailable, match="the daemon has ended"):
                async for _ in events:
                    pass
        assert not endpoint.socket_path.exists()
