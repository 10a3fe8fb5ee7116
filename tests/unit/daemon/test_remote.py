"""Clients of other machines: TLS, tokens and certificates over real sockets."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio import to_thread
from anyio.abc import Listener, SocketStream

from harness.access import Authority, Role
from harness.client import BlockingClient, Client, Remote, connect
from harness.clock import Clock, SystemClock
from harness.daemon import remote
from harness.daemon.access import Access
from harness.daemon.dispatcher import Dispatcher
from harness.daemon.remote import RemoteListener
from harness.daemon.server import Server
from harness.daemon.session import Limits
from harness.errors import (
    CertificateInvalid,
    DaemonUnavailable,
    Forbidden,
    HarnessError,
    InvalidParameters,
    ListenFailed,
    ProtocolError,
    TooManyAttempts,
    Unauthenticated,
)
from harness.protocol import Endpoint, ListenParams
from harness.storage import MemoryStore, Store
from tests.fakes.clock import FakeClock
from tests.unit.daemon.serving import HANDLERS


@pytest.fixture(
    params=[
        pytest.param(("asyncio", {"use_uvloop": False}), id="asyncio"),
        pytest.param(("asyncio", {"use_uvloop": True}), id="uvloop"),
        pytest.param(("trio", {}), id="trio"),
    ]
)
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    """Have uvloop too, which the daemon runs on: its connections are of another kind."""
    return request.param


class Doors:
    """A server that listens, and what a client needs to come in."""

    def __init__(self, directory: Path, server: Server, access: Access) -> None:
        self.server = server
        self.access = access
        self.authority = Authority(Endpoint(directory).certificates_dir, SystemClock())
        self.ca = directory / "ca.pem"
        self.ca.write_text(self.authority.ca_pem())

    @property
    def url(self) -> str:
        assert self.access.listening is not None
        return str(self.access.listening.url)

    def token(self, role: Role = Role.ADMIN, *, lifetime_s: float | None = None) -> str:
        return self.access.tokens.create(role.value, role, lifetime_s=lifetime_s)[0]

    def remote(self, **settings: Any) -> Remote:
        url = settings.pop("url", None) or self.url
        return Remote(**{"url": url, "ca": self.ca, **settings})

    @asynccontextmanager
    async def client(self, **settings: Any) -> AsyncIterator[Client]:
        async with connect(self.remote(**settings)) as client:
            yield client


@asynccontextmanager
async def doors(
    directory: Path,
    *,
    limits: Limits | None = None,
    store: Store | None = None,
    clock: Clock | None = None,
    is_open: bool = True,
) -> AsyncIterator[Doors]:
    server = Server(Dispatcher(HANDLERS), limits=limits)
    access = Access(
        endpoint=Endpoint(directory),
        store=store or MemoryStore(),
        server=server,
        clock=clock or SystemClock(),
    )
    handlers = {**HANDLERS, "daemon.stop": HANDLERS["daemon.status"]}
    server.dispatcher = Dispatcher(handlers, audit=access.audit)
    with anyio.fail_after(15):
        async with server.running():
            if is_open:
                await access.listen(ListenParams(host="127.0.0.1"))
            yield Doors(directory, server, access)


@asynccontextmanager
async def shut_door(directory: Path) -> AsyncIterator[tuple[Doors, Listener[SocketStream]]]:
    """A daemon that is to listen where another program does, which goes once it is closed."""
    store = MemoryStore()
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as taken:
        port = taken.extra(anyio.abc.SocketAttribute.local_port)
        store.put("daemon", "listen", {"version": 1, "host": "127.0.0.1", "port": port})
        async with doors(directory, store=store, is_open=False) as door:
            await door.access.begin(None)
            yield door, taken


async def test_a_client_with_a_token_calls_over_tls(tmp_path):
    async with doors(tmp_path) as door, door.client(token=door.token()) as client:
        assert (await client.services.status(project="shop"))["project"] == "shop"


async def test_a_long_message_arrives_whole_in_both_directions(tmp_path):
    name = "x" * 3_000_000
    async with doors(tmp_path) as door, door.client(token=door.token()) as client:
        assert (await client.services.status(project=name))["project"] == name


@pytest.mark.parametrize("token", [None, "hnt_0_0", "nonsense", "hnt__", ""])
async def test_who_has_no_token_is_not_let_in(tmp_path, token):
    async with doors(tmp_path) as door:
        with pytest.raises(Unauthenticated, match="cannot log in"):
            async with door.client(token=token):
                pass


async def test_a_server_of_another_authority_gets_no_token(tmp_path):
    other = tmp_path / "other.pem"
    other.write_text(Authority(tmp_path / "other", SystemClock()).ca_pem())
    async with doors(tmp_path) as door:
        with pytest.raises(CertificateInvalid, match="not from the authority") as caught:
            async with door.client(token=door.token(), ca=other):
                pass
    assert "certs show --ca" in str(caught.value.hint)


async def test_a_server_is_not_believed_to_be_another_host(tmp_path):
    async with doors(tmp_path) as door:
        await door.access.listen(ListenParams(host="0.0.0.0"))
        url = f"wss://127.0.0.2:{door.url.rpartition(':')[2]}"
        with pytest.raises(CertificateInvalid, match="for other names"):
            async with door.client(token=door.token(), url=url):
                pass


async def test_a_client_certificate_needs_no_token_and_has_its_role(tmp_path):
    async with doors(tmp_path) as door:
        path = tmp_path / "client.pem"
        path.write_text(door.authority.issue("ci", Role.VIEWER, lifetime_s=60))
        async with door.client(certificate=path) as client:
            await client.services.status(project="shop")
            with pytest.raises(Forbidden, match=r'"ci" is a viewer, and it needs an admin'):
                await client.daemon.stop()


async def test_a_foreign_client_certificate_is_told_so(tmp_path):
    path = tmp_path / "client.pem"
    foreign = Authority(tmp_path / "other", SystemClock())
    path.write_text(foreign.issue("ci", Role.ADMIN, lifetime_s=60))
    async with doors(tmp_path) as door:
        with pytest.raises(CertificateInvalid, match="refused this client's certificate") as caught:
            async with door.client(certificate=path, token=door.token()):
                pass
    assert "certs issue" in str(caught.value.hint)


async def test_a_revoked_certificate_lets_in_no_more_and_ends_its_connections_alone(tmp_path):
    async with doors(tmp_path) as door:
        path, other_path = tmp_path / "ci.pem", tmp_path / "me.pem"
        path.write_text(door.authority.issue("ci", Role.VIEWER, lifetime_s=60))
        other_path.write_text(door.authority.issue("me", Role.VIEWER, lifetime_s=60))
        token = door.token()
        async with (
            door.client(certificate=path) as one,
            door.client(certificate=other_path) as other,
            door.client(token=token) as third,
        ):
            await one.daemon.status()
            assert door.authority.revoke("ci") == 1
            await door.access.listen(ListenParams(host="127.0.0.1"))
            await one.connection.wait_closed()
            await other.daemon.status()
            await third.daemon.status()
        with pytest.raises(CertificateInvalid, match="this client's certificate: it was revoked"):
            async with door.client(certificate=path, token=token):
                pass
        path.write_text(door.authority.issue("ci", Role.VIEWER, lifetime_s=60))
        async with door.client(certificate=path), door.client(certificate=other_path):
            pass


async def test_whom_a_damaged_list_of_revoked_certificates_named_is_not_let_in(tmp_path):
    async with doors(tmp_path) as door:
        path = tmp_path / "ci.pem"
        path.write_text(door.authority.issue("ci", Role.VIEWER, lifetime_s=60))
        door.authority.revoke("ci")
        door.authority.revoked_path.write_text("nonsense")
        with pytest.raises(HarnessError):
            async with door.client(certificate=path):
                pass
        door.authority.rotate(authority=True)
        assert not door.authority.revoked_path.exists()


async def test_the_certificate_of_a_server_is_none_of_a_client(tmp_path):
    async with doors(tmp_path) as door:
        with pytest.raises(CertificateInvalid, match="refused this client's certificate"):
            async with door.client(certificate=door.authority.server_path):
                pass


async def test_old_tls_is_not_spoken(tmp_path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    async with doors(tmp_path) as door:
        port = int(door.url.rpartition(":")[2])
        with pytest.raises((ssl.SSLError, anyio.BrokenResourceError)):
            await anyio.connect_tcp("127.0.0.1", port, ssl_context=context)


async def test_plain_text_gets_nothing_and_disturbs_nobody(tmp_path):
    async with doors(tmp_path) as door, door.client(token=door.token()) as client:
        port = int(door.url.rpartition(":")[2])
        async with await anyio.connect_tcp("127.0.0.1", port) as stream:
            await stream.send(b"GET /rpc HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = b"".join([part async for part in stream])
            assert b"HTTP" not in answer
        await client.daemon.status()


async def test_clients_that_say_nothing_do_not_keep_others_waiting(tmp_path):
    async with doors(tmp_path, limits=Limits(logins=8, handshake_s=60)) as door:
        port = int(door.url.rpartition(":")[2])
        async with (
            await anyio.connect_tcp("127.0.0.1", port),
            door.client(token=door.token()) as client,
        ):
            await client.daemon.status()


async def test_who_does_not_finish_the_handshake_is_disconnected(tmp_path):
    async with doors(tmp_path, limits=Limits(handshake_s=0.05)) as door:
        port = int(door.url.rpartition(":")[2])
        async with await anyio.connect_tcp("127.0.0.1", port) as stream:
            with pytest.raises(anyio.EndOfStream):
                await stream.receive()


async def test_who_looks_for_open_ports_and_leaves_is_no_defect(tmp_path, caplog):
    async with doors(tmp_path) as door:
        port = int(door.url.rpartition(":")[2])
        with socket.socket() as scanner:
            scanner.setblocking(False)
            scanner.connect_ex(("127.0.0.1", port))
            # Reset when it is closed, before the daemon could accept it.
            scanner.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await anyio.wait_all_tasks_blocked()
        async with door.client(token=door.token()) as client:
            await client.daemon.status()
    assert "Cannot go on with a connection" not in caplog.text


async def test_too_many_clients_that_have_not_logged_in_are_refused(tmp_path):
    async with doors(tmp_path, limits=Limits(logins=4, handshake_s=60)) as door:
        port = int(door.url.rpartition(":")[2])
        async with await anyio.connect_tcp("127.0.0.1", port):
            await anyio.wait_all_tasks_blocked()
            with pytest.raises(DaemonUnavailable):
                async with door.client(token=door.token()):
                    pass


async def test_after_many_failed_logins_an_address_has_to_wait(tmp_path):
    async with doors(tmp_path) as door, door.client(token=door.token()) as client:
        for _ in range(10):
            with pytest.raises(Unauthenticated, match="not known"):
                async with door.client(token="hnt_0_0"):
                    pass
        with pytest.raises(TooManyAttempts, match=r"wait \d+ s") as caught:
            async with door.client(token="hnt_0_0"):
                pass
        assert caught.value.details["retry_after_s"]
        await client.daemon.status()


async def test_a_revoked_token_ends_its_connections_and_no_others(tmp_path):
    async with doors(tmp_path) as door:
        token = door.token(Role.OPERATOR)
        async with door.client(token=door.token()) as other, door.client(token=token) as client:
            await client.daemon.status()
            door.access.revoke("operator")
            await client.connection.wait_closed()
            await other.daemon.status()
        with pytest.raises(Unauthenticated, match="not known"):
            async with door.client(token=token):
                pass


async def test_who_logs_in_while_the_token_is_revoked_does_not_stay(tmp_path, monkeypatch):
    async with doors(tmp_path) as door:
        token, log_in = door.token(), RemoteListener._log_in

        async def revoked_meanwhile(*args):
            come_in = await log_in(*args)
            door.access.revoke("admin")
            return come_in

        monkeypatch.setattr(RemoteListener, "_log_in", revoked_meanwhile)
        with pytest.raises(HarnessError):
            async with door.client(token=token) as client:
                await client.daemon.status()


async def test_a_connection_ends_when_its_token_expires(tmp_path):
    async with doors(tmp_path) as door:
        token = door.token(lifetime_s=0.5)
        async with door.client(token=token) as client:
            await client.connection.wait_closed()
        with pytest.raises(Unauthenticated, match="expired at") as caught:
            async with door.client(token=token):
                pass
    assert "harness token create" in str(caught.value.hint)


async def test_a_port_that_is_taken_is_named_and_the_one_before_goes_on(tmp_path):
    async with doors(tmp_path) as door:
        token, url = door.token(), door.url
        async with await anyio.create_tcp_listener(local_host="127.0.0.1") as taken:
            port = taken.extra(anyio.abc.SocketAttribute.local_port)
            with pytest.raises(ListenFailed, match="another program listens there"):
                await door.access.listen(ListenParams(host="127.0.0.1", port=port))
        assert door.url == url
        async with door.client(token=token) as client:
            await client.daemon.status()


async def test_a_failed_move_to_another_host_of_the_same_port_leaves_the_door_open(tmp_path):
    async with doors(tmp_path) as door:
        url, port = door.url, int(door.url.rpartition(":")[2])
        with pytest.raises(ListenFailed):
            await door.access.listen(ListenParams(host="192.0.2.1", port=port))
        assert door.url == url
        async with door.client(token=door.token()) as client:
            await client.daemon.status()


async def test_a_door_that_was_closed_for_a_failed_move_is_tried_again(tmp_path, monkeypatch):
    monkeypatch.setattr("harness.daemon.remote._AGAIN_S", 0.0)
    open_listener = remote._listener
    taken: list[Any] = []

    async def take_and_fail(host: str, port: int) -> Any:
        if host == "192.0.2.1":
            taken.append(await open_listener("127.0.0.1", port))
        return await open_listener(host, port)

    monkeypatch.setattr(remote, "_listener", take_and_fail)
    async with doors(tmp_path) as door:
        url, port = door.url, int(door.url.rpartition(":")[2])
        with pytest.raises(ListenFailed, match=r"192\.0\.2\.1"):
            await door.access.listen(ListenParams(host="192.0.2.1", port=port))
        assert door.access.listening is not None
        assert (door.access.listening.host, door.access.listening.url) == ("127.0.0.1", None)
        assert "another program listens there; it is tried" in str(door.access.listening.problem)
        await taken[0].aclose()
        while door.access.listening.url is None:  # noqa: ASYNC110 - it tells nobody
            await anyio.sleep(0.01)
        assert door.url == url
        async with door.client(token=door.token()) as client:
            await client.daemon.status()


async def test_a_daemon_that_ends_opens_no_door(tmp_path, monkeypatch):
    open_listener = remote._listener
    async with doors(tmp_path) as door:

        async def end_meanwhile(host: str, port: int) -> Any:
            listener = await open_listener(host, port)
            door.server.stop_listening()
            return listener

        monkeypatch.setattr(remote, "_listener", end_meanwhile)
        for _ in range(2):
            with pytest.raises(ListenFailed, match="the daemon is ending"):
                await door.access.listen(ListenParams(host="127.0.0.2"))


async def test_a_remembered_port_that_is_taken_is_tried_again(tmp_path, monkeypatch):
    monkeypatch.setattr("harness.daemon.remote._AGAIN_S", 0.0)
    async with shut_door(tmp_path) as (door, taken):
        assert door.access.listening is not None
        assert "another program listens there; it is tried" in str(door.access.listening.problem)
        await taken.aclose()
        while door.access.listening.url is None:  # noqa: ASYNC110 - it tells nobody
            await anyio.sleep(0.01)
        async with door.client(token=door.token()) as client:
            await client.daemon.status()


async def test_a_port_that_is_taken_is_not_tried_again_when_nobody_wants_it(tmp_path, monkeypatch):
    monkeypatch.setattr("harness.daemon.remote._AGAIN_S", 0.0)
    async with shut_door(tmp_path) as (door, taken):
        await door.access.listen(ListenParams(host=None))
        await taken.aclose()
        await anyio.wait_all_tasks_blocked()
        assert door.access.listening is None


async def test_who_is_not_let_in_cannot_push_others_out_of_the_audit_log(tmp_path):
    async with doors(tmp_path) as door:
        host, port = door.url.removeprefix("wss://").split(":")
        for _ in range(40):
            async with await anyio.connect_tcp(host, int(port)) as stream:
                await stream.send(b"no TLS at all" * 10)
                with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
                    while True:
                        await stream.receive()
        lines = (tmp_path / "audit.log").read_text().splitlines()
        assert len(lines) == 30
        assert "more of this minute from there are not noted" in lines[-1]
        async with door.client(token=door.token()) as client:
            await client.daemon.status()


async def test_listening_again_where_it_listens_changes_nothing(tmp_path):
    async with doors(tmp_path) as door:
        url = door.url
        assert (await door.access.listen(ListenParams(host="127.0.0.1"))).url == url
        await door.access.listen(ListenParams())
        assert door.access.listening is None
        with pytest.raises(DaemonUnavailable):
            async with door.client(url=url):
                pass


async def test_health_is_all_that_is_told_to_strangers(tmp_path):
    context = ssl.create_default_context(cafile=None)
    async with doors(tmp_path) as door:
        context.load_verify_locations(door.ca)
        port = int(door.url.rpartition(":")[2])
        async with await anyio.connect_tcp(
            "127.0.0.1", port, ssl_context=context, tls_standard_compatible=False
        ) as stream:
            await stream.send(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = await stream.receive()
    assert answer.endswith(b'{"status": "ok"}\n')


async def test_a_server_that_speaks_no_tls_is_told_so(tmp_path):
    async def serve(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            await stream.send(b"SSH-2.0-OpenSSH\r\n")

    async with (
        doors(tmp_path) as door,
        await anyio.create_tcp_listener(local_host="127.0.0.1") as plain,
        anyio.create_task_group() as group,
    ):
        group.start_soon(plain.serve, serve)
        port = plain.extra(anyio.abc.SocketAttribute.local_port)
        with pytest.raises(ProtocolError, match=r"no TLS 1\.2 or newer"):
            async with door.client(url=f"wss://127.0.0.1:{port}", token="x"):
                pass
        group.cancel_scope.cancel()


async def test_events_go_on_over_a_restart_of_the_listener(tmp_path):
    async with doors(tmp_path) as door:
        remote = door.remote(token=door.token())
        async with (
            connect(remote, reconnect=True) as client,
            client.events.subscribe(after=0) as events,
        ):
            assert (await anext(events))["number"] == 1
            await door.server.close_sessions()
            numbers = [(await anext(events))["number"] for _ in range(3)]
    assert numbers == sorted(numbers)
    assert len(set(numbers)) == 3


async def test_the_certificate_is_renewed_while_the_daemon_runs(tmp_path):
    clock = FakeClock(datetime.now(UTC) - timedelta(days=61))
    async with doors(tmp_path, clock=clock) as door:
        token = door.token()
        async with door.client(token=token) as old:
            before = door.authority.facts()["server"].sha256
            clock.advance(60 * 86_400)
            async with door.client(token=token) as new:
                await new.daemon.status()
            await old.daemon.status()
    assert door.authority.facts()["server"].sha256 != before


async def test_a_certificate_that_was_rotated_elsewhere_is_used_at_once(tmp_path):
    async with doors(tmp_path) as door:
        token = door.token()
        door.authority.rotate(authority=True)
        with pytest.raises(CertificateInvalid, match="not from the authority"):
            async with door.client(token=token):
                pass
        door.ca.write_text(door.authority.ca_pem())
        async with door.client(token=token) as client:
            await client.daemon.status()


async def test_a_server_certificate_that_has_expired_says_how_to_renew_it(tmp_path):
    await _wrong_moment(tmp_path, timedelta(days=-91), "has expired", "certs rotate")


async def test_a_server_certificate_that_is_not_valid_yet_says_so(tmp_path):
    await _wrong_moment(tmp_path, timedelta(days=2), "is not valid yet", "compare the clocks")


async def _wrong_moment(directory: Path, offset: timedelta, cause: str, remedy: str) -> None:
    """Connect to a server whose clock was off when it made its certificate, and stands still."""
    past = Authority(directory / "certificates", FakeClock(datetime.now(UTC) - timedelta(days=99)))
    past.ca_pem()  # the authority itself is good
    async with doors(directory, clock=FakeClock(datetime.now(UTC) + offset)) as door:
        with pytest.raises(CertificateInvalid, match=cause) as caught:
            async with door.client(token="x"):
                pass
    assert remedy in str(caught.value.hint)


async def test_a_blocking_client_reaches_another_machine(tmp_path):
    async with doors(tmp_path) as door:
        remote = door.remote(token=door.token())

        def ask() -> Any:
            with BlockingClient(remote) as client:
                return client.services.status(project="shop")["project"]

        assert await to_thread.run_sync(ask) == "shop"


async def test_a_new_authority_ends_the_connections_of_certificates_and_no_others(tmp_path):
    async with doors(tmp_path) as door:
        path = tmp_path / "client.pem"
        path.write_text(door.authority.issue("ci", Role.VIEWER, lifetime_s=60))
        async with door.client(token=door.token()) as other, door.client(certificate=path) as one:
            await one.daemon.status()
            door.authority.rotate()
            await door.access.listen(ListenParams(host="127.0.0.1"))
            await one.daemon.status()
            door.authority.rotate(authority=True)
            await door.access.listen(ListenParams(host="127.0.0.1"))
            await one.connection.wait_closed()
            await other.daemon.status()


@pytest.mark.parametrize("host", ["", "\0", "x" * 300])
async def test_what_is_no_host_is_refused_and_no_certificate_names_it(tmp_path, host):
    async with doors(tmp_path) as door:
        url, names = door.url, door.authority.facts()["server"].names
        with pytest.raises((ListenFailed, InvalidParameters), match="cannot listen at"):
            await door.access.listen(ListenParams(host=host))
        assert (door.url, door.authority.facts()["server"].names) == (url, names)
