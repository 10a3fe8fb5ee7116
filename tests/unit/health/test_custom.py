"""Checks that plugins bring: as bounded and as explained as built-in ones."""

from __future__ import annotations

import anyio
import pytest

from harness.health import CheckRunner, describe, question, without_absent
from harness.model import (
    CompositeCheck,
    CompositeMode,
    CustomCheck,
    HealthSpec,
    ProbeSpec,
    Stage,
    StoredOptions,
    TcpCheck,
)
from tests.places_plugin import Told, ToldOptions
from tests.unit.health.scripted import ScriptedUnit

KNOWN = {"told": Told()}


def told(answer: str, kind: str = "told") -> CustomCheck:
    return CustomCheck(kind=kind, options=ToldOptions(answer=answer))


@pytest.mark.parametrize(
    ("check", "ok", "message"),
    [
        (told("pass"), True, "told to pass 0"),
        (told("fail"), False, "told to fail 0"),
        (told("refuse"), False, "connection refused"),
        (told("raise"), False, "the check is broken: RuntimeError: out of order"),
        (told("hang"), False, "no answer within 0.05 s"),
        (told("pass", kind="gone"), False, 'no plugin brings the check "gone"'),
    ],
)
async def test_whatever_a_check_does_is_a_result(check, ok, message):
    with anyio.fail_after(5):
        result = await CheckRunner(KNOWN).run(check, context=ScriptedUnit(), timeout_s=0.05)
    assert (result.ok, result.message) == (ok, message)


async def test_a_composite_check_says_which_part_answered_what():
    both = CompositeCheck(mode=CompositeMode.ALL, checks=(told("pass"), told("fail")))
    result = await CheckRunner(KNOWN).run(both, context=ScriptedUnit(), timeout_s=5)
    assert (result.ok, result.message) == (False, "told: told to fail 0")


def test_the_question_holds_the_options_and_the_short_name_does_not():
    check = CustomCheck(kind="told", options=ToldOptions(more={"token": "s3cret"}))
    assert question(check) == "told answer=pass count=0 more={'token': 's3cret'}"
    assert describe(check) == "told"
    assert question(CustomCheck(kind="x", options=StoredOptions(values={"a": 1})))


def test_a_liveness_that_nobody_can_try_is_left_out():
    ready = (Stage(name="ready", probe=ProbeSpec(check=told("pass", kind="gone"))),)
    gone = CompositeCheck(mode=CompositeMode.ANY, checks=(TcpCheck(port="1"), told("x", "gone")))
    spec = HealthSpec(stages=ready, liveness=ProbeSpec(check=gone))
    assert without_absent(spec, KNOWN) == HealthSpec(stages=ready)
    here = HealthSpec(stages=ready, liveness=ProbeSpec(check=told("fail")))
    assert without_absent(here, KNOWN) is here
