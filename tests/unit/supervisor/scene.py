"""The whole supervisor over fake units, with a clock that the test moves."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cache
from inspect import getsource
from pathlib import Path
from typing import Any

import anyio

from harness.config import StackCodec
from harness.events import EventBus
from harness.executors import Executor, Recovery, StartRequest, StopReport, option_types
from harness.executors.fake import FakeExecutor, FakeOptions
from harness.health import CheckResult, CheckRunner, ProbeContext
from harness.logs import Watcher
from harness.model import (
    CheckSpec,
    Condition,
    Dependency,
    Event,
    EventKind,
    Handle,
    HealthSpec,
    Hook,
    ProbeSpec,
    ServiceSpec,
    ServiceState,
    StackSpec,
    Stage,
    TaskSpec,
    TcpCheck,
    UnitSpec,
)
from harness.storage import MemoryStore, Store
from harness.supervisor import Operation, Project, Stacks
from tests.fakes.clock import FakeClock

__all__ = ["Checks", "Recording", "Scene", "checked", "hook", "needs", "scene", "service", "task"]


class Checks(CheckRunner):
    """Answers checks as the test says: a TCP check's port is the name of what must pass."""

    def __init__(self) -> None:
        super().__init__()
        self.passing: set[str] = set()

    async def run(
        self,
        check: CheckSpec,
        *,
        context: ProbeContext,
        timeout_s: float,
        logs: Any = None,
    ) -> CheckResult:
        await anyio.lowlevel.checkpoint()
        assert isinstance(check, TcpCheck)
        ok = check.port in self.passing
        return CheckResult(ok=ok, message="open" if ok else f"{check.port} refused", latency_s=0.0)


class Recording(FakeExecutor):
    """A fake executor that notes what it is asked, and can be made to hang or fail.

    Attributes:
        calls: verb and unit, in order.
        most_alive: the largest number of runs of one unit that ever existed at the same time.
        start_gate: while set, a start waits for it.
        start_error: raised by every start.
        stop_gate: while set, a stop waits for it.
        stop_error: raised by every stop.
        recover_error: raised by every recovery.
    """

    def __init__(self, *, clock: FakeClock) -> None:
        super().__init__(clock=clock)
        self.calls: list[tuple[str, str]] = []
        self.requests: dict[str, StartRequest] = {}
        self.start_gate: anyio.Event | None = None
        self.start_error: Exception | None = None
        self.stop_gate: anyio.Event | None = None
        self.stop_error: Exception | None = None
        self.recover_error: Exception | None = None
        self.starting = 0
        self.most_starting = 0
        self.most_alive = 0
        self._alive: dict[str, list[Handle]] = {}

    async def start(self, request: StartRequest) -> Handle:
        self.calls.append(("start", request.unit))
        self.requests[request.unit] = request
        self.starting += 1
        self.most_starting = max(self.most_starting, self.starting)
        try:
            if self.start_gate is not None:
                await self.start_gate.wait()
            if self.start_error is not None:
                raise self.start_error
            handle = await super().start(request)
        finally:
            self.starting -= 1
        alive = self._alive.setdefault(request.unit, [])
        living = [h for h in alive if await self._running_state(h) is not None]
        self._alive[request.unit] = [*living, handle]
        self.most_alive = max(self.most_alive, len(living) + 1)
        return handle

    async def stop(self, handle: Handle, *, stop_signal: str, timeout_s: float) -> StopReport:
        if timeout_s > 0:
            self.calls.append(("stop", str(handle.data["unit"])))
        if self.stop_gate is not None:
            await self.stop_gate.wait()
        if self.stop_error is not None:
            raise self.stop_error
        return await super().stop(handle, stop_signal=stop_signal, timeout_s=timeout_s)

    async def recover(self, *, unit: str, run_dir: Path, handle: Handle | None) -> Recovery:
        if self.recover_error is not None:
            raise self.recover_error
        return await super().recover(unit=unit, run_dir=run_dir, handle=handle)

    def names(self, verb: str) -> list[str]:
        """Return the units of all calls of one verb, in order."""
        return [unit for called, unit in self.calls if called == verb]


class Scene:
    """One daemon's worth of supervisor. The project is called `p`."""

    def __init__(self, directory: Path, stacks: Stacks, store: Store, bus: EventBus) -> None:
        self.directory = directory
        self.stacks = stacks
        self.store = store
        self.bus = bus
        self.clock: FakeClock
        self.executor: Recording
        self.checks: Checks
        self.units: dict[str, UnitSpec] = {}
        self.client_env: dict[str, str] = {}

    @property
    def project(self) -> Project:
        return self.stacks.project("p")

    def stack(self, *units: UnitSpec, **more: Any) -> StackSpec:
        return StackSpec(
            name="p",
            files=("/p/harness.yaml",),
            base_dir=str(self.directory),
            units={u.name: replace(u, base_dir=str(self.directory)) for u in units},
            **more,
        )

    def up(self, *units: UnitSpec, only: Sequence[str] = (), **more: Any) -> Operation:
        options = {k: more.pop(k) for k in ("secrets", "variables", "settings") if k in more}
        return self.stacks.up(self.stack(*units, **options), self.client_env, units=only, **more)

    async def ended(self, operation: Operation) -> Operation:
        """Wait for the end of an operation that needs no time to pass."""
        with anyio.fail_after(10):
            await operation.ended.wait()
        return operation

    async def brought_up(self, *units: UnitSpec, **more: Any) -> Operation:
        return await self.ended(self.up(*units, **more))

    async def taken_down(self) -> Operation:
        return await self.ended(self.stacks.down(self.project))

    async def reaches(self, unit: str, state: ServiceState) -> None:
        with anyio.fail_after(10):
            await self.project.unit(unit).until(lambda changed: changed.state is state)

    async def settle(self) -> None:
        await self.clock.settle()

    def state(self, unit: str) -> str:
        return self.project.unit(unit).state.value

    def states(self) -> dict[str, str]:
        return {unit.name: unit.state.value for unit in self.project.units.values()}

    def outcomes(self, operation: Operation) -> dict[str, str]:
        return {result.unit: result.outcome for result in operation.results}

    def reason(self, unit: str) -> str:
        return self.project.unit(unit).record.reason or ""

    def events(self, kind: EventKind, unit: str | None = None) -> list[Event]:
        found = self.store.events(limit=100_000)
        return [e for e in found if e.kind is kind and unit in (None, e.unit)]

    def end(self, unit: str, *, signal: str = "SIGKILL") -> Awaitable[None]:
        """Have a unit die."""
        handle = self.project.unit(unit).record.handle
        assert handle is not None
        return self.executor.signal(handle, signal=signal)


@asynccontextmanager
async def scene(
    directory: Path,
    *,
    store: Store | None = None,
    clock: FakeClock | None = None,
    checks: Checks | None = None,
    extra: Callable[[FakeClock], Mapping[str, Executor]] = lambda clock: {},
    random: Callable[[], float] = lambda: 0.0,
    setups: Any = None,
    snapshotters: Any = None,
) -> AsyncIterator[Scene]:
    """Run a supervisor; with the store and clock of an earlier one it is that one's successor."""
    clock = clock or FakeClock()
    store = store or MemoryStore()
    bus = EventBus(store=store, clock=clock)
    executor = Recording(clock=clock)
    checks = checks or Checks()
    async with (
        Watcher(on_notice=lambda _: None) as watcher,
        Stacks(
            directory=directory,
            store=store,
            bus=bus,
            clock=clock,
            executors={"fake": executor, **extra(clock)},
            watcher=watcher,
            checks=checks,
            codec=StackCodec({**option_types(), "other": FakeOptions}),
            random=random,
            setups=setups,
            snapshotters=snapshotters,
        ) as stacks,
    ):
        found = Scene(directory, stacks, store, bus)
        found.clock, found.executor, found.checks = clock, executor, checks
        yield found
    for event in store.events(limit=100_000):
        unknown = set(event.data) - documented_keys()[event.kind]
        assert not unknown, f"{event.kind} has keys that its comment does not name: {unknown}"


@cache
def documented_keys() -> dict[EventKind, set[str]]:
    """Return which keys the data of each kind of event may have, as its comment says."""
    found = {key: set[str]() for key in EventKind}
    for name, comment in re.findall(r"^    (\w+) = .*#(.*)$", getsource(EventKind), re.MULTILINE):
        found[EventKind[name]] = set(re.findall(r"\w+", comment.partition(":")[0]))
    return found


def service(name: str, *depends_on: Dependency, **more: Any) -> ServiceSpec:
    """Define a service that is to run until it is stopped; FakeOptions' fields may be given."""
    options, rest = _options(more)
    return ServiceSpec(
        name=name, type=rest.pop("type", "fake"), options=options, base_dir="/",
        depends_on=depends_on, **rest,
    )  # fmt: skip


def task(name: str, *depends_on: Dependency, **more: Any) -> TaskSpec:
    """Define a task that succeeds at once, unless FakeOptions' fields say otherwise."""
    more.setdefault("run_for", 0.0)
    options, rest = _options(more)
    return TaskSpec(
        name=name, type="fake", options=options, base_dir="/", depends_on=depends_on, **rest
    )


def _options(more: dict[str, Any]) -> tuple[FakeOptions, dict[str, Any]]:
    known = FakeOptions.__dataclass_fields__
    options = FakeOptions(**{k: v for k, v in more.items() if k in known})
    return options, {k: v for k, v in more.items() if k not in known}


def needs(on: str, condition: Condition = Condition.HEALTHY, **more: Any) -> Dependency:
    """Define a dependency."""
    return Dependency(on=on, condition=condition, **more)


def checked(name: str, *, liveness: bool = False, stages: Sequence[str] = ()) -> HealthSpec:
    """Define a check that passes while `name` (or each stage's name) is among the passing ones."""
    return HealthSpec(
        stages=tuple(Stage(name=s, probe=_probe(s)) for s in stages or ())
        or (Stage(name="ready", probe=_probe(name)),),
        liveness=_probe(f"{name}-alive") if liveness else None,
    )


def _probe(port: str) -> ProbeSpec:
    return ProbeSpec(check=TcpCheck(port=port), interval_s=1.0, retries=1)


def hook(script: str, **more: Any) -> Hook:
    """Define a hook that runs a shell line."""
    return Hook(argv=("/bin/sh", "-c", script), **more)
