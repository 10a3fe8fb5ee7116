"""Authors' classes that swallow cancellations, in the real daemon."""

from __future__ import annotations

import pytest

from .harness_case import HarnessCase, eventually

_PLUGIN = '''
from dataclasses import dataclass

import anyio

from harness.actions import Call, ServiceType, action
from harness.plugins import hookimpl
from harness.workflows import StepCall, WorkflowStep


async def _stay(path):
    path.touch()
    while True:
        try:
            await anyio.sleep(1000)
        except BaseException:
            pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """None."""


class DeafStep(WorkflowStep):
    """Does not hear."""

    name = "deaf"
    options = Options

    async def run(self, call: StepCall) -> None:
        """Stay."""
        import pathlib

        await _stay(pathlib.Path("%s"))


class Deaf(ServiceType):
    """Does not hear."""

    name = "deaf"

    @action()
    async def stay(self, call: Call) -> None:
        """Stay."""
        import pathlib

        await _stay(pathlib.Path("%s"))


@hookimpl
def harness_workflow_steps():
    return [DeafStep]


@hookimpl
def harness_service_types():
    return [Deaf]
'''

_STACK = """
services: {web: {type: process, service_type: deaf, command: [sleep, "1000"]}}
workflows: {w: {steps: [{uses: deaf}]}}
"""


@pytest.mark.timeout(120)
@pytest.mark.parametrize("command", [("workflow", "run", "w"), ("action", "run", "web.stay")])
def test_what_swallows_its_cancellation_does_not_keep_the_daemon_from_ending(
    case: HarnessCase, command: tuple[str, ...]
) -> None:
    begun = case.directory / "begun"
    (case.directory / "deaf_plugin.py").write_text(_PLUGIN.replace("%s", str(begun)))
    case.env |= {"HARNESS_PLUGINS": "deaf_plugin", "PYTHONPATH": str(case.directory)}
    case.write(_STACK)
    case.ok("up", "-q")
    first = case.unit("web")["pid"]
    with case.begun(*command) as running:
        eventually(begun.exists)
        case("daemon", "stop", "--keep-services")
        running.communicate(timeout=30)
    eventually(lambda: case.daemon_pid() is None, within_s=30)
    assert case.unit("web")["pid"] == first
    assert "Ended by force" in case.ok("daemon", "logs")
