"""A server with handlers of a test's own, and ways to be its client."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import TaskStatus

from harness.access import Authority, Role
from harness.client import Client, Remote, connect, opened
from harness.clock import SystemClock
from harness.daemon.access import Access
from harness.daemon.channel import Channel
from harness.daemon.dispatcher import Dispatcher, Handler
from harness.daemon.server import Server
from harness.daemon.session import Call, Limits
from harness.protocol import (
    MAX_MESSAGE_BYTES,
    DaemonHello,
    Empty,
    Endpoint,
    HelloParams,
    ListenParams,
    MessageStream,
    SubscriptionRef,
    check_protocol_version,
    message_pipe,
)
from harness.storage import MemoryStore

__all__ = ["HANDLERS", "SmallServer", "serving"]


async def _hello(params: HelloParams, _: Call) -> DaemonHello:
    check_protocol_version(params.protocol)
    return DaemonHello(protocol=1, version="test", pid=1)


async def _nothing(_: Any, __: Call) -> Empty:
    return Empty()


async def _cancel(params: Any, call: Call) -> Empty:
    call.session.cancel_channel(params.subscription)
    return Empty()


async def _ack(params: Any, call: Call) -> Empty:
    call.session.acknowledge(params.subscription, params.bytes)
    return Empty()


async def _echo(params: Any, _: Call) -> dict[str, Any]:
    """`services.status` answers with the project it is asked for."""
    return {"project": params.project, "services": []}


async def _count(params: Any, call: Call) -> SubscriptionRef:
    """`events.subscribe` counts from `after` on, for ever."""

    async def run(channel: Channel, status: TaskStatus[None]) -> None:
        status.started()
        number = params.after or 0
        while True:
            number += 1
            await channel.notify("events.event", {"event": {"number": number}})

    return SubscriptionRef(subscription=await call.open_channel(run, window=params.window))


HANDLERS: Mapping[str, Handler] = {
    "daemon.hello": _hello,
    "daemon.status": _nothing,
    "services.status": _echo,
    "events.subscribe": _count,
    "subscriptions.cancel": _cancel,
    "subscriptions.ack": _ack,
}


class SmallServer:
    """A running server and where its clients come from."""

    def __init__(self, server: Server, group: Any, endpoint: Endpoint | Remote | None) -> None:
        self.server = server
        self._group = group
        self._endpoint = endpoint

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        """Connect one client."""
        if self._endpoint is not None:
            async with connect(self._endpoint, start=False) as client:
                yield client
        else:
            async with opened(self.pipe()) as client:
                yield client

    def pipe(self, *, max_message_bytes: int = MAX_MESSAGE_BYTES) -> MessageStream:
        """Return a client's end of a connection within this process."""
        ours, theirs = message_pipe(max_message_bytes=max_message_bytes)
        self._group.start_soon(self.server.serve_stream, theirs)
        return ours

    @property
    def path(self) -> Path:
        """The socket."""
        assert isinstance(self._endpoint, Endpoint)
        return self._endpoint.socket_path


@asynccontextmanager
async def serving(
    handlers: Mapping[str, Handler] | None = None,
    *,
    over: str = "pipe",
    limits: Limits | None = None,
    max_message_bytes: int = MAX_MESSAGE_BYTES,
) -> AsyncIterator[SmallServer]:
    """Serve `HANDLERS` and a test's own ones, over a `pipe`, a unix `socket`, or `tls`."""
    server = Server(
        Dispatcher({**HANDLERS, **(handlers or {})}),
        limits=limits,
        max_message_bytes=max_message_bytes,
        health=lambda: {"status": "ok"},
    )
    with tempfile.TemporaryDirectory() as directory:
        endpoint: Endpoint | Remote | None = None
        async with server.running(), anyio.create_task_group() as group:
            if over == "tls":
                endpoint = await _listening(server, Endpoint(Path(directory)))
            elif over == "socket":
                endpoint = Endpoint(Path(directory))
                await server.listen(endpoint.socket_path)
            yield SmallServer(server, group, endpoint)
            await server.close_sessions()
            group.cancel_scope.cancel()


async def _listening(server: Server, endpoint: Endpoint) -> Remote:
    """Serve clients of other machines; return how they reach this one."""
    clock = SystemClock()
    access = Access(endpoint=endpoint, store=MemoryStore(), server=server, clock=clock)
    listening = await access.listen(ListenParams(host="127.0.0.1"))
    ca = endpoint.state_dir / "ca.pem"
    ca.write_text(Authority(endpoint.certificates_dir, clock).ca_pem())
    token, _ = access.tokens.create("test", Role.ADMIN, lifetime_s=None)
    return Remote(url=str(listening.url), token=token, ca=ca)
