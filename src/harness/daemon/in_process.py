"""A daemon within the program that uses it, for tests: real, but for its process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial

import anyio

from harness.client import Client, connect
from harness.errors import DaemonUnavailable
from harness.protocol import Endpoint

from .app import serve_daemon

__all__ = ["serving"]

_END_S = 30.0


@asynccontextmanager
async def serving(endpoint: Endpoint, *, plugins: Sequence[str] = ()) -> AsyncIterator[Client]:
    """Serve a state directory while the context is open, and give a client of it.

    It listens on its socket as any daemon does: other clients, `harness` among them, reach it.
    Leaving takes every project down.

    Args:
        endpoint: names the state directory; no other daemon may use it.
        plugins: that it is started with, `module` or `module:attribute`, beside installed ones.

    Raises:
        StorageError: the state directory cannot be used.
    """
    ready, ended = anyio.Event(), anyio.Event()
    failures: list[BaseException] = []
    run = partial(serve_daemon, endpoint, ready=ready.set, plugins=plugins, takes_signals=False)

    async def serve() -> None:
        try:
            await run()
        except Exception as error:  # raised below, where the caller waits
            failures.append(error)
        finally:
            ready.set()
            ended.set()

    async with anyio.create_task_group() as group:
        group.start_soon(serve)
        await ready.wait()
        if not failures:
            try:
                async with connect(endpoint, start=False) as client:
                    yield client
            except anyio.get_cancelled_exc_class():
                raise
            except BaseException as error:  # the caller's own, or pytest's: not to be in a group
                failures.append(error)
            finally:
                with anyio.move_on_after(_END_S, shield=True):
                    with suppress(DaemonUnavailable):  # it has ended already
                        async with connect(endpoint, start=False) as client:
                            await client.daemon.stop()
                    await ended.wait()
                group.cancel_scope.cancel()
    if failures:
        # That the daemon cannot be reached comes of its end: what it died of says more.
        raise next((f for f in failures if not isinstance(f, DaemonUnavailable)), failures[0])
