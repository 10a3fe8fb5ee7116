"""Run an action that does nothing again and again, over one connection; say how that went.

Usage: caller.py STATE_DIR SECONDS IN_FLIGHT. Waits for a line on its input before it begins, and
prints how many runs there were and the median time of one in milliseconds.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

import anyio

from harness.client import Client, Endpoint, connect


async def _again_and_again(client: Client, until: float, took: list[float]) -> None:
    while (began := time.perf_counter()) < until:
        await client.actions.run(action="nothing")
        took.append(time.perf_counter() - began)


async def _main(state_dir: Path, seconds: float, in_flight: int) -> None:
    async with connect(Endpoint(state_dir)) as client:
        await client.actions.run(action="nothing")
        print("ready", flush=True)
        sys.stdin.readline()
        took: list[float] = []
        until = time.perf_counter() + seconds
        async with anyio.create_task_group() as group:
            for _ in range(in_flight):
                group.start_soon(_again_and_again, client, until, took)
    print(len(took), statistics.median(took) * 1000, flush=True)


anyio.run(_main, Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
