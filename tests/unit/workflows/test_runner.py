from __future__ import annotations

from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.model import Step

from .running import Play, workflow


def do(name: str | None = None, /, **more: Any) -> dict[str, Any]:
    """Return a step; `fail` and `sleep` are its options, anything else is beside them."""
    options = {key: more.pop(key) for key in ("fail", "sleep", "value") if key in more}
    return {"uses": "x", "with": options, **({"name": name} if name else {}), **more}


async def test_steps_are_done_in_order_and_see_what_came_before():
    play = Play()
    outcome = await play.run(
        workflow(
            parameters={"n": {"type": "list"}},
            steps=[
                do("one", value="${params.n}"),
                do("two", value={"all": "${steps.one.outputs.value}"}),
                do("three", value="is ${steps.two.outputs.value.all[0]}"),
            ],
        ),
        n=[1, 2],
    )
    assert outcome.error is None
    assert play.did == ["one", "two", "three"]
    assert [r["outputs"]["value"] for r in play.records()] == [[1, 2], {"all": [1, 2]}, "is 1"]


async def test_a_failed_step_undoes_what_was_done_in_reverse_order():
    play = Play()
    outcome = await play.run(
        workflow(
            steps=[
                do("one", compensate=[do("back", value="${error}")]),
                do("two", compensate=[do(fail=1), do("never")]),
                do("three", compensate=[do()]),
                do("four", fail=1, compensate=[do("neither")]),
                do("later"),
            ],
            **{"finally": [do("last", fail=1), do("end")]},
        )
    )
    assert (str(outcome.error), outcome.step) == ("cannot do four", "four")
    assert outcome.compensated == ["three", "one"]
    assert outcome.left == {"two": "cannot do two/compensate/1-uses"}
    assert outcome.leftover == "cannot do finally/last"
    assert play.did == [
        "one", "two", "three", "three/compensate/1-uses", "one/compensate/back", "finally/end",
    ]  # fmt: skip
    undoes = {r["path"]: r["compensates"] for r in play.records()}
    assert undoes["one/compensate/back"] == "one"
    assert play.scope.steps["back"]["outputs"]["value"] == "cannot do four"


async def test_a_step_is_tried_again_after_growing_rests():
    play = Play()
    retry = {"attempts": 4, "delay": 1, "max_delay": 3}
    outcome = await play.run(workflow(steps=[do("one", fail=3, retry=retry)]))
    assert outcome.error is None
    (record,) = play.records()
    assert (record["attempt"], len(record["attempts"])) == (4, 3)
    assert play.clock.monotonic() == pytest.approx(1 + 2 + 3, abs=0.5)
    assert outcome.step is None


async def test_what_is_tried_again_while_cleaning_up_hides_not_which_step_failed():
    inner = [do("in", fail=1), do("after")]
    again = {"name": "back", "sequence": inner, "retry": {"attempts": 2, "delay": 0}}
    play = Play()
    outcome = await play.run(workflow(steps=[do("one", compensate=[again]), do("two", fail=1)]))
    assert (outcome.step, outcome.compensated) == ("two", ["one"])
    play = Play()
    outcome = await play.run(workflow(steps=[do("two", fail=1)], **{"finally": [again]}))
    assert (outcome.step, outcome.leftover) == ("two", None)


async def test_what_a_failed_attempt_has_done_is_undone_before_the_next():
    play = Play()
    inner = [do("in", compensate=[do("out")]), do("bad", fail=1)]
    outcome = await play.run(workflow(steps=[{"name": "s", "sequence": inner, "retry": 2}]))
    assert outcome.error is None
    assert [path.rpartition("/")[2] for path in play.did] == ["in", "out", "in", "bad"]


async def test_branches_are_side_by_side_up_to_a_limit():
    play = Play()
    steps = [do(sleep=1) for _ in range(5)]
    await play.run(workflow(steps=[{"parallel": {"max": 2, "steps": steps}}]))
    assert (len(play.did), play.most) == (5, 2)


async def test_a_failed_branch_cancels_the_others():
    play = Play()
    steps = [do("slow", sleep=100), do("bad", sleep=1, fail=1), do("done", compensate=[do()])]
    outcome = await play.run(workflow(steps=[{"name": "all", "parallel": steps}]))
    assert outcome.step == "all/bad"
    states = play.states()
    assert states["all/slow"] == "cancelled"
    assert (states["all/bad"], states["all"]) == ("failed", "failed")
    assert outcome.compensated == ["all/done"]


async def test_items_have_outputs_of_their_own():
    play = Play()
    body = [do("say", value="${it.x}-${index}"), do(value="${steps.say.outputs.value}")]
    loop = {"items": "params.all", "name": "it", "max": 2, "steps": body}
    await play.run(
        workflow(
            parameters={"all": {"type": "list"}},
            steps=[
                {"name": "each", "for_each": loop},
                do("end", value="${steps.each.outputs.results.map(r, r.say.outputs.value)}"),
            ],
        ),
        all=[{"x": "a"}, {"x": "b"}, {"x": "c"}],
    )
    assert play.scope.steps["end"]["outputs"]["value"] == ["a-0", "b-1", "c-2"]
    assert "each[2]/2-uses" in play.states()
    assert "say" not in play.scope.steps


@pytest.mark.parametrize(("n", "done"), [(3, ["1-if/then/1-uses"]), (1, ["1-if/else/1-uses"])])
async def test_a_condition_chooses(n, done):
    play = Play()
    step = {"if": "params.n > 2", "then": [do()], "else": [do()]}
    skipped = {**do("no"), "if": "params.n > 5"}
    parameters = {"n": {"type": "integer"}}
    await play.run(workflow(parameters=parameters, steps=[step, skipped]), n=n)
    assert play.did == done
    assert play.states()["no"] == "skipped"
    assert play.scope.steps["no"]["state"] == "skipped"


async def test_a_step_and_a_workflow_have_deadlines():
    play = Play()
    outcome = await play.run(workflow(steps=[do("one", sleep=9, timeout=2)]))
    assert str(outcome.error) == "cannot go on: the step took longer than 2 s"
    assert not outcome.is_late
    play = Play()
    steps = [do("a", compensate=[do()]), do("b", sleep=9)]
    outcome = await play.run(workflow(timeout=3, steps=steps))
    assert str(outcome.error) == "cannot go on: the workflow took longer than 3 s"
    assert (play.states()["b"], outcome.compensated) == ("cancelled", ["a"])
    assert outcome.is_late


async def test_compensation_has_a_deadline_and_names_what_it_left():
    play = Play()
    steps = [do("a", compensate=[do()]), do("b", compensate=[do(sleep=99)]), do(fail=1)]
    outcome = await play.run(workflow(cleanup_timeout=2, steps=steps))
    late = "cannot go on: compensation took longer than 2 s"
    assert (outcome.compensated, outcome.left) == ([], {"b": late, "a": late})


@pytest.mark.parametrize("by_user", [True, False])
async def test_a_cancelled_run_is_undone_if_a_user_wished_it(by_user):
    play = Play(may_clean_up=by_user)
    steps = [do("a", compensate=[do("back", sleep=1)]), do("b", sleep=99)]
    of = workflow(steps=steps, **{"finally": [do("end")]})
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(play.runner.run, of, play.scope)
        await play.clock.sleepers()
        tasks.cancel_scope.cancel()
        if by_user:
            with anyio.CancelScope(shield=True), anyio.fail_after(5):
                await play.clock.sleepers(2)
                await play.clock.run_for(2)
    assert play.states()["b"] == "cancelled"
    assert play.did == (["a", "a/compensate/back", "finally/end"] if by_user else ["a"])


async def test_values_that_do_not_fit_fail_the_step():
    play = Play()
    outcome = await play.run(workflow(steps=[{"for_each": {"items": "1 + 1", "steps": []}}]))
    assert str(outcome.error) == "cannot go through its items: 2 is no list"
    outcome = await Play().run(workflow(steps=[{"if": "1 + 1", "then": []}]))
    assert "must be true or false, and is 2" in str(outcome.error)
    outcome = await Play().run(workflow(steps=[do(value="${vars.x.y}")], variables={"x": 1}))
    assert "has no value" in str(outcome.error)


# ── any tree of steps ────────────────────────────────────────────────────────────────────────────

_leaf = st.builds(
    lambda fail, sleep, undo, retry: do(
        fail=fail, sleep=sleep, compensate=[do()] if undo else [], retry={"attempts": retry}
    ),
    st.sampled_from([0, 0, 0, 0, 1, 2]),
    st.sampled_from([0, 0, 1, 2]),
    st.booleans(),
    st.integers(1, 2),
)


def _compound(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, max_size=3)
    most = st.integers(1, 3)
    undo = st.sampled_from([[], [do()]])
    return st.one_of(
        st.builds(lambda s, u: {"sequence": s, "compensate": u}, several, undo),
        st.builds(lambda s, m: {"parallel": {"steps": s, "max": m}}, several, most),
        st.builds(
            lambda s, n, m: {"for_each": {"items": list(range(n)), "steps": s, "max": m}},
            several, st.integers(0, 3), most,
        ),
        st.builds(
            lambda c, s, t: {"if": c, "then": s, "else": t}, st.booleans(), several, several
        ),
    )  # fmt: skip


_trees = st.lists(st.recursive(_leaf, _compound, max_leaves=12), min_size=1, max_size=4)


def _bounds(steps: tuple[Step, ...]) -> dict[tuple[str, str], int]:
    """Return (kind, path) of what does things side by side → how many at most."""
    found: dict[tuple[str, str], int] = {}
    for step in steps:
        if step.kind in ("parallel", "for_each"):
            found[step.kind, step.path] = step.options.get("max") or len(step.body)
        found |= _bounds((*step.body, *step.otherwise))
    return found


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(_trees)
def test_any_workflow_ends_every_step_once_and_undoes_in_reverse(trees: list[Any]) -> None:
    of = workflow(steps=trees)
    play = Play()
    outcome = anyio.run(play.run, of)
    told = [data for kind, data in play.told if kind == "workflow-step-finished"]
    records = play.records()
    assert len(told) == len(records)
    assert all(record["ended_at"] is not None for record in records)
    assert {record["state"] for record in records} <= {"done", "failed", "cancelled", "skipped"}
    # What was done and can be undone; no step here that holds others is tried again.
    able = _able(of.steps)
    done = [data for data in told if data["state"] == "done" and not data["compensates"]]
    undone = list(outcome.compensated)
    if outcome.error is not None:
        last = [d["step"] for d in done if _plain(d["step"]) in able]
        assert undone == list(reversed(last))
    bounds = _bounds(of.steps)
    for (kind, place), most in play.most_beside.items():
        path = (kind, _plain(place))
        assert path not in bounds or most <= bounds[path]


def _able(steps: tuple[Step, ...]) -> set[str]:
    found: set[str] = set()
    for step in steps:
        found |= {step.path} if step.compensate else set()
        found |= _able((*step.body, *step.otherwise))
    return found


def _plain(path: str) -> str:
    """Return a path without the numbers of items."""
    return "".join(part for i, part in enumerate(path.replace("]", "[").split("[")) if i % 2 == 0)
