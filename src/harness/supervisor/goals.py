"""Drives chosen units towards a goal and waits, by events, until each has settled."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext

import anyio
from anyio import lowlevel

from harness.errors import OperationFailed, StorageError, WaitTimeout
from harness.model import Goal, ServiceState, UnitKind

from .machine import Trigger
from .operations import UnitResult
from .unit import Unit
from .views import explain, plain

__all__ = ["bring_down", "bring_up", "give_up", "stop_for_restart", "wait_timeout"]

logger = logging.getLogger(__name__)

# So few that the loop looks at its sockets and pipes often, and so many that a commit is shared.
_AT_ONCE = 16
_ENDED = (ServiceState.EXITED, ServiceState.FAILED)


class _Settling:
    """Waits until every one of many units has settled; each change costs constant time.

    Args:
        units: to wait for.
        is_settled: tells that of one of them.
        is_spoilt: tells that a unit that had settled has to be looked at again.
    """

    def __init__(
        self,
        units: Iterable[Unit],
        is_settled: Callable[[Unit], bool],
        is_spoilt: Callable[[Unit], bool] = lambda _: False,
    ) -> None:
        self._units = tuple(units)
        self._is_settled = is_settled
        self._is_spoilt = is_spoilt
        self._open = {unit.name: unit for unit in self._units}
        self._changed = anyio.Event()
        self.settled: list[Unit] = []

    def __enter__(self) -> _Settling:
        for unit in self._units:
            unit.listeners[self._listen] = None
            self._listen(unit)
        return self

    def __exit__(self, *_: object) -> None:
        for unit in self._units:
            unit.listeners.pop(self._listen, None)

    def _listen(self, unit: Unit) -> None:
        if unit.name not in self._open:
            if not self._is_spoilt(unit):
                return
        elif self._is_settled(unit):
            del self._open[unit.name]
        else:
            return
        self.settled.append(unit)
        self._changed.set()

    def give_up(self, unit: Unit) -> None:
        """Wait for a unit no longer."""
        if self._open.pop(unit.name, None) is not None:
            self.settled.append(unit)
            self._changed.set()

    @property
    def open(self) -> Mapping[str, Unit]:
        """Units that have not settled yet."""
        return self._open

    async def next(self) -> list[Unit]:
        """Return units that settled since the last call; wait for one if there is none."""
        while not self.settled:
            self._changed = anyio.Event()
            await self._changed.wait()
        found, self.settled = self.settled, []
        return found


async def bring_up(
    units: Sequence[Unit],
    *,
    keep_going: bool,
    kept: Collection[str] = (),
    deps: bool = True,
    timeout_s: float | None = None,
) -> list[UnitResult]:
    """Want all units and wait until each is ready or completed, or has failed.

    One that was ready counts as failed when it fails for good before the last is ready.

    Those named in `kept` are only waited for: they are as they should be, or on their way; unless
    their goal was to stop. One that has been ready and is not now gets its startup timeout to
    become so. With the first failure the rest is stopped again, except with `keep_going`, and
    except what is ready or kept. What somebody else stops meanwhile is no reason to. After
    `timeout_s` seconds nothing is stopped; units that are not ready are left to go on.

    Args:
        units: in start order, so that none is wanted before what it depends on: the failure of an
            earlier attempt would count against it.
        keep_going: see above.
        kept: see above.
        deps: False starts each without waiting for what it depends on.
        timeout_s: see above.

    Raises:
        WaitTimeout: some units were not ready in time; it explains each.
    """
    wanted = [
        unit for unit in units if unit.name not in kept or unit.goal is Goal.DOWN or unit.is_stuck
    ]
    # The goals are stored before the first start, so that a crash in between goes on starting.
    with _one_commit(units):
        for unit in units:
            unit.held = False
            unit.ignores_dependencies = not deps
        for unit in wanted:
            unit.aim(Goal.UP)
    for at in range(0, len(wanted), _AT_ONCE):
        _want_up(wanted[at : at + _AT_ONCE])
        # They start, and whoever watches is told of it, before the next are looked at.
        await lowlevel.checkpoint()
    with _Settling(units, lambda unit: unit.is_settled, _has_failed) as settling:
        with anyio.move_on_after(math.inf if timeout_s is None else timeout_s) as limit:
            results = await _until_settled(settling, keep_going=keep_going, kept=kept)
        if limit.cancelled_caught:
            raise wait_timeout(tuple(settling.open.values()), timeout_s)
    return [results[unit.name] for unit in units]


def _want_up(units: Sequence[Unit]) -> None:
    with _one_commit(units):
        for unit in units:
            if unit.goal is Goal.UP:  # nobody stopped it meanwhile
                unit.want(Goal.UP)


async def _until_settled(
    settling: _Settling, *, keep_going: bool, kept: Collection[str]
) -> dict[str, UnitResult]:
    results: dict[str, UnitResult] = {}
    async with anyio.create_task_group() as tasks:
        for unit in settling.open.values():
            if unit.name in kept and unit.state is ServiceState.RUNNING and unit.has_been_ready:
                tasks.start_soon(_lapse, settling, unit)
        while settling.open or settling.settled:
            settled = await settling.next()
            results.update({unit.name: _up_result(unit) for unit in settled})
            wrong = [unit.name for unit in settled if _has_gone_wrong(unit, results[unit.name])]
            if wrong and not keep_going and settling.open:
                results.update({unit.name: _up_result(unit) for unit in settling.settled})
                results.update(await _stop_rest(settling.open, wrong, kept))
                break
        tasks.cancel_scope.cancel()
    return results


async def _lapse(settling: _Settling, unit: Unit) -> None:
    """Give a unit that has been ready as long to be so again as it had in the beginning."""
    await unit.context.clock.sleep(unit.spec.startup_timeout_s)
    settling.give_up(unit)


def _has_gone_wrong(unit: Unit, result: UnitResult) -> bool:
    return result.outcome == "failed" and unit.goal is Goal.UP


async def _stop_rest(
    rest: Mapping[str, Unit], wrong: Sequence[str], kept: Collection[str]
) -> dict[str, UnitResult]:
    """Stop what an operation began and is not ready, because of some that failed."""
    names = ", ".join(f'"{name}"' for name in wrong)
    begun = [unit for name, unit in rest.items() if name not in kept]
    results = await give_up(begun, because=f"stopped because {names} failed")
    results += [
        UnitResult(unit=name, outcome="kept", message="it was not begun here, and is not ready")
        for name in rest
        if name in kept
    ]
    return {result.unit: result for result in results}


async def bring_down(
    units: Sequence[Unit], *, timeout_s: float | None = None, because: str | None = None
) -> list[UnitResult]:
    """Stop units, each once all that depend on it have stopped; all that may at the same time.

    `because` is why, where nobody asked for it; then what ends by itself meanwhile stays as it is.

    Raises:
        WaitTimeout: some had not stopped after `timeout_s` seconds; their stop goes on.
    """
    chosen = {unit.name: unit for unit in units}
    blockers = _blockers(chosen)
    # The goals are stored before the first stop, so that a crash in between goes on stopping.
    with _one_commit(units):
        for unit in units:
            unit.aim(Goal.DOWN)
    asked: set[str] = set()

    def ask(unit: Unit) -> None:
        asked.add(unit.name)
        _ask_to_stop(unit, because)

    def is_down(unit: Unit) -> bool:
        stays = because is not None and unit.state in _ENDED and not unit.is_live
        return stays or _is_down(unit, asked=unit.name in asked)

    with _Settling(units, is_down) as settling:
        for unit in _free(units, blockers):
            ask(unit)
        results: dict[str, UnitResult] = {}
        with anyio.move_on_after(math.inf if timeout_s is None else timeout_s) as limit:
            while settling.open or settling.settled:
                for unit in await settling.next():
                    results[unit.name] = _down_result(unit)
                    for name in _unblocked(unit, blockers):
                        # Unless somebody wants it again: the later request counts.
                        if chosen[name].goal is Goal.DOWN:
                            ask(chosen[name])
        if limit.cancelled_caught:
            raise wait_timeout(tuple(settling.open.values()), timeout_s)
    await _swept(units)
    return [results[unit.name] for unit in units]


async def _swept(units: Sequence[Unit]) -> None:
    """Wait until nothing of earlier runs is left either."""
    for unit in units:
        await unit.swept()


async def stop_for_restart(units: Sequence[Unit]) -> None:
    """Stop units, dependents first, to be started again by `bring_up`.

    The goal stays up all the time: after a crash in between, the next daemon starts them.
    """
    chosen = {unit.name: unit for unit in units}
    blockers = _blockers(chosen)
    for unit in units:
        unit.held = True
    with _Settling(units, lambda unit: not unit.is_live or unit.is_stuck) as settling:
        for unit in _free(units, blockers):
            _begin_restart(unit)
        while settling.open or settling.settled:
            for unit in await settling.next():
                for name in _unblocked(unit, blockers):
                    _begin_restart(chosen[name])


def wait_timeout(units: Sequence[Unit], timeout_s: float | None) -> WaitTimeout | OperationFailed:
    """Return the error of a wait in vain: the chain of causes behind each unit.

    `timeout_s` is None when it ended early, because what was waited for will not happen: that is a
    failure, whatever the time.
    """
    explanations = [explain(unit) for unit in units]
    lines = "\n".join(f"  {explanation.summary}" for explanation in explanations)
    why = "it will not happen" if timeout_s is None else f"{timeout_s:g} s have passed"
    kind = OperationFailed if timeout_s is None else WaitTimeout
    return kind(
        f"cannot wait any longer, {why}:\n{lines}",
        hint=f"harness why {units[0].name}" if units else None,
        details={"explanations": plain(explanations)},
    )


@contextmanager
def _one_commit(units: Sequence[Unit]) -> Iterator[None]:
    """After a crash the goals of all units are the new ones, or none is.

    On a full disk they hold all the same for as long as this daemon lives: a stop needs no space.
    """
    try:
        with units[0].context.store.batch() if units else nullcontext():
            yield
    except StorageError as error:
        logger.error("Cannot store what is wanted: %s", error)


def _begin_restart(unit: Unit) -> None:
    if unit.is_live:
        unit.post(Trigger.RESTART, reason="restarted on request")


def _blockers(chosen: Mapping[str, Unit]) -> dict[str, set[str]]:
    """Return for each unit which of the chosen ones must have stopped before it."""
    blockers: dict[str, set[str]] = {name: set() for name in chosen}
    for name, unit in chosen.items():
        for dependency in unit.spec.depends_on:
            if dependency.on in blockers and unit.is_live:
                blockers[dependency.on].add(name)
    return blockers


def _free(units: Sequence[Unit], blockers: Mapping[str, set[str]]) -> list[Unit]:
    return [unit for unit in units if not blockers[unit.name]]


def _unblocked(stopped: Unit, blockers: Mapping[str, set[str]]) -> list[str]:
    """Take a stopped unit off the lists of those it blocked; return whom nothing blocks now."""
    free = []
    for dependency in stopped.spec.depends_on:
        waiting = blockers.get(dependency.on)
        if waiting is not None and stopped.name in waiting:
            waiting.discard(stopped.name)
            if not waiting:
                free.append(dependency.on)
    return free


async def give_up(
    units: Sequence[Unit], *, because: str = "stopped because the operation was cancelled"
) -> list[UnitResult]:
    """Stop units that an operation did not bring up in the end.

    What has failed by itself meanwhile keeps its own cause, and a task that completed stays so.
    """
    await bring_down([unit for unit in units if unit.state not in _ENDED], because=because)
    return [
        UnitResult(unit=unit.name, outcome="failed", message=unit.record.reason)
        if unit.state is ServiceState.FAILED
        else UnitResult(unit=unit.name, outcome="cancelled", message=because)
        for unit in units
    ]


def _ask_to_stop(unit: Unit, because: str | None) -> None:
    if because is None:
        unit.want(Goal.DOWN, reason=_request(unit))
    elif unit.state not in _ENDED:
        if unit.state is ServiceState.BACKOFF:
            because = f"{unit.record.reason}; {because}"
        unit.stop_cause = because
        unit.want(Goal.DOWN, reason=because)


def _request(unit: Unit) -> str | None:
    """Return the reason of a stop on request; what does not run keeps its own, or needs none."""
    match unit.state:
        case ServiceState.FAILED:
            return unit.record.reason
        case ServiceState.EXITED | ServiceState.STOPPED:
            return None
        case _:
            return "stopped on request"


def _is_down(unit: Unit, *, asked: bool) -> bool:
    if unit.record.goal is not Goal.DOWN:
        return True
    # What survived an earlier stop is tried again first.
    return (asked and unit.is_stuck) or (not unit.is_live and unit.state is ServiceState.STOPPED)


def _has_failed(unit: Unit) -> bool:
    return unit.state is ServiceState.FAILED


def _up_result(unit: Unit) -> UnitResult:
    if unit.goal is Goal.DOWN:
        return UnitResult(unit=unit.name, outcome="failed", message="somebody else stopped it")
    if unit.state is ServiceState.FAILED or unit.is_stuck:
        return UnitResult(unit=unit.name, outcome="failed", message=unit.record.reason)
    if unit.kind is UnitKind.TASK:
        outcome = "skipped" if unit.was_remembered else "completed"
        return UnitResult(unit=unit.name, outcome=outcome)
    if unit.state is ServiceState.EXITED:
        return UnitResult(unit=unit.name, outcome="completed", message=unit.record.reason)
    if not unit.is_ready:
        limit = f"{unit.spec.startup_timeout_s:g} s"
        cause = f"it runs and has been ready, but was not again within {limit}"
        return UnitResult(unit=unit.name, outcome="failed", message=cause)
    return UnitResult(unit=unit.name, outcome="ready")


def _down_result(unit: Unit) -> UnitResult:
    if unit.goal is not Goal.DOWN:
        return UnitResult(unit=unit.name, outcome="failed", message="somebody else started it")
    if unit.is_live:
        return UnitResult(unit=unit.name, outcome="failed", message=unit.record.reason)
    return UnitResult(unit=unit.name, outcome="stopped", message=unit.record.reason)
