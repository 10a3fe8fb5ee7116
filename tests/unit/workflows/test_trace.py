"""What is remembered of runs, and what is forgotten."""

from __future__ import annotations

from typing import Any

import pytest

from harness.errors import WorkflowNotFound, WorkflowStepFailed
from harness.storage import MemoryStore
from harness.workflows import forget_runs, trace
from harness.workflows.trace import Trace, Traces
from tests.fakes.clock import FakeClock

from .running import Play, workflow


class Kept:
    """Runs one after the other, each a second later."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.store = MemoryStore()
        self.traces = Traces(store=self.store, clock=self.clock)

    def open(self, run_id: str, project: str = "p") -> Trace:
        self.clock.advance(1)
        header = {"id": run_id, "project": project, "workflow": "w", "parameters": {}}
        return self.traces.open(header, lambda value: value, lambda *_, **__: None)

    def ended(self, run_id: str, project: str = "p") -> None:
        of = self.open(run_id, project)
        self.step(of)
        of.finish("done")
        self.traces.close(of)

    def step(self, of: Trace, state: str = "done", error: Exception | None = None) -> None:
        record = of.begin("1-sleep", "sleep", None, compensates=None, place=None)
        of.end(record, state, error=error)

    def ids(self, project: str = "p") -> list[str]:
        return [run["id"] for run in self.traces.runs(project)]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have three runs remembered, and of each four steps."""
    monkeypatch.setattr(trace, "KEPT_RUNS", 3)
    monkeypatch.setattr(trace, "KEPT_STEPS", 4)


@pytest.mark.usefixtures("few")
def test_the_oldest_runs_are_forgotten_with_their_steps() -> None:
    kept = Kept()
    for number in range(5):
        kept.ended(f"run{number}")
    assert kept.ids() == ["run2", "run3", "run4"]
    assert kept.store.collections() == [
        "workflow-runs", "workflow-steps/run2", "workflow-steps/run3", "workflow-steps/run4",
    ]  # fmt: skip
    with pytest.raises(WorkflowNotFound):
        kept.traces.run("run1")


@pytest.mark.usefixtures("few")
def test_a_run_under_way_is_not_forgotten_however_old_it_is() -> None:
    kept = Kept()
    kept.open("old")
    for number in range(4):
        kept.ended(f"run{number}")
    assert kept.ids() == ["old", "run2", "run3"]


@pytest.mark.usefixtures("few")
def test_of_many_steps_the_first_are_kept_and_those_that_failed() -> None:
    kept = Kept()
    of = kept.open("r")
    for _ in range(5):
        kept.step(of)
    kept.step(of, "failed", WorkflowStepFailed("cannot"))
    kept.step(of)
    of.finish("failed")
    kept.traces.close(of)
    run = kept.traces.run("r")
    assert [step["number"] for step in run["trace"]] == [1, 2, 3, 4, 6]
    assert (run["steps"], run["dropped_steps"]) == (7, 3)


def test_long_texts_are_cut_wherever_they_are() -> None:
    kept = Kept()
    of = kept.open("r")
    record = of.begin("1-x", "x", None, compensates=None, place=None)
    text = "x" * 20_000
    of.attempt(record)
    of.give(record, {"text": text, "short": "y"})
    of.end(record, "done", outputs=[text, 5])
    (step,) = kept.traces.run("r")["trace"]
    assert step["inputs"]["short"] == "y"
    assert step["inputs"]["text"] == step["outputs"][0] == f"{'x' * 16_384}…"
    assert step["outputs"][1] == 5


def test_a_run_that_nobody_sees_to_was_interrupted_with_the_steps_it_was_in() -> None:
    kept = Kept()
    of = kept.open("r")
    kept.step(of)
    of.begin("2-sleep", "sleep", None, compensates=None, place=None)
    assert kept.traces.run("r")["state"] == "running"
    again = Traces(store=kept.store, clock=kept.clock)
    run = again.run("r")
    assert (run["state"], run["error"]["step"]) == ("interrupted", "2-sleep")
    assert [step["state"] for step in run["trace"]] == ["done", "interrupted"]
    assert again.runs("p")[0]["state"] == "interrupted"


def test_runs_go_with_their_project_and_no_others_do() -> None:
    kept = Kept()
    kept.ended("a")
    kept.ended("b", "other")
    kept.ended("c")
    forget_runs(kept.store, "p")
    assert (kept.ids(), kept.ids("other")) == ([], ["b"])
    assert kept.store.collections() == ["workflow-runs", "workflow-steps/b"]


async def test_a_failed_attempt_that_went_well_later_is_not_blamed() -> None:
    def do(name: str, fail: int = 0) -> dict[str, Any]:
        return {"name": name, "uses": "x", "with": {"fail": fail}}

    play = Play()
    again = {"name": "s", "sequence": [do("first", 1)], "retry": 2}
    outcome = await play.run(workflow(steps=[again, do("second", 1)]))
    assert (outcome.step, str(outcome.error)) == ("second", "cannot do second")
