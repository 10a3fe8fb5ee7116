from __future__ import annotations

from typing import Any

import pytest

from harness.client.aftermath import as_it_is_now


def operation(**outcomes: str) -> dict[str, Any]:
    results = [{"unit": n, "outcome": o, "message": None} for n, o in outcomes.items()]
    return {"id": "x", "verb": "up", "state": "done", "error": None, "results": results}


def row(name: str, state: str = "running", **more: Any) -> dict[str, Any]:
    base = {"name": name, "state": state, "ready": state == "running", "exit_code": None}
    return {**base, "message": None, **more}


def test_an_operation_whose_units_are_as_it_left_them_is_what_it_was():
    done = operation(a="ready", t="completed", s="skipped")
    units = [row("a"), row("t", "exited", exit_code=0), row("s", "exited", exit_code=0)]
    assert as_it_is_now(done, units) is done


@pytest.mark.parametrize("state", ["backoff", "failed", "starting", "stopped"])
def test_a_unit_that_was_ready_and_is_not_now_makes_it_fail(state):
    units = [row("a", state, message="exit status 7"), row("b")]
    found = as_it_is_now(operation(a="ready", b="ready"), units)
    assert found["state"] == "failed"
    cause = f"it was ready, and is {state} now: exit status 7"
    assert found["error"]["message"] == f'cannot up "a": {cause}'
    assert found["error"]["hint"] == "harness why a"
    assert [r["outcome"] for r in found["results"]] == ["failed", "ready"]
    assert found["results"][0]["message"] == cause


def test_a_unit_that_runs_and_grew_unhealthy_makes_it_fail():
    found = as_it_is_now(operation(a="ready"), [row("a", ready=False)])
    assert "it was ready, and is running now: its checks fail" in found["error"]["message"]


def test_all_of_several_are_named():
    units = [row("a", "failed", message="x"), row("b", "failed", message="y")]
    found = as_it_is_now(operation(a="ready", b="ready"), units)
    assert found["error"]["message"].splitlines()[1:] == [
        '  "a": it was ready, and is failed now: x',
        '  "b": it was ready, and is failed now: y',
    ]


def test_a_service_that_has_done_its_work_is_no_failure():
    done = operation(a="ready")
    assert as_it_is_now(done, [row("a", "exited", exit_code=0)]) is done


def test_what_had_failed_already_stays_as_it_is():
    failed = {**operation(a="ready", b="failed"), "state": "failed", "error": {"kind": "x"}}
    assert as_it_is_now(failed, [row("a", "failed"), row("b", "failed")]) is failed
