"""A domain's daemon: what it is made of, and what is wrong with it, told at once."""

from __future__ import annotations

import importlib
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import anyio
import pytest

from harness.domain import BaseDaemon
from harness.errors import ConfigSchemaError, HarnessError, PlanError
from harness.plugins import Plugins, manager
from harness.workflows import Uses, Workflow
from tests.toy_plugin import Daemon, Toy

GOOD = "name: shop\nservices:\n  a: {type: fake, service_type: toy}\n"


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Give a function that writes a domain's module and stack, and returns its daemon."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))

    def write_module(stack: str, brings: str = "service_types=[Toy]") -> BaseDaemon:
        monkeypatch.delitem(sys.modules, "own_daemon", raising=False)
        (tmp_path / "own.yaml").write_text(stack)
        (tmp_path / "own_daemon.py").write_text(
            "from harness.domain import BaseDaemon\nfrom harness.workflows import Uses, Workflow\n"
            "from tests.toy_plugin import Daemon, SayNote, Toy\n"
            f"daemon = BaseDaemon('own-shop', at='own_daemon:daemon', stack='own.yaml', {brings})\n"
        )
        daemon = importlib.import_module("own_daemon").daemon
        assert isinstance(daemon, BaseDaemon)
        return daemon

    return write_module


def test_it_knows_where_its_things_are(write, tmp_path: Path, monkeypatch):
    daemon = write(GOOD)
    assert daemon.stack_files == (tmp_path / "own.yaml",)
    assert daemon.endpoint().state_dir == tmp_path / "xdg" / "own-shop"
    monkeypatch.setenv("OWN_SHOP_STATE_DIR", str(tmp_path / "other"))
    assert daemon.endpoint().state_dir == tmp_path / "other"
    assert daemon.plugins == ("own_daemon:daemon",)


def test_what_is_sound_passes(write):
    write(GOOD).validate()


_WRONG = """\
name: shop
services:
  a: {type: fake, service_type: toi, depends_on: [gone]}
  b: {type: fke}
  c: {type: fake, depends_on: [{task: t}]}
tasks:
  t: {type: fake, depends_on: [c]}
  u: {task_type: unheard}
"""


def test_all_that_is_wrong_with_its_stack_is_told_at_once_with_places(write):
    with pytest.raises(ConfigSchemaError) as caught:
        write(_WRONG).validate()
    text = "\n".join(map(str, caught.value.problems))
    assert 'own.yaml:3:33: services.a.service_type: no plugin brings a service type "toi"' in text
    assert 'own.yaml:8:18: tasks.u.task_type: no plugin brings a task type "unheard"' in text
    assert "own.yaml:3:51: services.a.depends_on" in text
    assert "own.yaml:4:13: services.b.type" in text
    assert "c → t → c" in text


@pytest.mark.parametrize(
    ("brings", "cause"),
    [
        ("service_types=[Toy, Toy]", 'the service_type "toy" is there already'),
        ("service_types=[Toy], executors=[Toy]", "is no class of Executor"),
        ("service_types=[Toy], plugins=['no.such']", "No module named 'no'"),
        ("service_types=['tests.toy_plugin:Toi']", "cannot import tests.toy_plugin:Toi: module"),
        ("service_types=[Toy], task_types=['no.such:Task']", "cannot import no.such:Task: No"),
        ("service_types=[Toy, 'tests.toy_plugin:Toy']", 'the service_type "toy" is there already'),
        ("service_types=[Toy], executors=['tests.toy_plugin:Toy']", "is no class of Executor"),
    ],
)
def test_what_it_cannot_bring_is_told(write, brings, cause):
    with pytest.raises(PlanError, match="cannot use") as caught:
        write(GOOD, brings).validate()
    assert cause in str(caught.value)


BY_PLACE = (
    "service_types=['tests.toy_plugin:Toy'], daemon_actions=['tests.toy_plugin:Daemon'],"
    " workflow_steps=['tests.toy_plugin:SayNote'], observers=['tests.watching_plugin:watch'],"
    " workflows=['own_daemon:noted']"
)


def test_what_it_brings_can_be_named_by_its_place(write):
    daemon = write(GOOD, BY_PLACE)
    sys.modules["own_daemon"].noted = Workflow("noted", [Uses("note", {"text": "hello"})])  # type: ignore[attr-defined]
    daemon.validate()
    assert daemon.harness_service_types() == [Toy]
    (own,) = (r for r in Plugins.load(given=daemon.plugins).reports if r.module == daemon.at)
    assert own.brings["service_types"] == ["toy"]
    assert own.brings["daemon_actions"] == [*Daemon.declared()]
    assert own.brings["workflow_steps"] == ["note"]
    assert own.brings["workflows"] == ["noted"]
    assert own.brings["observers"] == ["watch"]


async def test_what_is_not_at_its_place_is_reported_by_the_daemon(write, tmp_path: Path):
    daemon = write(GOOD, "service_types=['no.such:Thing']")
    with anyio.fail_after(15):
        async with daemon.serving(tmp_path / "state") as client:
            (own,) = [p for p in await client.plugins.list() if p["module"] == daemon.at]
            error = "PlanError: cannot import no.such:Thing: No module named 'no'"
            assert (own["error"], own["brings"]) == (error, {})


def test_a_place_that_cannot_be_one_is_refused_at_once():
    with pytest.raises(ValueError, match='"shop" is no place'):
        BaseDaemon("shop", at="a:b", task_types=["shop"])


def test_importing_it_imports_little():
    program = "import sys, harness.domain; print(*(name for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    heavy = {"anyio", "harness.actions", "harness.errors", "importlib.metadata", "pydantic"}
    assert heavy & {*done.stdout.split()} == set()


def test_what_its_types_of_units_cannot_do_is_told(write):
    stack = "name: shop\nservices:\n  a: {type: fake, health_check: {command: ['true']}}\n"
    with pytest.raises(PlanError, match="units of type fake do not support exec"):
        write(stack).validate()


def test_a_broken_plugin_of_somebody_else_concerns_it_not(write, monkeypatch):
    other = EntryPoint("other", "no_such_module", manager.GROUP)
    monkeypatch.setattr(manager, "entry_points", lambda group: [other])
    write(GOOD).validate()


def test_a_state_home_that_is_no_absolute_path_is_ignored(write, tmp_path, monkeypatch):
    daemon = write(GOOD)
    monkeypatch.setenv("XDG_STATE_HOME", "here")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert daemon.state_dir == tmp_path / ".local" / "state" / "own-shop"


@pytest.mark.parametrize("at", ["no_such:daemon", "harness.domain:daemon", "harness.domain:Path"])
def test_a_daemon_that_is_not_where_it_says_is_refused(at):
    with pytest.raises(PlanError, match="cannot use the daemon lost"):
        BaseDaemon("lost", at=at).validate()


@pytest.mark.parametrize(("name", "at"), [("No", "a:b"), ("", "a:b"), ("a", "b"), ("a", "b:c d")])
def test_names_that_cannot_be_are_refused(name, at):
    with pytest.raises(ValueError, match=r"is no (name|place)"):
        BaseDaemon(name, at=at)


async def test_it_serves_its_own_within_a_program(write, tmp_path: Path):
    daemon = write(GOOD, "service_types=[Toy], daemon_actions=[Daemon]")
    with anyio.fail_after(15):
        async with daemon.serving(tmp_path / "state") as client:
            operation = await client.services.up(source=daemon.source({}))
            assert (await client.operations.wait(id=operation["id"]))["state"] == "done"
            found = await client.actions.list(project="shop")
            names = [*Toy.declared(), *Daemon.declared()]
            assert [action["name"] for action in found] == names
            (own,) = [p for p in await client.plugins.list() if p["source"] == "this daemon"]
            assert own["module"] == "own_daemon:daemon"


NOTED = "workflows=[Workflow('noted', [Uses('note', {'text': 'hello'})])]"


async def test_its_workflows_and_their_steps_are_run(write, tmp_path: Path):
    daemon = write(GOOD, f"service_types=[Toy], workflow_steps=[SayNote], {NOTED}")
    daemon.validate()
    with anyio.fail_after(15):
        async with daemon.serving(tmp_path / "state") as client:
            begun = await client.workflows.run(workflow="noted", source=daemon.source({}))
            assert (await client.operations.wait(id=begun["id"]))["state"] == "done"


def test_a_step_of_its_workflows_that_nobody_brings_is_told(write):
    with pytest.raises(ConfigSchemaError, match='no plugin brings a step "note"'):
        write(GOOD, f"service_types=[Toy], {NOTED}").validate()


async def test_what_fails_within_is_raised_as_it_is(write, tmp_path: Path):
    with anyio.fail_after(15), pytest.raises(ZeroDivisionError):
        async with write(GOOD).serving(tmp_path / "state"):
            raise ZeroDivisionError


async def test_a_state_directory_that_cannot_be_is_an_error(write, tmp_path: Path):
    (tmp_path / "file").write_text("")
    with anyio.fail_after(15), pytest.raises(HarnessError):
        async with write(GOOD).serving(tmp_path / "file" / "state"):
            pass
