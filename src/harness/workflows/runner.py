"""Runs the steps of a workflow: in order, side by side, again; undoes what was done when one fails.

It knows what steps are to each other. What a step does is done by `perform`, time is a clock's, and
what happens is told to a trace, so this is tested without any service.

Every step ends exactly once in the trace. What was done is undone in the reverse order of its
completion, whatever ran beside it.
"""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import anyio

from harness.clock import Clock
from harness.errors import HarnessError, WorkflowStepFailed
from harness.model import Step, Workflow

from .deadlines import within
from .scope import Scope
from .trace import StepRecord, Trace

__all__ = ["Outcome", "Perform", "Runner"]

T = TypeVar("T")

Perform = Callable[[Step, Scope, StepRecord], Awaitable[Any]]
"""Does one attempt of a step that holds no others; returns its outputs, JSON values.

It gives the trace what the step was given.
"""


@dataclass(frozen=True, slots=True)
class _Undo:
    """A step that was done and can be undone; numbered by completion."""

    number: int
    step: Step
    path: str
    scope: Scope


@dataclass(slots=True)
class Outcome:
    """How a run went.

    Attributes:
        error: why it failed; None: it did not.
        step: path of the step that failed first.
        compensated: paths of what was undone, in that order.
        left: path → why it could not be undone.
        leftover: why `finally` failed, after the run had failed already or was cancelled.
        is_late: whether it failed because it took longer than the workflow may.
    """

    error: Exception | None = None
    step: str | None = None
    compensated: list[str] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)
    leftover: str | None = None
    is_late: bool = False


class Runner:
    """One run.

    Args:
        may_clean_up: asked when it is cancelled; False: somebody else's end, not a user's wish, so
            nothing is undone.
    """

    def __init__(
        self,
        *,
        perform: Perform,
        clock: Clock,
        trace: Trace,
        may_clean_up: Callable[[], bool] = lambda: True,
    ) -> None:
        self._perform = perform
        self._clock = clock
        self._trace = trace
        self._may_clean_up = may_clean_up
        self._done = itertools.count(1)
        self.outcome = Outcome()

    async def run(self, workflow: Workflow, scope: Scope) -> Outcome:
        """Run all steps; clean up after a failure or a cancellation, which then goes on."""
        undo: list[_Undo] = []
        try:
            work = partial(self._in_order, workflow.steps, scope, undo, "")
            await self._within(workflow.timeout_s, "the workflow", work, on_late=self._note_late)
        except Exception as error:
            self._note(error)
        except anyio.get_cancelled_exc_class():
            if self._may_clean_up():
                with anyio.CancelScope(shield=True):
                    await self._clean_up(workflow, scope, undo, "it was cancelled")
            raise
        # A cancellation that comes now, too, does not keep it from being cleaned up.
        with anyio.CancelScope(shield=True):
            failure = self.outcome.error
            await self._clean_up(workflow, scope, undo, None if failure is None else str(failure))
        return self.outcome

    def _note(self, error: Exception) -> None:
        if self.outcome.error is None:
            self.outcome.error = error

    def _note_late(self) -> None:
        self.outcome.is_late = True

    # ── cleaning up ──────────────────────────────────────────────────────────────────────────────

    async def _clean_up(
        self, workflow: Workflow, scope: Scope, undo: list[_Undo], reason: str | None
    ) -> None:
        limit_s = workflow.cleanup_timeout_s
        scope = scope.knowing(error=reason)
        if reason is not None:
            await self._undo(undo, limit_s, reason)
        if workflow.finally_:
            try:
                work = partial(self._all, workflow.finally_, scope)
                await self._within(limit_s, "`finally`", work)
            except Exception as error:
                if reason is not None:
                    self.outcome.leftover = str(error)
                else:
                    self._note(error)

    async def _all(self, steps: Sequence[Step], scope: Scope) -> None:
        """Do steps in order, each whatever became of the one before; raise the first error."""
        errors: list[Exception] = []
        for step in steps:
            try:
                await self._step(step, scope, [], "")
            except Exception as error:
                errors.append(error)
        if errors:
            raise errors[0]

    async def _undo(self, undo: list[_Undo], limit_s: float | None, reason: str) -> None:
        """Undo what is on the list, the last one that was done first; what fails is noted."""
        waiting = sorted(undo, key=lambda entry: entry.number)
        undo.clear()

        async def work() -> None:
            while waiting:
                entry = waiting[-1]
                scope = entry.scope.knowing(error=reason)
                try:
                    for step in entry.step.compensate:
                        await self._step(step, scope, [], _prefix(entry), undoes=entry.path)
                except Exception as error:
                    self.outcome.left[entry.path] = str(error)
                else:
                    self.outcome.compensated.append(entry.path)
                waiting.pop()

        try:
            await self._within(limit_s, "compensation", work)
        except Exception as error:
            for entry in reversed(waiting):
                self.outcome.left[entry.path] = str(error)

    # ── steps ────────────────────────────────────────────────────────────────────────────────────

    async def _in_order(
        self, steps: Sequence[Step], scope: Scope, undo: list[_Undo], prefix: str
    ) -> None:
        for step in steps:
            await self._step(step, scope, undo, prefix)

    async def _step(
        self,
        step: Step,
        scope: Scope,
        undo: list[_Undo],
        prefix: str,
        *,
        undoes: str | None = None,
    ) -> Any:
        """Do a step to its end, in the trace too; add what can be undone to the list."""
        path = _placed(step.path, prefix)
        record = self._trace.begin(path, step.kind, step.name, compensates=undoes, place=step.place)
        inner: list[_Undo] = []
        try:
            if step.when is not None and not scope.holds(step.when):
                self._ended(step, scope, record, "skipped")
                return None
            outputs = await self._attempts(step, scope, inner, prefix, record)
        except Exception as error:
            self._blame(path, undoes)
            self._ended(step, scope, record, "failed", error=error)
            raise
        except anyio.get_cancelled_exc_class():
            self._ended(step, scope, record, "cancelled")
            raise
        finally:
            undo += inner
        self._ended(step, scope, record, "done", outputs=outputs)
        if step.compensate:
            undo.append(_Undo(next(self._done), step, path, scope))
        return outputs

    def _blame(self, path: str, undoes: str | None) -> None:
        """Remember which step failed: the innermost, so the first that says so."""
        if self.outcome.step is None and undoes is None:
            self.outcome.step = path

    def _ended(
        self, step: Step, scope: Scope, record: StepRecord, state: str, **facts: Any
    ) -> None:
        if step.name is not None:
            error = facts.get("error")
            scope.steps[step.name] = {
                "state": state,
                "outputs": facts.get("outputs"),
                "error": None if error is None else str(error),
            }
        self._trace.end(record, state, **facts)

    async def _attempts(
        self, step: Step, scope: Scope, undo: list[_Undo], prefix: str, record: StepRecord
    ) -> Any:
        while True:
            self._trace.attempt(record)
            try:
                work = partial(self._attempt, step, scope, undo, prefix, record)
                return await self._within(step.timeout_s, "the step", work)
            except HarnessError as error:
                if record.attempt >= step.retry.attempts:
                    raise
                self._trace.retry(record, error)
                # What the attempt has done must not be done twice.
                await self._undo(undo, None, str(error))
                if (self.outcome.step or "").startswith((record.path + "/", record.path + "[")):
                    # Of a part of this step, which is done again; others keep theirs.
                    self.outcome.step = None
                await self._clock.sleep(step.retry.delay_after_s(record.attempt))

    async def _attempt(
        self, step: Step, scope: Scope, undo: list[_Undo], prefix: str, record: StepRecord
    ) -> Any:
        match step.kind:
            case "sequence":
                await self._in_order(step.body, scope, undo, prefix)
            case "if":
                holds = scope.holds(step.options["condition"])
                self._trace.give(record, {"condition": holds})
                await self._in_order(step.body if holds else step.otherwise, scope, undo, prefix)
            case "parallel":
                work = [partial(self._step, inner, scope, undo, prefix) for inner in step.body]
                await self._side_by_side(work, step.options.get("max"))
            case "for_each":
                return await self._for_each(step, scope, undo, prefix, record)
            case _:
                return await self._perform(step, scope, record)
        return None

    async def _for_each(
        self, step: Step, scope: Scope, undo: list[_Undo], prefix: str, record: StepRecord
    ) -> Any:
        items = scope.evaluate(step.options["items"])
        if not isinstance(items, list):
            raise WorkflowStepFailed(f"cannot go through its items: {items!r} is no list")
        self._trace.give(record, {"items": items})

        async def one(index: int) -> dict[str, Any]:
            names = {step.options["name"]: items[index], "index": index}
            inside = scope.inside(**names)
            before = dict(inside.steps)
            place = f"{_placed(step.path, prefix)}[{index}]/"
            for inner in step.body:
                await self._step(inner, inside, undo, f"{step.path}/\0{place}")
            return {k: v for k, v in inside.steps.items() if before.get(k) is not v}

        work = [partial(one, index) for index in range(len(items))]
        return {"results": await self._side_by_side(work, step.options.get("max", 1))}

    async def _side_by_side(
        self, work: Sequence[Callable[[], Awaitable[T]]], most: int | None
    ) -> list[T | None]:
        """Do all, at most so many at once, begun in order; the first failure cancels the others."""
        results: list[T | None] = [None] * len(work)
        errors: list[Exception] = []
        places = anyio.Semaphore(most or max(len(work), 1))

        async def one(index: int) -> None:
            try:
                results[index] = await work[index]()
            except Exception as error:
                errors.append(error)
                tasks.cancel_scope.cancel()
            finally:
                places.release()

        async with anyio.create_task_group() as tasks:
            for index in range(len(work)):
                await places.acquire()
                tasks.start_soon(one, index)
        if errors:
            raise errors[0]
        return results

    async def _within(
        self,
        limit_s: float | None,
        what: str,
        work: Callable[[], Awaitable[T]],
        *,
        on_late: Callable[[], None] = lambda: None,
    ) -> T:
        """Do work under a deadline of the clock; `on_late` is called when it has passed.

        Raises:
            WorkflowStepFailed: it took longer.
        """
        if limit_s is None:
            return await work()

        def late() -> str:
            on_late()
            return f"cannot go on: {what} took longer than {limit_s:g} s"

        return await within(self._clock, limit_s, work, late=late)


def _prefix(entry: _Undo) -> str:
    return f"{entry.step.path}/\0{entry.path}/"


def _placed(path: str, prefix: str) -> str:
    """Return a step's path with the numbers of the items that it is run for.

    Args:
        path: as in the workflow.
        prefix: the start of such paths, a null character, and what stands for it here.
    """
    start, _, here = prefix.partition("\0")
    return here + path.removeprefix(start) if here else path
