"""A daemon within the test, when it or the test ends before its time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest

from harness.daemon import serving
from harness.daemon.app import serve_daemon
from harness.errors import StorageError
from harness.protocol import Endpoint

pytestmark = pytest.mark.usefixtures("swept")


async def test_a_failure_is_the_callers_own_although_the_daemon_has_ended(tmp_path: Path) -> None:
    with anyio.fail_after(10), pytest.raises(ValueError, match="mine"):  # noqa: PT012
        async with serving(Endpoint(tmp_path)) as client:
            await client.daemon.stop()
            await client.connection.wait_closed()
            raise ValueError("mine")


async def test_what_the_daemon_died_of_is_told(tmp_path: Path, monkeypatch: Any) -> None:
    life = anyio.CancelScope()

    async def dying(*args: Any, **settings: Any) -> None:
        with life:
            await serve_daemon(*args, **settings)
        raise StorageError("cannot go on: the disk is gone")

    monkeypatch.setattr("harness.daemon.in_process.serve_daemon", dying)
    with anyio.fail_after(10), pytest.raises(StorageError, match="the disk is gone"):  # noqa: PT012
        async with serving(Endpoint(tmp_path)) as client:
            life.cancel()
            await client.connection.wait_closed()
            await client.daemon.status()


async def test_a_daemon_that_does_not_end_is_cancelled(tmp_path: Path, monkeypatch: Any) -> None:
    async def deaf(*args: Any, **settings: Any) -> None:
        await serve_daemon(*args, **settings)
        await anyio.sleep_forever()

    monkeypatch.setattr("harness.daemon.in_process.serve_daemon", deaf)
    monkeypatch.setattr("harness.daemon.in_process._END_S", 0.5)
    with anyio.fail_after(10):
        async with serving(Endpoint(tmp_path)) as client:
            await client.daemon.status()
