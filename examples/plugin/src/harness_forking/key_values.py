"""Actions of services with `service_type: key-values`: the server in `server.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import anyio
from anyio.streams.buffered import BufferedByteReceiveStream

from harness.actions import Call, ServiceType, action
from harness.errors import ActionError

_MAX_BYTES = 64 * 1024
_LOOK_AGAIN_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A value is in place."""

    key: str


class KeyValues(ServiceType):
    """A store of texts by key."""

    name = "key-values"

    @action()
    async def get(self, key: str) -> str | None:
        """Return the value of a key, or nothing where it has none."""
        answer = await self._ask(f"GET {key}")
        return answer.removeprefix("= ") if answer.startswith("= ") else None

    @action(events=[Stored])
    async def fill(self, call: Call, values: Mapping[str, str]) -> int:
        """Store several values; return how many.

        Args:
            values: by key.
        """
        for done, (key, value) in enumerate(values.items()):
            await call.progress(f"storing {key}", done=done, total=len(values))
            await self._ask(f"SET {key} {value}")
            await call.emit(Stored(key=key))
        return len(values)

    @action()
    async def appears(self, key: str) -> str:
        """Wait until a key has a value; return it."""
        while (value := await self.get(key)) is None:
            await anyio.sleep(_LOOK_AGAIN_S)
        return value

    async def _ask(self, line: str) -> str:
        endpoint = self.service.endpoints["main"]
        if "\n" in line:
            raise ActionError("cannot ask the store: keys and values have one line")
        try:
            async with await anyio.connect_tcp(endpoint.host, endpoint.port) as stream:
                await stream.send(f"{line}\n".encode())
                answer = await BufferedByteReceiveStream(stream).receive_until(b"\n", _MAX_BYTES)
        except (OSError, anyio.IncompleteRead, anyio.BrokenResourceError) as error:
            raise ActionError(f"cannot ask the store at {endpoint.url}: {error}") from error
        return answer.decode().strip()
