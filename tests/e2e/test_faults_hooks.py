"""A daemon killed in the middle of a hook."""

from __future__ import annotations

import os

import pytest

from tests.processes import is_alive

from .harness_case import HarnessCase, eventually

pytestmark = [pytest.mark.timeout(120), pytest.mark.slow]


def _hooked(case: HarnessCase, moment: str, script: str) -> None:
    case.write(
        "services:\n  a:\n    type: process\n    command: sleep 1000\n"
        f"    hooks: {{{moment}: [{{command: '{script}', shell: true}}]}}\n"
        "  b: {type: process, command: sleep 1000, depends_on: [a]}\n"
    )


def test_a_pre_start_hook_does_not_run_twice_at_once(case: HarnessCase) -> None:
    _hooked(case, "pre_start", "echo $$$$ >>begun; exec sleep 1000")
    case.ok("up", "--no-wait")
    eventually(lambda: len(case.lines("begun")) == 1)
    case.kill_daemon()
    case.status()
    eventually(lambda: len(case.lines("begun")) == 2)
    alive = [pid for pid in case.lines("begun") if is_alive(int(pid))]
    assert len(alive) == 1


def test_down_ends_a_hook_of_a_killed_daemon(case: HarnessCase) -> None:
    _hooked(case, "pre_start", "echo $$$$ >>begun; exec sleep 1000")
    case.ok("up", "--no-wait")
    eventually(lambda: len(case.lines("begun")) == 1)
    case.kill_daemon()
    case.ok("down")
    assert [pid for pid in case.lines("begun") if is_alive(int(pid))] == []


def test_what_a_hook_leaves_in_a_session_of_its_own_is_gone_after_down(case: HarnessCase) -> None:
    _hooked(case, "pre_start", 'setsid sh -c "echo \\$\\$ >>begun; exec sleep 1000" & sleep 0.3')
    case.ok("up", "-q")
    case.ok("down")
    assert [pid for pid in case.lines("begun") if is_alive(int(pid))] == []


def test_a_unit_is_not_ready_before_a_post_start_hook_that_was_cut_short(
    case: HarnessCase,
) -> None:
    _hooked(case, "post_start", "echo begin >>begun; read line <go")
    os.mkfifo(case.directory / "go")
    case.ok("up", "--no-wait")
    eventually(lambda: case.lines("begun") == ["begin"])
    case.kill_daemon()
    case.status()
    # Nobody saw how it ended, so it is run again.
    eventually(lambda: case.lines("begun") == ["begin", "begin"])
    assert case.status()["a"]["ready"] is False
    assert case.processes("b") == []
    (case.directory / "go").write_text("go\n")
    case.ok("wait", "a", "b")
