"""The executor of type `fake`: units that exist as a file, for tests and for trying a stack out.

It passes the same contract suite as the real ones. Its time is the clock it is given, and what
it must remember is in the run directory, so that it recovers like them.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import anyio
import anyio.lowlevel

from harness.clock import Clock
from harness.commands import signal_number
from harness.config import parse_duration
from harness.errors import HandleLost, StartFailed
from harness.model import ExitStatus, Handle, InvalidOption

from .base import Capabilities, Executor, Recovery, StartRequest, StopReport, Usage

__all__ = ["FakeExecutor", "FakeOptions"]

_STATE_FILE = "fake.json"
_CLOCK_ERROR_S = 1e-5  # seconds since 1970 in a float are no more exact than this


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeOptions:
    """How the unit is to behave."""

    run_for: float | str | None = None
    """Time until it ends by itself, such as 500ms; unset: it runs until it is stopped."""

    exit_code: int = 0
    """Status it ends with by itself."""

    start_error: str | None = None
    """Fail to start, with this cause."""

    ready_after: float | str | None = None
    """Time until it writes the line `ready`; unset: it never does."""

    ignores_stop: bool = False
    """Do not end at the stop signal, but only at SIGKILL."""

    output: tuple[str, ...] = ()
    """Lines it writes to its output at once."""

    def __post_init__(self) -> None:
        if not 0 <= self.exit_code <= 255:
            cause = f'"exit_code" must be between 0 and 255, not {self.exit_code}'
            raise InvalidOption(cause, path=("exit_code",))
        for name, duration in (("run_for", self.run_for), ("ready_after", self.ready_after)):
            try:
                _ = _after(0.0, duration)
            except ValueError as error:
                raise InvalidOption(str(error), path=(name,)) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """What is in the file. Times are seconds of the wall clock since 1970."""

    log_dir: str
    started_at: float
    ends_at: float | None
    exit_code: int
    ready_at: float | None
    ignores_stop: bool
    signal: int | None = None
    ended_at: float | None = None


class FakeExecutor(Executor):
    """Pretends to run units.

    Args:
        clock: decides when a unit ends by itself and when it is ready.
    """

    name: ClassVar[str] = "fake"
    options: ClassVar[type] = FakeOptions
    capabilities: ClassVar[Capabilities] = Capabilities(signals=True, logs=True, recovers=True)

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._changed: dict[str, anyio.Event] = {}

    async def start(self, request: StartRequest) -> Handle:
        """Pretend to start."""
        await anyio.lowlevel.checkpoint()
        options: FakeOptions = request.options
        if options.start_error is not None:
            raise StartFailed(service=request.unit, executor=self.name, cause=options.start_error)
        now = self._now()
        state = _State(
            log_dir=str(request.log_dir),
            started_at=now,
            ends_at=_after(now, options.run_for),
            exit_code=options.exit_code,
            ready_at=_after(now, options.ready_after),
            ignores_stop=options.ignores_stop,
        )
        _append(state, "".join(f"{line}\n" for line in options.output))
        _write(request.run_dir, state)
        return _handle(request.unit, request.run_dir)

    async def recover(self, *, unit: str, run_dir: Path, handle: Handle | None) -> Recovery:
        """Find what became of a run."""
        await anyio.lowlevel.checkpoint()
        state = _read(run_dir)
        if state is None:
            return Recovery(exit=ExitStatus()) if handle is not None else Recovery()
        state = self._settled(run_dir, state)
        if state.ended_at is None:
            return Recovery(handle=handle or _handle(unit, run_dir))
        return Recovery(exit=_status(state), ended_at=datetime.fromtimestamp(state.ended_at, UTC))

    async def wait(self, handle: Handle) -> ExitStatus:
        """Return how the unit ended."""
        run_dir = _run_dir(handle)
        while True:
            await anyio.lowlevel.checkpoint()
            state = _read(run_dir)
            if state is None:
                return ExitStatus()
            state = self._settled(run_dir, state)
            if state.ended_at is not None:
                return _status(state)
            changed = self._changed.setdefault(str(run_dir), anyio.Event())
            due = [at for at in (state.ends_at, state.ready_at) if at is not None]
            await self._sleep_until(min(due, default=None), changed)

    async def stop(self, handle: Handle, *, stop_signal: str, timeout_s: float) -> StopReport:
        """End the unit, after `timeout_s` if it ignores the stop signal."""
        signum = signal_number(stop_signal)
        began_at = self._clock.monotonic()
        kill = signal_number("SIGKILL")
        state = await self._running_state(handle)
        if state is not None and state.ignores_stop and signum != kill:
            await self._sleep_until(self._now() + timeout_s, anyio.Event())
        killed = False
        run_dir = _run_dir(handle)
        if state is not None and (state := await self._running_state(handle)) is not None:
            killed = state.ignores_stop and signum != kill
            self._end(run_dir, state, signum=kill if killed else signum)
        final = _read(run_dir)
        return StopReport(
            exit=_status(final) if final is not None else ExitStatus(),
            killed=killed,
            took_s=self._clock.monotonic() - began_at,
        )

    async def signal(self, handle: Handle, *, signal: str) -> None:
        """End the unit by a signal that ends programs, unless it ignores all but SIGKILL.

        Raises:
            HandleLost: it is not running.
        """
        signum = signal_number(signal)
        state = await self._running_state(handle)
        if state is None:
            raise HandleLost(
                service=str(handle.data["unit"]), executor=self.name, cause="it is not running"
            )
        ends = {signal_number(name) for name in ("INT", "QUIT", "KILL", "TERM", "ABRT")}
        if signum in ends and (not state.ignores_stop or signum == signal_number("KILL")):
            self._end(_run_dir(handle), state, signum=signum)

    async def usage(self, handle: Handle) -> Usage | None:
        """Count the unit as one process that uses nothing."""
        state = await self._running_state(handle)
        return Usage(processes=0 if state is None else 1, rss_bytes=0, cpu_s=0.0)

    async def _running_state(self, handle: Handle) -> _State | None:
        await anyio.lowlevel.checkpoint()
        state = _read(_run_dir(handle))
        if state is not None:
            state = self._settled(_run_dir(handle), state)
        return None if state is None or state.ended_at is not None else state

    def _settled(self, run_dir: Path, state: _State) -> _State:
        """Let happen what is due by now."""
        now = self._now()
        if state.ended_at is not None:
            return state
        if _is_due(state.ready_at, now):
            _append(state, "ready\n")
            state = replace(state, ready_at=None)
            _write(run_dir, state)
        if _is_due(state.ends_at, now):
            state = replace(state, ended_at=state.ends_at)
            _write(run_dir, state)
        return state

    def _end(self, run_dir: Path, state: _State, *, signum: int) -> None:
        _write(run_dir, replace(state, signal=signum, ended_at=self._now()))
        if (changed := self._changed.pop(str(run_dir), None)) is not None:
            changed.set()

    async def _sleep_until(self, at: float | None, changed: anyio.Event) -> None:
        """Return at that time, or as soon as the unit changed."""
        if at is None:
            await changed.wait()
            return
        async with anyio.create_task_group() as tasks:

            async def sleep() -> None:
                await self._clock.sleep(max(0.0, at - self._now()))
                tasks.cancel_scope.cancel()

            tasks.start_soon(sleep)
            await changed.wait()
            tasks.cancel_scope.cancel()

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _after(now: float, delay: float | str | None) -> float | None:
    return None if delay is None else now + parse_duration(delay)


def _is_due(at: float | None, now: float) -> bool:
    return at is not None and at <= now + _CLOCK_ERROR_S


def _status(state: _State) -> ExitStatus:
    if state.signal is not None:
        return ExitStatus(signal=state.signal)
    return ExitStatus(code=state.exit_code)


def _handle(unit: str, run_dir: Path) -> Handle:
    return Handle(executor=FakeExecutor.name, data={"unit": unit, "run_dir": str(run_dir)})


def _run_dir(handle: Handle) -> Path:
    return Path(str(handle.data["run_dir"]))


def _append(state: _State, text: str) -> None:
    _put(Path(state.log_dir, "stdout.log"), text, os.O_APPEND)


def _write(run_dir: Path, state: _State) -> None:
    _put(run_dir / f"{_STATE_FILE}.new", json.dumps(asdict(state)), os.O_TRUNC)
    os.rename(run_dir / f"{_STATE_FILE}.new", run_dir / _STATE_FILE)


def _put(path: Path, text: str, how: int) -> None:
    """Write a small local file, which takes microseconds."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
    fd = os.open(path, flags | how, 0o600)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def _read(run_dir: Path) -> _State | None:
    try:
        fd = os.open(run_dir / _STATE_FILE, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    try:
        return _State(**json.loads(os.read(fd, 1 << 16)))
    finally:
        os.close(fd)
