"""The pytest plugin, as suites of its users see it."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from .pytest_case import PytestCase, projects

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def suite(tmp_path: Path) -> PytestCase:
    return PytestCase(tmp_path)


STACK_FILE = """\
name: shop
variables: {GREETING: hello}
services:
  app: {type: process, command: "sh -c 'echo ${GREETING} ${NAME:-nobody}; exec sleep 1000'"}
  extra: {type: process, command: sleep 1000, profiles: [more]}
"""


# ── where stacks come from ───────────────────────────────────────────────────────────────────────


def test_the_three_scopes_bring_up_as_many_stacks(suite: PytestCase) -> None:
    suite.write("harness.yaml", STACK_FILE)
    body = """
        def test_1(stack, module_stack, session_stack):
            for one in (stack, module_stack, session_stack):
                print(f"project={one.project}")
                assert one["app"].state == "running"
                assert list(one.status()) == ["app"]

        def test_2(stack, module_stack, session_stack):
            test_1(stack, module_stack, session_stack)
    """
    suite.write("test_a.py", body)
    suite.write("test_b.py", body)
    names = projects(suite.passes("-s"))
    function, module, session = names[0::3], names[1::3], names[2::3]
    assert [len(set(found)) for found in (function, module, session)] == [4, 2, 1]
    assert all(re.fullmatch(r"suite-main-\d+-\d+", name) for name in names)
    suite.assert_clean()


def test_the_stack_file_is_the_options_else_the_ini_files(suite: PytestCase) -> None:
    suite.write("stacks/ini.yaml", STACK_FILE)
    suite.write("option.yaml", STACK_FILE.replace("hello", "bye"))
    suite.write("pytest.ini", "[pytest]\nharness_file = stacks/ini.yaml\n")
    suite.write("test_it.py", "def test_it(stack): print(stack.logs('app'), stack.status().keys())")
    assert "hello nobody" in suite.passes("-s")
    out = suite.passes("-s", "--harness-file", "option.yaml", "--harness-profile", "more")
    assert "bye nobody" in out
    assert "extra" in out


def test_the_marker_names_a_file_beside_the_test_with_what_it_needs(suite: PytestCase) -> None:
    suite.write("deep/other.yaml", STACK_FILE)
    suite.write(
        "deep/test_it.py",
        """
        import pytest

        @pytest.mark.harness_stack(
            "other.yaml", profiles=["more"], env={"NAME": "you"}, variables={"GREETING": "hi"}
        )
        def test_it(stack):
            assert stack.logs("app") == "hi you\\n"
            assert list(stack.status()) == ["app", "extra"]

        @pytest.mark.harness_stack("other.yaml", profile=["more"])
        def test_wrong(stack): pass
        """,
    )
    done = suite("--strict-markers")
    assert "1 passed, 1 error" in done.stdout
    assert "cannot use the marker harness_stack" in done.stdout
    assert "profile" in done.stdout


def test_a_conftest_declares_stacks_of_mappings_and_files(suite: PytestCase) -> None:
    suite.write("stacks/shop.yaml", STACK_FILE)
    suite.write(
        "conftest.py",
        """
        from harness.testing import harness_stack

        shop = harness_stack("stacks/shop.yaml", scope="session")
        other = harness_stack(
            {"name": "other", "services": {"web": WEB, "x": SLEEP}}, units=["web"]
        )
        """,
    )
    suite.write(
        "sub/test_it.py",
        """
        from urllib.request import urlopen

        def test_it(shop, other):
            print(f"project={shop.project} project={other.project}")
            assert shop["app"].state == "running"
            assert urlopen(other["web"].url()).status == 200
            assert other["x"].state == "stopped"

        def test_made(make_stack):
            assert make_stack({"services": {"y": SLEEP}})["y"].pid
        """,
    )
    names = projects(suite.passes("-s"))
    assert [name.split("-")[0] for name in names] == ["shop", "other"]
    suite.assert_clean()


# ── what tests do with them ──────────────────────────────────────────────────────────────────────


DRIVING = """
from urllib.request import urlopen
import anyio
import pytest
from harness.errors import CommandFailed, CommandTimeout, HarnessError, UnknownService, WaitTimeout
from harness.testing import harness_stack

SEED = {"type": "process", "command": ["echo", '{"first": 7}']}
SEED |= {"outputs": {"first": {"json": "first"}}}
shop = harness_stack(
    {"name": "shop", "services": {"web": WEB, "app": SLEEP, "never": {
        **SLEEP, "health_check": {"command": "false", "interval": "50ms"}}},
     "tasks": {"seed": SEED}},
    scope="module", units=["web", "app", "seed"],
)

def test_looking(shop):
    web = shop["web"]
    assert web.url() == web.url("http") == f"http://{web.host()}:{web.port('http')}"
    assert (web.state, web.health) == ("running", "healthy")
    assert urlopen(web.url()).status == 200
    assert "GET / " in web.logs(grep="GET")
    assert "web | " in shop.logs()
    assert shop.outputs("seed") == {"first": 7}
    assert "running and ready" in shop.why("web")

def test_changing(shop, service, wait_for):
    first = shop["app"].pid
    service("app").kill()
    event = shop.wait_for_event(
        "unit-state-changed", unit="app", match=lambda found: found["data"]["new"] == "failed"
    )
    assert event["project"] == shop.project
    service("app").start()
    assert shop["app"].pid != first
    shop["app"].stop()
    wait_for("app", "stopped")
    shop["app"].start()
    shop["app"].restart()
    wait_for("app")

def test_what_was_before_is_old(request):
    shop = request.getfixturevalue("shop")
    with pytest.raises(WaitTimeout):
        shop.wait_for_event("unit-state-changed", unit="app", timeout_s=0.1)
    assert shop.wait_for_event("unit-state-changed", unit="app", after=0)

def test_exec(shop):
    assert shop["app"].exec("sh", "-c", "echo $A", env={"A": "b"}).stdout == "b\\n"
    assert shop["app"].exec("sh", "-c", "exit 3", check=False).exit_code == 3
    with pytest.raises(CommandFailed, match="exit status 4\\nno luck"):
        shop["app"].exec("sh", "-c", "echo no luck >&2; exit 4")
    with pytest.raises(CommandTimeout):
        shop["app"].exec("sleep", "1000", timeout_s=0.2)

def test_errors_explain(shop):
    shop.run(lambda inner: inner.client.services.start(project=shop.project, units=["never"]))
    with pytest.raises(WaitTimeout, match="never is running and not ready") as caught:
        shop.wait_for("never", timeout_s=0.3)
    assert "its probe" in str(caught.value)
    with pytest.raises(WaitTimeout, match="no health-changed of \\"app\\" within"):
        shop.wait_for_event("health-changed", unit="app", timeout_s=0.1)
    with pytest.raises(WaitTimeout, match="unit-state-changed of .* that matches") as caught:
        shop.wait_for_event("unit-state-changed", unit="app", match=lambda e: False, after=0,
                            timeout_s=0.5)
    assert "unit-state-changed of app" in str(caught.value).partition("what came: ")[2]
    with pytest.raises(HarnessError, match="no such events") as caught:
        shop.wait_for_event("health-chnged")
    assert caught.value.__notes__ == ['hint: did you mean "health-changed"?']
    with pytest.raises(UnknownService):
        shop.wait_for_event("health-changed", unit="ap")
    with pytest.raises(UnknownService) as caught:
        shop["wbe"].port()
    assert caught.value.__notes__ == ['hint: did you mean "web"?']
    with pytest.raises(HarnessError, match='"htp" of "web"'):
        shop["web"].url("htp")
    with pytest.raises(HarnessError, match="it names no service"):
        shop.action("mine")

async def test_async(shop):
    async with shop.connect() as inner:
        await inner.wait_for("web")
        status = await inner["web"].status()
        assert await inner["web"].endpoint() == status["endpoints"]["http"]
        with pytest.raises(WaitTimeout), anyio.fail_after(30):
            await inner.wait_for_event("stage-reached", timeout_s=0.1)
"""


def test_a_stack_is_driven_with_and_without_an_event_loop(suite: PytestCase) -> None:
    suite.write("test_it.py", DRIVING)
    suite.passes("-p", "anyio", "-o", "anyio_mode=auto")
    suite.assert_clean()


def test_the_stack_of_helper_fixtures_must_be_clear(suite: PytestCase) -> None:
    suite.write(
        "test_it.py",
        """
        from harness.testing import harness_stack
        a = harness_stack({"services": {"x": SLEEP}})
        b = harness_stack({"services": {"y": SLEEP}})

        def test_one(service, a): assert service("x").pid
        def test_two(a, b, service): service("x")
        """,
    )
    done = suite()
    assert "1 failed, 1 passed" in done.stdout
    assert "this test has several stacks" in done.stdout


CHAIN = """
from dataclasses import dataclass
from harness.actions import Call, ServiceType, action
from harness.errors import ActionError
from harness.plugins import hookimpl
from words import GREETING

@dataclass(frozen=True, kw_only=True)
class Mined:
    \"\"\"A block is there.\"\"\"

    number: int

class Chain(ServiceType):
    \"\"\"Makes blocks.\"\"\"

    name = "chain"

    @action(events=[Mined])
    async def mine(self, call: Call, *, blocks: int = 1) -> dict[str, str]:
        \"\"\"Mine.

        Args:
            blocks: how many.
        \"\"\"
        if blocks < 0:
            raise ActionError("cannot mine backwards", hint="give a number above 0")
        for number in range(blocks):
            await call.emit(Mined(number=number))
        done = await self.service.run("sh", "-c", "echo $0 $NAME", GREETING)
        return {"said": done.stdout.decode().strip()}

@hookimpl
def harness_service_types():
    return [Chain]
"""

ACTING = """
import pytest
from harness.errors import ActionError, ActionNotFound, InvalidParameters
from harness.testing import harness_stack

CHAIN = {**SLEEP, "service_type": "chain", "env": {"NAME": "you"}}
chain = harness_stack({"name": "chain", "services": {"node": CHAIN}}, scope="module")

def test_action(chain, action):
    assert action("node.mine", blocks=2) == {"said": "hello you"}
    mined = chain.wait_for_event(
        "action-event", unit="node", match=lambda e: e["data"]["data"] == {"number": 1}
    )
    assert mined["data"]["action"] == "mine"
    assert chain.action("node.mine") == {"said": "hello you"}

def test_errors(chain):
    for name, parameters, kind, hint in (
        ("node.mien", {}, ActionNotFound, 'did you mean "mine"?'),
        ("node.mine", {"block": 1}, InvalidParameters, "harness action info node.mine"),
        ("node.mine", {"blocks": "x"}, InvalidParameters, "harness action info node.mine"),
        ("node.mine", {"blocks": -1}, ActionError, "give a number above 0"),
    ):
        with pytest.raises(kind) as caught:
            chain.action(name, **parameters)
        assert hint in caught.value.__notes__[0]

async def test_async(chain):
    async with chain.connect() as inner:
        assert await inner.action("node.mine") == {"said": "hello you"}
"""


def test_actions_of_a_plugin_that_the_run_names(suite: PytestCase) -> None:
    # Beside the tests, where pytest finds it and no environment variable says so.
    suite.write("mining.py", CHAIN)
    suite.write("words.py", "GREETING = 'hello'")
    suite.write("test_it.py", ACTING)
    arguments = ("-p", "anyio", "-o", "anyio_mode=auto")
    suite.passes(*arguments, "--harness-plugin", "mining")
    suite.passes(*arguments, "-o", "harness_plugin=mining", "-n", "2")
    suite.assert_clean()


def test_what_a_plugin_did_wrong_is_in_the_bundle(suite: PytestCase) -> None:
    suite.write("mining.py", CHAIN.replace("range(blocks)", "blocks.wrong"))
    suite.write("words.py", "GREETING = 'hello'")
    suite.write("test_it.py", ACTING)
    done = suite("-k", "test_action", "--harness-plugin", "mining")
    assert "cannot finish node.mine: AttributeError" in done.stdout
    (page,) = suite.pages()
    (bundle,) = [json.loads(one.read_text()) for one in page.parent.glob("*.json")]
    assert any("in mine" in line for line in bundle["daemon_log"])
    assert "The daemon's log" in page.read_text()


def test_a_plugin_that_cannot_be_used_fails_the_tests_that_would_have_it(suite: PytestCase) -> None:
    suite.write("test_it.py", "def test_it(make_stack): make_stack({'services': {'x': SLEEP}})")
    done = suite("--harness-plugin", "minning")
    assert "1 failed" in done.stdout
    assert 'cannot use "minning" of --harness-plugin: ModuleNotFoundError' in done.stdout
    suite.assert_clean()
    done = suite("--harness-plugin", "mining", "--harness-daemon", "user")
    assert done.returncode == 4
    assert "cannot give plugins to the daemon of your commands" in done.stdout


def test_a_daemon_that_was_stopped_concerns_only_tests_with_a_stack(suite: PytestCase) -> None:
    suite.write(
        "test_it.py",
        """
        from harness.testing import harness_stack
        shop = harness_stack({"services": {"x": SLEEP}}, scope="module")

        def test_stops_it(shop): shop.client.daemon.stop()
        def test_unrelated(): pass
        """,
    )
    done = suite()
    assert "2 passed, 1 error" in done.stdout, done.stdout
    assert "the daemon has ended" in done.stdout
    assert "client/" not in done.stdout
    suite.assert_clean()


# ── side by side ─────────────────────────────────────────────────────────────────────────────────


def test_workers_of_xdist_share_the_runs_daemon_and_nothing_else(suite: PytestCase) -> None:
    suite.write(
        "test_it.py",
        """
        import os
        import pytest
        from harness.testing import harness_stack
        shop = harness_stack({"name": "shop", "services": {"web": WEB}}, scope="session")

        @pytest.mark.parametrize("number", range(4))
        def test_it(shop, stack_log, number):
            stack_log.write(f"project={shop.project} {shop.state_dir} {shop['web'].port()}\\n")

        @pytest.fixture
        def stack_log(pytestconfig):
            with open(pytestconfig.rootpath / "log", "a") as file:
                yield file
        """,
    )
    suite.passes("-n", "2")
    rows = {tuple(line.split()) for line in (suite.directory / "log").read_text().splitlines()}
    assert len(rows) == 2
    workers, state_dirs, ports = zip(*sorted(rows), strict=True)
    assert [re.sub(r"\d+-\d+$", "", name) for name in workers] == [
        "project=shop-gw0-",
        "project=shop-gw1-",
    ]
    assert (len(set(state_dirs)), len(set(ports))) == (1, 2)
    suite.assert_clean()


def test_the_users_daemon_is_used_where_it_is_wanted_and_lives_on(suite: PytestCase) -> None:
    suite.write("test_it.py", "def test_it(make_stack): make_stack({'services': {'x': SLEEP}})")
    suite.env["HARNESS_STATE_DIR"] = str(suite.home / "state")
    suite.passes("--harness-daemon", "user")
    assert suite.services() == []
    assert (suite.home / "state" / "daemon.sock").exists()
    assert suite.state_dirs() == []


# ── failures ─────────────────────────────────────────────────────────────────────────────────────


FAILING = """
import pytest
from harness.testing import harness_stack

SECRET = {"env": "TOKEN"}
shop = harness_stack(
    {"name": "shop", "secrets": {"token": SECRET}, "services": {
        "web": WEB,
        "app": {"type": "process", "command": "sh -c 'echo \\"<b>loud</b>\\"; exec sleep 1000'",
                "env": {"T": "${secrets.token}"}}}},
    scope="module", env={"TOKEN": "s3cr3t-value"},
)
bad = harness_stack({"name": "bad", "services": {"x": {
    "type": "process", "command": "sh -c 'echo hopeless; exit 3'",
    "health_check": {"command": "false"}}}})

def test_passes(shop): pass

def test_fails(shop):
    print("said by the test")
    shop["app"].stop()
    assert 1 == 2

def test_not_set_up(bad): pass

def test_unrelated(): assert False

@pytest.mark.xfail
def test_expected(shop): assert False
"""


def test_a_failed_test_leaves_a_bundle(suite: PytestCase) -> None:
    suite.write("test_it.py", FAILING)
    done = suite("--harness-bundle", "bundles", "--junitxml", "junit.xml")
    assert "2 failed, 1 passed, 1 xfailed, 1 error" in done.stdout
    assert "HARNESS_STATE_DIR=" not in done.stdout  # what it would show is gone
    folders = sorted((suite.directory / "bundles").iterdir())
    assert len(folders) == 2, done.stdout
    fails = next(one for one in folders if "fails" in one.name)
    bundle = json.loads((fails / "bundle.json").read_text())
    assert bundle["test"]["id"] == "test_it.py::test_fails"
    assert "assert 1 == 2" in bundle["test"]["traceback"]
    assert ["Captured stdout call", "said by the test\n"] in bundle["test"]["sections"]
    (project,) = bundle["projects"]
    assert project["problems"] == []
    assert [unit["state"] for unit in project["services"]] == ["running", "stopped"]
    assert list(project["why"]) == ["app"]
    (process,) = project["processes"]["web"]["tree"]
    assert "-m http.server --bind 127.0.0.1" in process["command"]
    assert "operation-finished" in {event["kind"] for event in project["events"]}
    # The test before this one brought the stack up.
    assert [line["text"] for line in project["logs"] if line["unit"] == "app"] == ["<b>loud</b>"]
    assert {"pytest", "harness", "daemon", "python", "platform"} <= set(bundle["versions"])
    for path in fails.iterdir():
        assert "s3cr3t-value" not in path.read_text()
    page = (fails / "bundle.html").read_text()
    assert "said by the test" in page
    assert not re.search(r"(src|href)=|https?://(?!127\.0\.0\.1)", page)
    suite.assert_clean()


def test_a_page_of_megabytes_of_output_has_the_end_of_them(suite: PytestCase) -> None:
    suite.write(
        "test_it.py",
        """
        from harness.testing import harness_stack
        LOUD = "for _ in range(30_000): print('x' * 1_000)"
        LOUD += "\\nimport time; print('done', flush=True); time.sleep(1_000)"
        loud = harness_stack({"services": {
            "a": {"type": "process", "command": [sys.executable, "-c", LOUD],
                  "health_check": {"log": "^done"}},
            "b": {"type": "process", "command": "sh -c 'echo quiet; exec sleep 1000'"}}})

        def test_it(loud): assert False
        """,
    )
    assert "1 failed" in suite().stdout
    (page,) = suite.pages()
    text = page.read_text()
    assert len(text) < 5_000_000
    assert "a (earlier lines are left out)" in text
    assert re.search(r"<b>a</b> done<", text)
    assert re.search(r"<b>b</b> quiet<", text)


def test_a_stack_that_does_not_come_up_leaves_one_too(suite: PytestCase) -> None:
    suite.write("test_it.py", FAILING)
    done = suite("-k", "not_set_up")
    assert "x is failed: exit status 3" in done.stdout
    assert "last output   hopeless" in done.stdout
    (page,) = suite.pages()
    assert page.parent.name.endswith("-setup")
    assert "hopeless" in page.read_text()
    assert f"bundle of test_it.py::test_not_set_up: {page}" in done.stdout
    suite.assert_clean()


def test_what_a_stack_failed_of_is_told_once(suite: PytestCase) -> None:
    suite.write(
        "test_it.py",
        """
        from harness.testing import harness_stack
        bad = harness_stack({"services": {
            "a": {"type": "process", "command": "sh -c 'echo hopeless; exit 3'",
                  "health_check": {"command": "false"}},
            "b": {**SLEEP, "depends_on": ["a"]}, "c": {**SLEEP, "depends_on": ["b"]}}})
        def test_it(bad): pass
        """,
    )
    done = suite()
    error = done.stdout.partition("ERROR at setup")[2].partition("fixture: bad")[0]
    assert error.count("a is failed: exit status 3") == error.count("hopeless") == 1
    assert "\n  b: because of a\n  c: because of b\n" in error
    assert "lease" not in error


def test_a_stack_file_that_is_wrong_is_told_with_its_places(suite: PytestCase) -> None:
    suite.write("harness.yaml", "name: x\nservices:\n  a: {type: process, comand: sleep 1}\n")
    suite.write("test_it.py", "def test_it(stack): pass")
    done = suite()
    assert "1 error" in done.stdout
    assert "comand" in done.stdout
    assert 'did you mean "command"' in done.stdout
    suite.assert_clean()


def test_what_is_wrong_with_a_stack_is_told_without_what_is_below(suite: PytestCase) -> None:
    suite.write("harness.yaml", STACK_FILE)
    suite.write(
        "test_it.py",
        """
        from harness.testing import harness_stack
        shop = harness_stack("harness.yaml", units=["ap"])

        def test_fixture(shop): pass
        def test_made(make_stack): make_stack("harness.yaml", units=["ap"])
        """,
    )
    done = suite()
    assert "1 failed, 1 error" in done.stdout
    assert done.stdout.count('did you mean "app"?') == 2
    assert "fixture: shop" in done.stdout
    assert "client/" not in done.stdout
    assert "are hidden" not in done.stdout


def test_junit_and_github_are_told(suite: PytestCase) -> None:
    suite.write("test_it.py", FAILING)
    summary = suite.directory / "summary.md"
    suite.env |= {
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKSPACE": str(suite.directory.parent),
        "GITHUB_STEP_SUMMARY": str(summary),
    }
    done = suite("-k", "fails or passes", "--junitxml", "junit.xml", "-n", "1")
    cases = {
        case.get("name"): {found.get("name"): found.get("value") for found in case.iter("property")}
        for case in ET.parse(suite.directory / "junit.xml").iter("testcase")
    }
    (page,) = suite.pages()
    assert set(cases["test_passes"]) == {"harness_project"}
    assert cases["test_fails"]["harness_bundle"] == str(page)
    assert str(cases["test_fails"]["harness_project"]).startswith("shop-gw0-")
    (line,) = [one for one in done.stdout.splitlines() if one.startswith("::error ")]
    assert line.startswith("::error file=suite/test_it.py,line=")
    assert f"%0Abundle: {page}" in line
    assert str(page) in summary.read_text()


def test_a_suite_without_stacks_is_left_alone(suite: PytestCase) -> None:
    suite.write(
        "test_it.py",
        """
        import sys

        def test_it():
            assert not {"anyio", "pydantic", "harness.client"} & set(sys.modules)

        def test_fails():
            assert False
        """,
    )
    done = suite("-p", "no:anyio", "-p", "no:hypothesispytest")
    assert "1 failed, 1 passed" in done.stdout
    assert "harness ==" not in done.stdout
    assert list(suite.tmp.glob("harness*")) == []


# ── keeping ──────────────────────────────────────────────────────────────────────────────────────


KEPT = """
from harness.testing import harness_stack
good = harness_stack({"name": "good", "services": {"x": SLEEP}})
bad = harness_stack({"name": "bad", "services": {"x": SLEEP}})
def test_good(good): pass
def test_bad(bad): assert False
"""


@pytest.mark.parametrize(("wish", "kept"), [("failed", ["bad"]), ("always", ["bad", "good"])])
@pytest.mark.parametrize("workers", ["0", "1"])
def test_a_kept_stack_is_told_and_is_gone_when_it_is_taken_down(
    suite: PytestCase, wish: str, kept: list[str], workers: str
) -> None:
    import subprocess

    suite.write("test_it.py", KEPT)
    done = suite("--harness-keep", wish, "-n", workers)
    assert len(suite.services()) == len(kept)
    assert sorted(re.findall(r"^kept (\w+)-", done.stdout, re.MULTILINE)) == kept
    commands = re.findall(r"^  (?:look at|remove) it: +(.*)$", done.stdout, re.MULTILINE)
    assert len(commands) == 2 * len(kept)
    looks = {command for command in commands if command.endswith(" status")}
    told = set(re.findall(r"^stack: (HARNESS_STATE_DIR=.*)$", done.stdout, re.MULTILINE))
    assert told <= looks
    assert len(told) == 1
    for command in commands:
        subprocess.run(command, shell=True, env=suite.env, check=True, capture_output=True)
    suite.assert_clean()


# ── isolation ────────────────────────────────────────────────────────────────────────────────────


COUNTERS = """
from pathlib import Path
from harness.actions import Call, ServiceType
from harness.plugins import hookimpl

class Counter(ServiceType):
    name = "counter"

    async def snapshot(self, call: Call, directory: Path) -> None:
        await self.service.run("cp", "count", str(directory / "count"))

    async def restore(self, call: Call, directory: Path) -> None:
        await self.service.run("cp", str(directory / "count"), "count")

@hookimpl
def harness_service_types():
    return [Counter]
"""


def test_tests_that_share_a_stack_find_it_as_it_was(suite: PytestCase) -> None:
    suite.write("counters.py", COUNTERS)
    suite.env |= {"PYTHONPATH": str(suite.directory), "HARNESS_PLUGINS": "counters"}
    suite.write(
        "test_it.py",
        """
        import pytest
        from harness.testing import harness_stack

        counter = {"type": "process", "service_type": "counter", "health_check": {"log": "up"}}
        write = "[ -f count ] || echo 1 > count"
        counter["command"] = ["sh", "-c", f"{write}; echo up; exec sleep 1000"]
        shop = harness_stack(
            {"name": "shop", "services": {"c": counter, "x": SLEEP}},
            scope="module", isolation="snapshot",
        )
        none = harness_stack({"services": {"x": SLEEP}}, scope="module", isolation="snapshot")
        fails = {"x": {"type": "process", "command": "sh -c 'exit 3'",
                       "health_check": {"command": "false"}}}
        bad = harness_stack({"services": fails}, scope="module", isolation="snapshot")

        @pytest.mark.parametrize("number", range(3))
        def test_it(shop, number):
            assert shop["c"].exec("cat", "count").stdout == "1\\n"
            assert shop["x"].state == "running"
            shop["c"].exec("sh", "-c", "echo 7 > count")
            shop["x"].stop()

        def test_unrelated(): pass

        @pytest.mark.parametrize("number", range(2))
        def test_nothing_to_restore(none, number): pass

        @pytest.mark.parametrize("number", range(2))
        def test_not_up(bad, number): pass
        """,
    )
    done = suite()
    assert "4 passed, 4 errors" in done.stdout, done.stdout
    # Each is told what the stack failed of, not that it cannot be restored.
    for test, cause in (("nothing_to_restore", "has a type"), ("not_up", "exit status 3")):
        for number in range(2):
            error = done.stdout.partition(f"ERROR at setup of test_{test}[{number}] ")[2]
            assert cause in error.partition("ERROR at setup")[0], done.stdout
    suite.assert_clean()
