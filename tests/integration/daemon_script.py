"""A supervisor in a process of its own that kills itself at its n-th write; run by test_recovery.

Arguments: state directory, project, scenario (up, down, restart, task), number of the fatal write,
`before` or `after` it, backend.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio

from harness.clock import SystemClock
from harness.config import StackCodec
from harness.events import EventBus
from harness.executors import builtin_executors, option_types
from harness.executors.process_options import ProcessOptions
from harness.health import CheckRunner
from harness.logs import Watcher
from harness.model import (
    Backoff,
    Condition,
    Dependency,
    Event,
    OutputSpec,
    RestartMode,
    RestartPolicy,
    ServiceSpec,
    StackSpec,
    TaskSpec,
)
from harness.storage import SqliteStore
from harness.supervisor import Stacks

__all__ = ["Mortal", "stack", "supervisor"]


class Mortal(SqliteStore):
    """A store whose owner dies at its n-th write, once it is armed."""

    fatal: int | None = None
    when: str = "before"

    def put(self, collection: str, key: str, value: Mapping[str, Any]) -> None:
        self._die("before")
        super().put(collection, key, value)
        self._die("after")

    def append(self, event: Event) -> int:
        self._die("before")
        number = super().append(event)
        self._die("after")
        return number

    def _die(self, moment: str) -> None:
        if self.fatal is None or moment != self.when:
            return
        self.fatal -= 1
        if self.fatal == 0:
            os.kill(os.getpid(), signal.SIGKILL)


@asynccontextmanager
async def supervisor(directory: Path) -> AsyncIterator[tuple[Stacks, Mortal]]:
    """Run a supervisor over a state directory."""
    clock = SystemClock()
    with Mortal(directory) as store:
        async with (
            Watcher(on_notice=lambda _: None) as watcher,
            Stacks(
                directory=directory,
                store=store,
                bus=EventBus(store=store, clock=clock),
                clock=clock,
                executors=builtin_executors(clock=clock),
                watcher=watcher,
                checks=CheckRunner(),
                codec=StackCodec(option_types()),
                random=random.random,
            ) as stacks,
        ):
            yield stacks, store


def stack(project: str, directory: Path) -> StackSpec:
    """Define a chain of three services, a task, and a service that ends when it is told to."""
    forever = ProcessOptions(command=("sleep", "1000"))
    base = str(directory)

    def service(name: str, *on: str, options: ProcessOptions = forever) -> ServiceSpec:
        edges = tuple(Dependency(on=other, condition=Condition.HEALTHY) for other in on)
        return ServiceSpec(
            name=name,
            type="process",
            options=options,
            base_dir=base,
            depends_on=edges,
            restart=RestartPolicy(
                mode=RestartMode.ON_FAILURE if name == "again" else RestartMode.NO,
                backoff=Backoff(initial_s=0.01),
            ),
        )

    told = ProcessOptions(command="read line < told; exit 7", shell=True)
    once = ProcessOptions(command="read line < again; exit 8", shell=True)
    units = [
        service("a"),
        service("b", "a"),
        service("c", "b"),
        service("mortal", options=told),
        service("again", options=once),
        TaskSpec(
            name="t",
            type="process",
            options=ProcessOptions(command="echo ran >> runs; echo '{\"x\": 5}'", shell=True),
            base_dir=base,
            depends_on=(Dependency(on="a", condition=Condition.HEALTHY),),
            outputs=(OutputSpec(name="x", json="x"),),
        ),
    ]
    return StackSpec(name=project, files=(), base_dir=base, units={u.name: u for u in units})


async def live(argv: list[str]) -> None:
    """Play one scenario up to the fatal write, or to its end."""
    directory, project, scenario, fatal, when = Path(argv[0]), *argv[1:5]
    spec, env = stack(project, directory), dict(os.environ)
    async with supervisor(directory / "state") as (stacks, store):
        if scenario != "up":
            await stacks.up(spec, env).ended.wait()
        store.fatal, store.when = int(fatal), when
        match scenario:
            case "up":
                operation = stacks.up(spec, env)
            case "down":
                operation = stacks.down(stacks.project(project))
            case "restart":
                operation = stacks.restart(stacks.project(project))
            case _:
                operation = stacks.run_tasks(spec, env, tasks=["t"], force=True)
        await operation.ended.wait()
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    anyio.run(live, sys.argv[1:6], backend=sys.argv[6])
