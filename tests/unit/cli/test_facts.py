"""Events in words."""

from __future__ import annotations

from typing import Any

import pytest

from harness.cli.facts import fact, failed_hook, progress_fact

OUTPUT = "step 1\nstep 2\nstep 3\n\nstep 4\nstep 5\ncannot reach it"


@pytest.fixture
def failed(make_event: Any) -> Any:
    facts = {"moment": "pre_start", "ok": False, "message": "exit status 3", "output": OUTPUT}
    return make_event(8, "hook-finished", unit="web", **facts)


def test_a_hook_that_failed_is_one_line_among_events(failed: Any) -> None:
    assert fact(failed) == (
        "hook pre_start failed: exit status 3; "
        "step 1; step 2; step 3; step 4; step 5; cannot reach it"
    )


def test_progress_shows_a_failed_hooks_last_lines_as_they_are(failed: Any) -> None:
    assert failed_hook(failed) == [
        "web: hook pre_start failed: exit status 3",
        "web: | step 3",
        "web: | ",
        "web: | step 4",
        "web: | step 5",
        "web: | cannot reach it",
    ]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"exit": "ended by SIGTERM", "reason": None}, "stopped"),
        ({"exit": "exit status 1", "reason": "exit status 1"}, "stopped (exit status 1)"),
        ({"exit": "ended by SIGKILL", "reason": "killed: late"}, "stopped (killed: late)"),
        ({"exit": "ended by SIGTERM", "reason": "stopped because it may"},
         "stopped (because it may)"),
    ],
)  # fmt: skip
def test_a_stop_is_told_with_what_was_not_asked_for(
    make_event: Any, data: dict[str, Any], text: str
) -> None:
    event = make_event(8, "unit-state-changed", unit="db", old="stopping", new="stopped", **data)
    assert progress_fact(event) == f"db: {text}"


@pytest.mark.parametrize("old", ["failed", "exited"])
def test_progress_says_nothing_of_stopping_what_did_not_run(make_event: Any, old: str) -> None:
    why = {"old": old, "new": "stopped", "reason": 'it depends on "db", which failed'}
    event = make_event(8, "unit-state-changed", unit="web", **why)
    assert progress_fact(event) is None
    assert progress_fact(event, verbose=True) == ('web: stopped (it depends on "db", which failed)')


def test_setups_and_actions_are_told_in_words(make_event: Any) -> None:
    running = make_event(8, "setup-changed", unit="web", old="required", new="running")
    assert fact(running) == "setup running"
    none = make_event(8, "setup-changed", unit="web", old="required", new="none")
    assert fact(none) == "needs no setup"
    failed = make_event(9, "setup-changed", unit="web", new="failed", message="no chairs")
    assert fact(failed) == "setup failed: no chairs"
    told = {"action": "mine", "name": "block-mined", "data": {"number": 3, "tag": None}}
    assert fact(make_event(10, "action-event", unit="chain", **told)) == (
        "mine: block-mined number=3 tag=null"
    )
    progress = {"action": "execute", "name": "progress", "data": {"message": "on", "done": 1.0}}
    assert fact(make_event(11, "action-event", unit="seed", **progress)) == "execute: on (1)"


def test_other_events_have_no_such_lines(make_event: Any) -> None:
    done = make_event(8, "hook-finished", unit="web", moment="pre_start", ok=True, output="fine")
    assert failed_hook(done) == []
    assert fact(done) == "hook pre_start done: fine"
    assert failed_hook(make_event(9, "health-changed", unit="web", new="healthy")) == []


def test_progress_leaves_details_out_unless_they_are_wanted(make_event: Any) -> None:
    told = {"action": "execute", "name": "contract-deployed", "data": {"name": "Staking"}}
    event = make_event(8, "action-event", unit="contracts", **told)
    line = "contracts: execute: contract-deployed name=Staking"
    assert progress_fact(event) == line
    detail = make_event(9, "action-event", unit="contracts", **told, detail=True)
    assert progress_fact(detail) is None
    assert progress_fact(detail, verbose=True) == line
