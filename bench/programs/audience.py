"""Have many subscribers hear of an event; say how long the last of them waited for it.

Usage: audience.py STATE_DIR SUBSCRIBERS TIMES. Each subscriber has a connection of its own. Prints
the median and the longest time from the event to its last receipt, in milliseconds.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import anyio

from harness.client import Client, Endpoint, connect

Events = AsyncIterator[Mapping[str, Any]]


async def _main(state_dir: Path, subscribers: int, times: int) -> None:
    async with AsyncExitStack() as stack:
        endpoint = Endpoint(state_dir)
        speaker = await stack.enter_async_context(connect(endpoint))
        streams = []
        for _ in range(subscribers):
            client = await stack.enter_async_context(connect(endpoint))
            streams.append(await stack.enter_async_context(client.events.subscribe()))
        waited_ms = [await _once(speaker, streams) for _ in range(times)]
    print(statistics.median(waited_ms), max(waited_ms), flush=True)


async def _once(speaker: Client, streams: Sequence[Events]) -> float:
    heard: list[tuple[int, int]] = []

    async def listen(events: Events) -> None:
        async for event in events:
            if event["kind"] == "action-event":
                heard.append((event["data"]["data"]["at_ns"], time.monotonic_ns()))
                return

    async with anyio.create_task_group() as group:
        for events in streams:
            group.start_soon(listen, events)
        await speaker.actions.run(action="tell")
    return max(at - told for told, at in heard) / 1e6


anyio.run(_main, Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
