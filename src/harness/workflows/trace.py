"""What a run did, record by record: kept in the store, over the end of the daemon, and told.

The values of a run are masked before they get here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.clock import Clock
from harness.errors import WorkflowNotFound
from harness.model import EventKind
from harness.storage import Store

__all__ = ["KEPT_RUNS", "KEPT_STEPS", "StepRecord", "Trace", "Traces", "forget_runs"]

KEPT_RUNS = 100
"""Runs of all projects that are remembered; the oldest go first."""
KEPT_STEPS = 2_000
"""Steps of one run that are remembered; later ones are counted, and kept if they fail."""

_RUNS = "workflow-runs"
_VERSION = 1
_MAX_TEXT = 16_384

Publish = Callable[..., None]


@dataclass(slots=True, kw_only=True)
class StepRecord:
    """One step of a run.

    Attributes:
        path: where it is in the workflow, with the numbers of items, such as `each[2]/1-exec`.
        state: running, done, failed, cancelled or skipped; a daemon that was killed leaves running.
        attempt: the last one; 0: it has not begun.
        attempts: {attempt, error} of those that failed and were followed by another.
        compensates: path of the step that it undoes.
    """

    number: int
    path: str
    kind: str
    name: str | None
    started_at: str
    state: str = "running"
    ended_at: str | None = None
    attempt: int = 0
    attempts: list[dict[str, Any]] = field(default_factory=list)
    inputs: Any = None
    outputs: Any = None
    error: dict[str, Any] | None = None
    compensates: str | None = None
    place: str | None = None


class Trace:
    """The records of one run under way.

    Args:
        mask: takes secrets out of JSON values.
        publish: tells a fact of the project: kind, then data.
    """

    def __init__(
        self,
        run: dict[str, Any],
        *,
        store: Store,
        clock: Clock,
        mask: Callable[[Any], Any],
        publish: Publish,
    ) -> None:
        self.run = run
        self._store = store
        self._clock = clock
        self._mask = mask
        self._publish = publish
        self._number = 0
        self._save()

    @property
    def id(self) -> str:
        """The run's id."""
        return str(self.run["id"])

    def _save(self) -> None:
        self._store.put(_RUNS, self.id, self.run)

    def _keep(self, record: StepRecord) -> None:
        if record.number <= KEPT_STEPS or record.state == "failed":
            key = f"{record.number:08d}"
            self._store.put(_steps_of(self.id), key, dataclasses.asdict(record))

    def _now(self) -> str:
        return self._clock.now().isoformat()

    def tell(self, kind: EventKind, **data: Any) -> None:
        """Publish a fact of this run."""
        self._publish(kind, run=self.id, **data)

    def begin(
        self, path: str, kind: str, name: str | None, *, compensates: str | None, place: str | None
    ) -> StepRecord:
        """Note that a step begins."""
        self._number += 1
        record = StepRecord(
            number=self._number,
            path=path,
            kind=kind,
            name=name,
            started_at=self._now(),
            compensates=compensates,
            place=place,
        )
        self._keep(record)
        return record

    def attempt(self, record: StepRecord) -> None:
        """Note that an attempt of a step begins."""
        record.attempt += 1
        record.inputs = None
        self._keep(record)
        self.tell(
            EventKind.WORKFLOW_STEP_STARTED,
            step=record.path,
            step_kind=record.kind,
            attempt=record.attempt,
            compensates=record.compensates,
        )

    def give(self, record: StepRecord, inputs: Any) -> None:
        """Note what an attempt that has begun is given."""
        record.inputs = _short(self._mask(inputs))

    def retry(self, record: StepRecord, error: Exception) -> None:
        """Note that an attempt failed and another one follows."""
        message = self._mask(str(error))
        record.attempts.append({"attempt": record.attempt, "error": message})
        self._keep(record)

    def end(
        self,
        record: StepRecord,
        state: str,
        *,
        outputs: Any = None,
        error: Exception | None = None,
    ) -> None:
        """Note how a step ended."""
        record.state, record.ended_at = state, self._now()
        record.outputs = _short(self._mask(outputs))
        if error is not None:
            kind = str(getattr(error, "kind", type(error).__name__))
            record.error = {"kind": kind, "message": self._mask(str(error))}
        self._keep(record)
        self.tell(
            EventKind.WORKFLOW_STEP_FINISHED,
            step=record.path,
            step_kind=record.kind,
            state=state,
            message=record.error["message"] if record.error else None,
            compensates=record.compensates,
        )

    def finish(self, state: str, **facts: Any) -> None:
        """Note how the run ended."""
        dropped = max(0, self._number - KEPT_STEPS)
        self.run.update(
            self._mask(facts), state=state, ended_at=self._now(), steps=self._number,
            dropped_steps=dropped,
        )  # fmt: skip
        self._save()


class Traces:
    """The runs that are remembered; a few of them are under way."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._live: dict[str, Trace] = {}

    def open(
        self, header: Mapping[str, Any], mask: Callable[[Any], Any], publish: Publish
    ) -> Trace:
        """Begin the trace of a run; forget the oldest runs if there are too many."""
        run = {
            "version": _VERSION,
            "state": "running",
            "started_at": self._clock.now().isoformat(),
            "ended_at": None,
            "error": None,
            "compensated": [],
            "left": [],
            "leftover": None,
            "steps": 0,
            "dropped_steps": 0,
            **header,
        }
        trace = Trace(run, store=self._store, clock=self._clock, mask=mask, publish=publish)
        self._live[trace.id] = trace
        self._trim()
        return trace

    def close(self, trace: Trace) -> None:
        """Let go of a trace; one that has not finished was interrupted."""
        self._live.pop(trace.id, None)

    def remove(self, run_id: str) -> None:
        """Forget a run."""
        _remove(self._store, run_id)

    def runs(self, project: str, workflow: str | None = None) -> list[dict[str, Any]]:
        """Return the runs of a project, the oldest first."""
        found = [self._shown(run) for run in self._store.records(_RUNS).values()]
        chosen = [r for r in found if r["project"] == project and workflow in (None, r["workflow"])]
        return sorted(chosen, key=lambda run: str(run["started_at"]))

    def run(self, run_id: str) -> dict[str, Any]:
        """Return a run with the records of its steps.

        Raises:
            WorkflowNotFound: it is unknown, or forgotten.
        """
        run = self._store.record(_RUNS, run_id)
        if run is None:
            raise WorkflowNotFound(
                f'cannot find the run "{run_id}" of a workflow: it is unknown or was forgotten',
                hint="harness workflow runs",
            )
        run = self._shown(run)
        steps = list(self._store.records(_steps_of(run_id)).values())
        if run["state"] == "interrupted":
            for step in steps:
                if step["state"] == "running":
                    step["state"] = "interrupted"
        return {**run, "trace": steps}

    def _shown(self, run: dict[str, Any]) -> dict[str, Any]:
        """Return a run; one that no daemon sees to any more was interrupted."""
        if run["state"] != "running" or run["id"] in self._live:
            return run
        steps = self._store.records(_steps_of(run["id"])).values()
        last = max(steps, key=lambda step: int(step["number"]), default=None)
        where = f' in step "{last["path"]}"' if last else " before its first step"
        error = {
            "kind": "workflow-interrupted",
            "message": f"the daemon ended{where}",
            "step": last["path"] if last else None,
            "hint": None,
        }
        return {**run, "state": "interrupted", "error": error}

    def _trim(self) -> None:
        runs = self._store.records(_RUNS)
        ended = [run for run in runs.values() if run["id"] not in self._live]
        ended.sort(key=lambda run: str(run["started_at"]))
        for run in ended[: max(0, len(runs) - KEPT_RUNS)]:
            _remove(self._store, run["id"])


def forget_runs(store: Store, project: str) -> None:
    """Remove the runs of a project, with the records of their steps."""
    for run in store.records(_RUNS).values():
        if run["project"] == project:
            _remove(store, run["id"])


def _remove(store: Store, run_id: str) -> None:
    collection = _steps_of(run_id)
    with store.batch():
        for key in store.records(collection):
            store.delete(collection, key)
        store.delete(_RUNS, run_id)


def _steps_of(run_id: str) -> str:
    return f"workflow-steps/{run_id}"


def _short(value: Any) -> Any:
    """Return a value with long texts cut: a trace is no copy of what went by."""
    if isinstance(value, str):
        return value if len(value) <= _MAX_TEXT else f"{value[:_MAX_TEXT]}…"
    if isinstance(value, Mapping):
        return {key: _short(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_short(item) for item in value]
    return value
