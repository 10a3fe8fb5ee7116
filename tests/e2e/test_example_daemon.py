"""The domain daemon in `examples/daemon`, by its own command."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .harness_case import HarnessCase

EXAMPLE = Path(__file__).parents[2] / "examples" / "daemon"


class ShopCase(HarnessCase):
    """Runs `shop`; its stack is a copy with a project's name of the test's own."""

    def shop(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "shop_daemon", *arguments],
            cwd=self.directory,
            env={**self.env, "PYTHONPATH": str(EXAMPLE / "src")},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def good(self, *arguments: str) -> str:
        done = self.shop(*arguments)
        assert done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture
def case(tmp_path: Path) -> Iterator[ShopCase]:
    # Its own state directory, named by its own variable; the user's is another one.
    with ShopCase(tmp_path, state_dir=tmp_path / "xdg" / "shop") as case:
        del case.env["HARNESS_STATE_DIR"]
        case.env["XDG_STATE_HOME"] = str(tmp_path / "xdg")
        case.env["SHOP_PROJECT"] = case.project
        yield case


def test_its_command_is_bound_to_its_stack_and_its_state(case: ShopCase) -> None:
    assert "shop stop web" in case.good("stop", "--help")
    case.good("validate")
    case.good("up")
    assert case.daemon_pid() is not None
    assert [path.name for path in (case.directory / "xdg").iterdir()] == ["shop"]
    answer = case.good("action", "run", "orders.place", "--item", "tea", "--count", "2")
    assert answer.strip() == "2 of tea at corner"
    listed = [line.split() for line in case.good("plugin", "list").splitlines()]
    assert ["this", "daemon", "shop_daemon:daemon"] in [words[1:4] for words in listed]
    case.good("down")
    assert not case.processes()


def test_the_next_daemon_has_the_same_extensions(case: ShopCase) -> None:
    case.good("up")
    (before,) = case.processes("orders")
    case.kill_daemon()
    assert case.good("action", "run", "sum", "--prices", "[1, 2.5]").strip() == "3.5"
    assert case.processes("orders") == [before]
    case.good("daemon", "stop")
    assert not case.processes()


def test_what_it_says_names_its_own_command(case: ShopCase) -> None:
    refused = case.shop("why", "orders")
    assert refused.stderr.startswith("shop: cannot find")
    assert "harness" not in refused.stderr


def test_its_daemon_runs_in_the_foreground_too(case: ShopCase) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "shop_daemon", "daemon", "run"],
        env={**case.env, "PYTHONPATH": str(EXAMPLE / "src")},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert "ready" in process.stderr.readline()
        assert "sum" in case.good("action", "list")
        process.terminate()
        assert process.wait(timeout=20) == 0


def test_its_own_tests_pass(case: ShopCase) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(EXAMPLE)],
        cwd=EXAMPLE,
        env={**case.env, "PYTHONPATH": str(EXAMPLE / "src")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_init_leaves_its_own_stack_alone(case: ShopCase) -> None:
    del case.env["SHOP_PROJECT"]
    own = next((EXAMPLE / "src").rglob("*.yaml"))
    before = own.read_bytes()
    done = case.shop("init", "--force", "--name", "mine")
    assert "`shop -f harness.yaml up` starts it" in done.stderr
    assert own.read_bytes() == before
    assert "name: mine" in (case.directory / "harness.yaml").read_text()
