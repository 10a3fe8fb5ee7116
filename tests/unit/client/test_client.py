from __future__ import annotations

import dataclasses
import inspect
import json
from typing import Any

import anyio
import pytest

from harness.client import Client, Endpoint, connect, opened
from harness.errors import DaemonUnavailable, ProtocolError
from harness.protocol import METHODS, message_pipe
from tests.unit.daemon.serving import serving

_OF_CONNECTIONS = ("timeout_s", "window", "positions")
_WITHOUT_A_VERB = {
    "rpc.discover": "daemon.discover",
    "daemon.hello": None,
    "subscriptions.ack": None,
    "subscriptions.cancel": None,
    "exec.write": None,
    "exec.close_stdin": None,
    "exec.signal": None,
    "exec.resize": None,
    "actions.run": None,
    "actions.cancel": None,
}
"""Methods that a client calls by itself, or that belong to a running command or action."""


@pytest.mark.parametrize("method", METHODS)
async def test_every_method_has_a_verb_with_the_same_parameters(method):
    name = _WITHOUT_A_VERB.get(method, method)
    if name is None:
        return
    async with serving() as server, server.client() as client:
        noun, verb = name.split(".")
        function = getattr(getattr(client, noun), verb)
    taken = {p for p in inspect.signature(function).parameters if p != "timeout_s"}
    params = [field.name for field in dataclasses.fields(METHODS[method].params)]  # type: ignore[arg-type]
    assert taken == {p for p in params if p not in _OF_CONNECTIONS}


async def test_an_error_of_the_caller_passes_unwrapped():
    async with serving() as server:
        with pytest.raises(KeyError, match="mine"):
            await _raise_within(server)


async def _raise_within(server: Any) -> None:
    async with server.client():
        raise KeyError("mine")


async def test_a_daemon_of_another_version_is_reported_plainly():
    ours, theirs = message_pipe()

    async def refuse() -> None:
        request = json.loads(await theirs.receive())
        data = {"kind": "protocol-error", "hint": "use the newer command", "details": {}}
        error = {"code": -32000, "message": "cannot talk to this client", "data": data}
        await theirs.send(json.dumps({"jsonrpc": "2.0", "id": request["id"], "error": error}))

    async def connect_() -> None:
        async with opened(ours):
            pass

    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            group.start_soon(refuse)
            with pytest.raises(ProtocolError, match="cannot talk to this client") as caught:
                await connect_()
    assert caught.value.hint == "use the newer command"
    theirs.abort()


async def test_whatever_listens_and_is_no_daemon_is_reported(tmp_path):
    endpoint = Endpoint(tmp_path)
    listener = await anyio.create_unix_listener(endpoint.socket_path)

    async def serve(stream: Any) -> None:
        async with stream:
            await stream.receive()
            await stream.send(b"HTTP/1.1 403 Forbidden\r\n\r\ngo away")

    async def connect_() -> Client:
        async with connect(endpoint, start=False) as client:
            return client

    with anyio.fail_after(10):
        async with listener, anyio.create_task_group() as group:
            group.start_soon(listener.serve, serve)
            with pytest.raises(ProtocolError, match="go away"):
                await connect_()
            group.cancel_scope.cancel()


async def test_a_socket_nobody_listens_at_is_no_daemon(tmp_path):
    endpoint = Endpoint(tmp_path)
    listener = await anyio.create_unix_listener(endpoint.socket_path)
    await listener.aclose()
    assert endpoint.socket_path.exists()
    with pytest.raises(DaemonUnavailable, match="nothing listens") as caught:
        async with connect(endpoint, start=False):
            pass
    assert "harness daemon start" in str(caught.value.hint)
