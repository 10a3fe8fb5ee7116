"""What plugins bring to a daemon, and what of it cannot be made."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from harness.clock import SystemClock
from harness.daemon.extensions import Extensions
from harness.errors import ConfigSchemaError
from harness.model import StackSpec, WorkflowDocument
from harness.supervisor import Project

_PLUGIN = """\
from harness.plugins import hookimpl
from tests.places_plugin import Sleeper, Told
class Broken(Sleeper):
    name = "broken"
    def __init__(self): raise RuntimeError("out of order")
class Fine(Sleeper): name = "fine"
class Asked(Told): name = "asked"
@hookimpl
def harness_executors(): return [Fine, Broken]
@hookimpl
def harness_health_checks(): return [Asked]
"""


def no_project(name: str) -> Project:
    raise AssertionError(name)


async def test_what_cannot_be_made_is_reported_and_nothing_of_its_plugin_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "half_plugin", raising=False)
    (tmp_path / "half_plugin.py").write_text(_PLUGIN)
    given = ["half_plugin", "tests.places_plugin"]
    async with Extensions(no_project, clock=SystemClock(), given=given) as extensions:
        assert await extensions.are_there()
        reports = {report.name: report for report in (await extensions.plugins()).reports}
        assert reports["half_plugin"].error == "RuntimeError: out of order"
        assert reports["half_plugin"].brings == {}
        assert reports["tests.places_plugin"].error is None
        assert not {"fine", "broken"} & set(extensions.executors)
        assert ("asked" in extensions.health_checks, "told" in extensions.health_checks) == (
            False, True,
        )  # fmt: skip
        types = await extensions.types()
        assert types.broken == ["half_plugin"]
        assert "sleeper" in types.executors


@pytest.mark.parametrize("part", ["stack", "leaving"])
@pytest.mark.parametrize(
    ("unit", "are_needed"),
    [
        ({"type": "sleeper"}, True),
        ({"type": "process", "health": {"checks": [{"kind": "told", "options": {}}]}}, True),
        ({"type": "process", "health": {"checks": [{"kind": "tcp", "port": 1}]}}, False),
        ({"type": "process"}, False),
    ],
)
async def test_plugins_are_loaded_for_what_an_earlier_daemon_stored_and_only_then(
    part: str, unit: dict[str, Any], are_needed: bool
) -> None:
    given = ["tests.places_plugin"]
    async with Extensions(no_project, clock=SystemClock(), given=given) as extensions:
        await extensions.prepare_for([{part: {"units": [unit]}}])
        assert ("sleeper" in extensions.executors) is are_needed


@pytest.mark.parametrize(
    ("step", "are_needed"),
    [
        ({"uses": "nothing"}, True),
        ({"if": "true", "then": [{"parallel": [{"uses": "nothing"}]}]}, True),
        ({"set": {"word": "nobody uses 'uses'"}}, False),
    ],
)
async def test_plugins_are_loaded_for_steps_that_they_may_bring_and_only_then(
    step: dict[str, Any], are_needed: bool
) -> None:
    workflow = WorkflowDocument(name="w", document={"steps": [step]})
    stack = StackSpec(
        name="s", files=("/h.yaml",), base_dir="/", units={}, workflows={"w": workflow}
    )
    given = ["tests.places_plugin"]
    async with Extensions(no_project, clock=SystemClock(), given=given) as extensions:
        refused = pytest.raises(ConfigSchemaError, match='no plugin brings a step "nothing"')
        with refused if are_needed else nullcontext():
            await extensions.check(stack)
        assert ("sleeper" in extensions.executors) is are_needed
