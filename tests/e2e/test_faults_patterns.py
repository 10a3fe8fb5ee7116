"""Patterns that other engines never finish with, wherever a user may write one."""

from __future__ import annotations

from signal import SIGINT

import pytest

from .harness_case import HarnessCase, eventually

pytestmark = pytest.mark.timeout(90)

EVIL = "^(a+)+$"
PRINT = "import time; print('a' * 900_000 + '!', flush=True); print('ready', flush=True)"


def test_a_pattern_that_backtracking_never_ends_stops_neither_checks_nor_the_daemon(
    case: HarnessCase,
) -> None:
    case.script("long.py", f"{PRINT}; time.sleep(1000)")
    case.script("value.py", f"{PRINT}; print('aaaa')")
    case.write(
        "services:\n  long:\n    type: process\n    command: python3 long.py\n    health_check:\n"
        f"      any: [{{log: '{EVIL}'}}, {{log: ready}}]\n"
        "tasks:\n  value:\n    type: process\n    command: python3 value.py\n"
        f"    outputs: {{v: {{regex: '{EVIL}'}}}}"
    )
    case.ok("up", "-q")
    assert case.unit("long")["ready"]
    (done,) = case.events("task-completed")
    assert done["data"]["outputs"] == {"v": "aaaa"}
    assert case.ok("logs", "--no-prefix", "--grep", EVIL) == "aaaa\n"
    # Also of a log that is only followed, and while somebody asks for something else.
    with case.begun("logs", "long", "--no-prefix", "-f", "--grep", f"{EVIL}|^ready$") as following:
        eventually(lambda: case.status()["long"]["state"] == "running")
        assert following.stdout is not None
        assert following.stdout.readline() == b"ready\n"
        following.send_signal(SIGINT)


def test_a_pattern_that_cannot_be_kept_quick_is_refused_with_its_place_and_a_remedy(
    case: HarnessCase,
) -> None:
    case.write(
        "services:\n  a: {type: process, command: sleep 1000, health_check: {log: 'up(?!date)'}}"
    )
    done = case("up")
    assert done.returncode == 6
    assert "harness.yaml:3:63: services.a.health_check.log: uses look-around ((?!)" in done.stderr
    assert "search for what is there" in done.stderr
    case.write("services:\n  a: {type: process, command: sleep 1000}")
    case.ok("up", "-q")
    refused = case("logs", "--grep", r"(.)\1")
    assert refused.returncode != 0
    assert r"cannot search for (.)\1: it refers back to one of its groups (\1)" in refused.stderr
    assert "hint: write what the group matches again" in refused.stderr
