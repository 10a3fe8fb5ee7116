"""Runs workflows whose steps only note that they were done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anyio

from harness.config import Hole, read_workflow
from harness.errors import WorkflowStepFailed
from harness.model import Step, Workflow, WorkflowDocument
from harness.storage import MemoryStore
from harness.workflows.runner import Outcome, Runner
from harness.workflows.scope import Scope
from harness.workflows.trace import StepRecord, Trace, Traces
from tests.fakes.clock import FakeClock

__all__ = ["Play", "workflow"]


def workflow(**document: Any) -> Workflow:
    """Return a workflow of a document; `uses: NAME` steps stand for what is done."""
    return read_workflow(WorkflowDocument(name="w", document=document), None)


class _Nothing:
    def root(self, name: str) -> Any:
        return {}

    def text(self, hole: Hole) -> str:
        return hole.text


class Play:
    """One run.

    A step `uses: KIND` with {fail: N} fails its first N attempts, {sleep: S} takes so long, and
    its outputs are what it was given.

    Attributes:
        did: paths, as they were done.
        most: the largest number of steps at the same moment.
        most_beside: (kind, path) of a step → the largest number of its parts at the same moment.
        told: kinds and data of the facts that were published.
    """

    def __init__(self, *, may_clean_up: bool = True) -> None:
        self.clock = FakeClock()
        self.store = MemoryStore()
        self.traces = Traces(store=self.store, clock=self.clock)
        self.did: list[str] = []
        self.told: list[tuple[str, Mapping[str, Any]]] = []
        self.running = self.most = 0
        self.active: list[str] = []
        self.most_beside: dict[tuple[str, str], int] = {}
        self.fails: dict[str, int] = {}
        self.scope = Scope(around=_Nothing())
        self._may_clean_up = may_clean_up
        self.trace = self._trace()
        self.runner = Runner(
            perform=self._perform,
            clock=self.clock,
            trace=self.trace,
            may_clean_up=lambda: self._may_clean_up,
        )

    def _trace(self) -> Trace:
        def publish(kind: str, **data: Any) -> None:
            self.told.append((kind, data))

        header = {"id": "r", "project": "p", "workflow": "w", "parameters": {}}
        return self.traces.open(header, lambda value: value, publish)

    async def run(self, of: Workflow, **params: Any) -> Outcome:
        """Run it to its end while time passes by itself."""
        self.scope = Scope(around=_Nothing(), params=params)
        found: list[Outcome] = []
        with anyio.fail_after(10):
            async with anyio.create_task_group() as tasks:

                async def work() -> None:
                    found.append(await self.runner.run(of, self.scope))
                    tasks.cancel_scope.cancel()

                tasks.start_soon(work)
                while True:
                    await self.clock.run_for(0.25)
        return found[0]

    async def _perform(self, step: Step, scope: Scope, record: StepRecord) -> Any:
        options = scope.resolve(step.options)
        self.trace.give(record, options)
        self.running += 1
        self.most = max(self.most, self.running)
        self.active.append(record.path)
        self._count()
        try:
            await anyio.lowlevel.checkpoint()
            if options.get("sleep"):
                await self.clock.sleep(options["sleep"])
            count = self.fails[record.path] = self.fails.get(record.path, 0) + 1
            if count <= options.get("fail", 0):
                raise WorkflowStepFailed(f"cannot do {record.path}")
            self.did.append(record.path)
        finally:
            self.running -= 1
            self.active.remove(record.path)
        return options

    def _count(self) -> None:
        beside: dict[tuple[str, str], set[str]] = {}
        for path in self.active:
            parts = path.split("/")
            for index, part in enumerate(parts):
                name, _, item = part.partition("[")
                if item:
                    place = "/".join([*parts[:index], name])
                    beside.setdefault(("for_each", place), set()).add(item)
                elif index + 1 < len(parts):
                    place, branch = "/".join(parts[: index + 1]), parts[index + 1]
                    key = ("parallel", place)
                    beside.setdefault(key, set()).add(branch.partition("[")[0])
        for key, found in beside.items():
            self.most_beside[key] = max(self.most_beside.get(key, 0), len(found))

    def records(self) -> list[dict[str, Any]]:
        """Return the records of the steps that are kept."""
        return list(self.traces.run("r")["trace"])

    def states(self) -> dict[str, str]:
        """Return path → state."""
        return {record["path"]: record["state"] for record in self.records()}
