"""The third-party distribution in `examples/plugin`: built, installed, used, and tested there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from .harness_case import HarnessCase, eventually

EXAMPLE = Path(__file__).parents[2] / "examples" / "plugin"
TIMEOUT_S = 120

pytestmark = pytest.mark.timeout(TIMEOUT_S)  # the first test builds and installs it


def run(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [*map(str, command)],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the example's wheel, offline, and install it beside the product; give the programs."""
    root = tmp_path_factory.mktemp("plugin")
    source = shutil.copytree(
        EXAMPLE, root / "source", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
    )
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
    offline = ("--no-index", "--no-deps")
    run(
        *pip, "wheel", *offline, "--no-build-isolation", "--wheel-dir", root, source, cwd=root
    )  # fmt: skip
    (wheel,) = root.glob("*.whl")
    environment = root / "venv"
    venv.create(environment, symlinks=True, with_pip=False)
    python = environment / "bin" / "python"
    # The product and what it needs, as they are installed where these tests run.
    there = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=root)
    (Path(there.strip()) / "product.pth").write_text(
        f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
    )
    run(*pip, "--python", python, "install", *offline, wheel, cwd=root)
    program = environment / "bin" / "harness"
    program.write_text(f"#!{python}\nfrom harness.cli import main\nmain()\n")
    program.chmod(0o755)
    return environment / "bin"


class PluginCase(HarnessCase):
    """Runs the `harness` that has the plugin, and has the daemon's Python find it."""

    programs: Path

    def harness(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.programs / "harness"), *arguments],
            cwd=self.directory,
            env={**self.env, "PATH": f"{self.programs}:{self.env['PATH']}"},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )

    def good(self, *arguments: str) -> str:
        done = self.harness(*arguments)
        assert done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture
def plugin(installed: Path, tmp_path: Path) -> Iterator[PluginCase]:
    with PluginCase(tmp_path) as case:
        case.programs = installed
        text = (EXAMPLE / "harness.yaml").read_text()
        (tmp_path / "harness.yaml").write_text(text.replace("forking-example", case.project))
        yield case


def test_it_brings_up_a_stack_and_its_actions(plugin: PluginCase) -> None:
    plugin.good("up")
    assert "harness-forking 0.1.0" in (listed := plugin.good("plugin", "list"))
    assert "executors: forking" in listed
    assert "health checks: talk" in listed
    assert "service types: key-values" in listed
    assert "healthy" in plugin.good("status")
    assert "answered PONG" in plugin.good("health")
    plugin.good("action", "run", "store.fill", '{"values": {"a": "two words"}}')
    assert plugin.good("action", "run", "store.get", "--key", "a").strip() == "two words"
    assert "talk" in plugin.good("config", "schema")
    assert "commands: kv" in listed
    assert "Of harness-forking 0.1.0." in plugin.good("--help")
    plugin.good("kv", "set", "store", "b", "3")
    assert plugin.good("kv", "get", "store", "b", "-p", plugin.project).strip() == "3"
    assert 'did you mean "kv"?' in plugin.harness("k").stderr
    assert "observers: remember" in listed
    eventually(lambda: "starting to running" in plugin.good("action", "run", "history"))
    plugin.good("down")
    assert not plugin.processes()


def test_a_plugin_that_is_away_for_a_while_costs_nothing(plugin: PluginCase) -> None:
    plugin.good("up")
    (store,) = plugin.processes("store")
    plugin.kill_daemon()
    # Another Python of the same product, without the plugin.
    unit = plugin.unit("store")
    assert unit["state"] == "unknown"
    assert unit["message"] == 'no plugin brings the executor "forking"'
    plugin.kill_daemon()
    plugin.good("daemon", "start")
    assert f'"pid": {store.pid}' in plugin.good("status", "--json")
    plugin.kill_daemon()
    refused = plugin("down")
    assert refused.returncode == 1
    assert 'no plugin brings the executor "forking"' in refused.stderr
    assert plugin.processes("store") == [store]
    plugin.kill_daemon()
    # It goes on with what could not be done.
    plugin.good("daemon", "start")
    plugin.good("wait", "store", "--for", "stopped")
    assert not plugin.processes()


def test_its_own_tests_pass_where_it_is_installed(installed: Path) -> None:
    source = installed.parent.parent / "source"
    shutil.rmtree(source / "src", ignore_errors=True)
    pytest_options = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist")
    run(installed / "python", "-m", "pytest", *pytest_options, cwd=source)
