from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from harness.plugins import Plugins, manager
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
    }
    assert report.error is None


def test_an_entry_point_is_found(installed):
    installed.append(EntryPoint("toy", "tests.toy_plugin", "harness.plugins"))
    (report,) = Plugins.load({}).reports
    assert (report.name, report.module) == ("toy", "tests.toy_plugin")
    assert report.error is None


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


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("raise RuntimeError('out of order')", "RuntimeError: out of order"),
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("x = (", "SyntaxError"),
        (f"{_HEAD}def harness_servce_types(): return []", "unknown hook 'harness_servce_types'"),
        (f"{_HEAD}def harness_service_types(x): return []", "Argument(s) {'x'}"),
        (f"{_HEAD}def harness_service_types(): return [Toy]", 'service_type "toy" is there'),
        (f"{_HEAD}def harness_daemon_actions(): return [Daemon]", 'action "add" is there'),
        (f"{_HEAD}def harness_service_types(): return [Bad]", "Bad.x has no docstring"),
        (f"{_HEAD}def harness_service_types(): return 3", "TypeError"),
    ],
)
def test_a_broken_plugin_is_reported_and_costs_nothing_else(write, text, cause):
    write("bad_plugin", text)
    plugins = Plugins.load({"HARNESS_PLUGINS": "tests.toy_plugin,bad_plugin"})
    good, bad = plugins.reports
    assert good.error is None
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
