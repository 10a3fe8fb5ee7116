from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from harness.config import ExtraTypes
from harness.plugins import Plugins, manager
from tests.places_plugin import SleeperOptions, ToldOptions
from tests.toy_plugin import Daemon, Furnished, Toy

TOY = {"HARNESS_PLUGINS": "tests.toy_plugin"}


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> list[EntryPoint]:
    """Give the list of entry points that are found; empty at first."""
    found: list[EntryPoint] = []
    monkeypatch.setattr(manager, "entry_points", lambda group: found)
    return found


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Give a function that writes a plugin's module."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write_module(name: str, text: str) -> None:
        monkeypatch.delitem(sys.modules, name, raising=False)
        (tmp_path / f"{name}.py").write_text(text)

    return write_module


def test_without_plugins_there_is_nothing():
    plugins = Plugins.load({})
    assert plugins.reports == []
    assert (plugins.action_types.services, plugins.action_types.daemon) == ({}, [])


def test_a_module_named_by_the_variable_brings_what_its_hooks_return():
    plugins = Plugins.load(TOY)
    assert plugins.action_types.services == {"toy": Toy, "furnished": Furnished}
    assert plugins.action_types.daemon == [Daemon]
    (report,) = plugins.reports
    assert (report.name, report.source) == ("tests.toy_plugin", "HARNESS_PLUGINS")
    assert report.brings == {
        "service_types": ["toy", "furnished"],
        "task_types": ["carve", "note", "ponder"],
        "daemon_actions": ["add"],
        "workflow_steps": ["note"],
        "workflows": ["noted"],
    }
    assert report.error is None


def test_an_entry_point_is_found(installed):
    installed.append(EntryPoint("toy", "tests.toy_plugin", "harness.plugins"))
    (report,) = Plugins.load({}).reports
    assert (report.name, report.module) == ("toy", "tests.toy_plugin")
    assert report.error is None


def test_one_that_is_installed_and_given_is_loaded_once(installed):
    installed.append(EntryPoint("toy", "tests.toy_plugin", "harness.plugins"))
    plugins = Plugins.load(TOY, given=["tests.toy_plugin"])
    assert [(report.name, report.error) for report in plugins.reports] == [("toy", None)]
    assert plugins.action_types.daemon == [Daemon]


def test_executors_and_health_checks_are_brought_too():
    plugins = Plugins.load({}, given=["tests.places_plugin"])
    (report,) = plugins.reports
    assert (report.source, report.error) == ("this daemon", None)
    assert report.brings == {"executors": ["sleeper"], "health_checks": ["told"]}
    assert plugins.option_types == ExtraTypes(
        executors={"sleeper": SleeperOptions},
        checks={"told": ToldOptions},
        service_types=[],
        task_types=[],
        broken=[],
    )


def test_an_object_in_a_module_can_be_a_plugin(write):
    write(
        "object_plugin",
        _HEAD.replace("@hookimpl\n", "")
        + """
class Own:
    @hookimpl
    def harness_service_types(self): return [Toy]
own = Own()
""",
    )
    plugins = Plugins.load({}, given=["object_plugin:own"])
    assert plugins.action_types.services == {"toy": Toy}
    assert plugins.reports[0].module == "object_plugin:own"


_HEAD = """\
from harness.actions import ServiceType, action
from harness.plugins import hookimpl
from tests.toy_plugin import Daemon, Furnished, Toy
class Bad(ServiceType):
    name = "bad"
    @action()
    async def x(self): ...
@hookimpl
"""


_EXECUTOR = """\
from harness.executors import Executor
from harness.executors.process import ProcessExecutor
from harness.plugins import hookimpl
from tests.places_plugin import Sleeper, SleeperOptions, Told
class Own(ProcessExecutor): name, options = "own", None
class Half(Executor): name = "half"
class Named(ProcessExecutor): name = "No Name"
class Plain(ProcessExecutor): name, options, capabilities = "plain", SleeperOptions, ["exec"]
@hookimpl
def harness_executors(): yield """


_WORKFLOW = """\
from harness.plugins import hookimpl
from harness.workflows import Workflow, WorkflowStep
from tests.toy_plugin import Note, SayNote
class Mute(WorkflowStep):
    name = "mute"
    async def run(self, call): ...
class Odd(Mute):
    "Takes what is no dataclass."
    name, options = "odd", dict
class Fine(Mute):
    "Is as it should be."
    name = "fine"
@hookimpl
"""
_STEPS = f"{_WORKFLOW}def harness_workflow_steps(): return "
_BUILT = f"{_WORKFLOW}def harness_workflows(): return "


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (f"{_STEPS}[Mute]", "Mute has no docstring"),
        (f"{_STEPS}[Odd]", "Odd.options is no dataclass"),
        (f"{_STEPS}[Note]", "Note'> is no class of WorkflowStep"),
        (f"{_STEPS}[SayNote]", 'the step "note" is there already'),
        (f"{_STEPS}[Fine, Fine]", 'the step "fine" is there already'),
        (f"{_BUILT}[Workflow('noted')]", 'the workflow "noted" is there already'),
        (f"{_BUILT}[Workflow('w'), Workflow('w')]", 'the workflow "w" is there already'),
        (f"{_HEAD}def harness_transitions(): return [print]", "is no async function"),
        (
            _HEAD.replace("@action()", '@action(name="own")')
            .replace("async def x(self): ...", "async def x(self):\n        'Do.'")
            .replace("ServiceType):", "ActionSet):")
            .replace("import ServiceType,", "import ActionSet,")
            + "def harness_daemon_actions(): return [Bad, Bad]",
            'the action "own" is there already',
        ),
        (
            _HEAD.replace("async def x(self): ...", "async def x(self):\n        'Do.'")
            + "def harness_service_types(): return [Bad, Bad]",
            'the service_type "bad" is there already',
        ),
        ("raise RuntimeError('out of order')", "RuntimeError: out of order"),
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("x = (", "SyntaxError"),
        (f"{_HEAD}def harness_servce_types(): return []", "unknown hook 'harness_servce_types'"),
        (f"{_HEAD}def harness_service_types(x): return []", "Argument(s) {'x'}"),
        (f"{_HEAD}def harness_service_types(): return [Toy]", 'service_type "toy" is there'),
        (f"{_HEAD}def harness_daemon_actions(): return [Daemon]", 'action "add" is there'),
        (f"{_HEAD}def harness_service_types(): return [Bad]", "Bad.x has no docstring"),
        (f"{_HEAD}def harness_service_types(): return 3", "TypeError"),
        (f"{_EXECUTOR}Own", "Own.options is no dataclass"),
        (f"{_EXECUTOR}Own()", "is no class of Executor"),
        (f"{_EXECUTOR}Sleeper", 'executor "sleeper" is there'),
        (f"{_EXECUTOR}ProcessExecutor", 'executor "process" is there'),
        (f"{_EXECUTOR}Half", "Half lacks recover, start, stop, wait"),
        (f"{_EXECUTOR}Named", "Named.name is no name"),
        (f"{_EXECUTOR}Plain", "Plain.capabilities is no Capabilities"),
        (
            _EXECUTOR.replace("harness_executors", "harness_health_checks") + "Told",
            'check "told" is there',
        ),
    ],
)
def test_a_broken_plugin_is_reported_and_costs_nothing_else(write, text, cause):
    write("bad_plugin", text)
    good_ones = "tests.toy_plugin,tests.places_plugin"
    plugins = Plugins.load({"HARNESS_PLUGINS": f"{good_ones},bad_plugin"})
    *good, bad = plugins.reports
    assert [report.error for report in good] == [None, None]
    assert bad.error is not None
    assert cause in bad.error
    assert bad.brings == {}
    assert plugins.action_types.services == {"toy": Toy, "furnished": Furnished}
    assert plugins.action_types.daemon == [Daemon]


def test_a_broken_plugin_does_not_speak_again_through_a_later_one(write):
    write("bad_plugin", "from harness.plugins import hookimpl\n@hookimpl\n"
          "def harness_service_types(): raise ValueError('no')")  # fmt: skip
    plugins = Plugins.load({"HARNESS_PLUGINS": "bad_plugin, tests.toy_plugin,"})
    assert [report.error for report in plugins.reports] == ["ValueError: no", None]
    assert plugins.action_types.services == {"toy": Toy, "furnished": Furnished}
