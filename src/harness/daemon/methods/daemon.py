"""The daemon itself."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from harness.daemon.dispatcher import Handler
from harness.errors import OperationFailed
from harness.protocol import (
    PROTOCOL_VERSION,
    DaemonHello,
    DaemonStatus,
    Empty,
    HelloParams,
    NoParams,
    StopDaemonParams,
    check_protocol_version,
)

if TYPE_CHECKING:
    from harness.daemon.session import Call
    from harness.daemon.wiring import Wiring
    from harness.protocol import Listening, ListenParams

__all__ = ["handlers"]

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def handlers(wiring: Wiring) -> dict[str, Handler]:
    """Return the handlers of `daemon.*` and `rpc.discover`."""

    async def hello(params: HelloParams, call: Call) -> DaemonHello:
        check_protocol_version(params.protocol)
        call.session.client = params.client[:100] or call.session.client
        return DaemonHello(protocol=PROTOCOL_VERSION, version=wiring.version, pid=os.getpid())

    async def status(_: NoParams, __: Call) -> DaemonStatus:
        return DaemonStatus(
            pid=os.getpid(),
            version=wiring.version,
            protocol=PROTOCOL_VERSION,
            started_at=wiring.started_at.isoformat(),
            uptime_s=round(wiring.clock.monotonic() - wiring.began_s, 3),
            state_dir=str(wiring.endpoint.state_dir),
            endpoint=str(wiring.endpoint),
            remote=wiring.access.listening,
            projects=tuple(project.name for project in wiring.stacks.projects()),
            connections=wiring.connections(),
            rss_bytes=_rss_bytes(),
            last_event=wiring.bus.last_number,
        )

    async def stop(params: StopDaemonParams, _: Call) -> Empty:
        if not params.keep_services:
            results = await wiring.stacks.stop_all()
            left = [result for result in results if result.outcome == "failed"]
            if left:
                lines = "; ".join(f'"{result.unit}": {result.message}' for result in left)
                raise OperationFailed(
                    f"cannot stop the daemon: {lines}",
                    hint="it still runs; stop it with --keep-services to leave these alone",
                    details={"failed": [result.unit for result in left]},
                )
        wiring.shutdown.set()
        return Empty()

    async def listen(params: ListenParams, _: Call) -> Listening:
        return await wiring.access.listen(params)

    async def discover(_: NoParams, __: Call) -> dict[str, Any]:
        from harness.protocol import openrpc_document

        return openrpc_document(version=wiring.version)

    return {
        "rpc.discover": discover,
        "daemon.hello": hello,
        "daemon.status": status,
        "daemon.stop": stop,
        "daemon.listen": listen,
    }


def _rss_bytes() -> int:
    """Return the memory this process uses; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * _PAGE_BYTES
    except OSError:
        return 0
