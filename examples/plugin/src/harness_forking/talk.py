"""The health check `talk`: sends a line over TCP and looks at the answer, as for redis' PING."""

from __future__ import annotations

from dataclasses import dataclass

import anyio
from anyio.streams.buffered import BufferedByteReceiveStream

from harness.health import HealthCheck, Outcome, ProbeContext

_MAX_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkOptions:
    """What to say to whom, and what has to come back."""

    port: int | str
    """A number, or text such as ${cache.port}."""

    host: str = "127.0.0.1"
    """Name or address."""

    send: str = "PING"
    """The line to send."""

    expect: str = "PONG"
    """What the answer's first line has to contain."""


class Talk(HealthCheck):
    """Passes when a server answers a line as expected."""

    name = "talk"
    options = TalkOptions

    async def check(self, options: TalkOptions, context: ProbeContext) -> Outcome:
        """Connect, send one line, and read one; a refused connection is a failed check."""
        async with await anyio.connect_tcp(options.host, int(options.port)) as stream:
            await stream.send(options.send.encode() + b"\r\n")
            try:
                line = await BufferedByteReceiveStream(stream).receive_until(b"\n", _MAX_BYTES)
            except (anyio.IncompleteRead, anyio.BrokenResourceError):
                return False, "the connection was closed without an answer"
            except anyio.DelimiterNotFound:
                return False, f"the answer has no end within {_MAX_BYTES} bytes"
        answer = line.decode(errors="replace").strip()
        return options.expect in answer, f"answered {answer}"
