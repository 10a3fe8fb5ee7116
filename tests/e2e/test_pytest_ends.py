"""However a test run ends, nothing of it is left: no process, no state, no socket."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.processes import kill, words

from .harness_case import Begun, eventually
from .pytest_case import PytestCase

pytestmark = pytest.mark.timeout(180)

TWO = """
    from harness.testing import harness_stack

    shared = harness_stack({"name": "shared", "services": {"a": SLEEP}}, scope="session")
    own = harness_stack({"name": "own", "services": {"b": SLEEP}})

    def test_it(shared, own):
        own["b"].exec("sleep", "1000", timeout_s=1000)
"""
SHORT_LEASE = """
    from harness.testing import run

    run.LEASE_S = 2.0
"""
SLOW_DOWN = """
    from harness.testing import harness_stack

    STUBBORN = "trap '' TERM; echo up; while :; do sleep 1; done"
    slow = harness_stack({"services": {"a": {
        "type": "process", "command": ["sh", "-c", STUBBORN], "shutdown_timeout": "4s",
        "health_check": {"log": "up"}}}})

    def test_it(slow):
        slow["a"].exec("sleep", "1000", timeout_s=1000)
"""


@pytest.fixture
def suite(tmp_path: Path) -> PytestCase:
    return PytestCase(tmp_path)


def is_in_test(suite: PytestCase) -> bool:
    """Tell whether the test's own command runs."""
    return any(words(pid) == [b"sleep", b"1000"] for pid in suite.services())


def ended(process: Begun) -> str:
    return process.communicate(timeout=60)[0].decode()


@pytest.mark.parametrize("arguments", [[], ["-n", "1"]], ids=["one process", "xdist"])
def test_ctrl_c_takes_every_stack_down(suite: PytestCase, arguments: list[str]) -> None:
    suite.write("test_it.py", TWO)
    with suite.running(*arguments, services=3) as process:
        suite.interrupt(process)
        text = ended(process)
    assert "KeyboardInterrupt" in text
    suite.assert_clean()


def test_ctrl_c_twice_ends_at_once_and_the_daemon_does_the_rest(suite: PytestCase) -> None:
    suite.write("test_it.py", SLOW_DOWN)
    with suite.running(services=3) as process:
        suite.interrupt(process)
        # Its command beside the service has gone: the stack is being taken down.
        eventually(lambda: not is_in_test(suite))
        suite.interrupt(process)
        ended(process)
        # The service has four seconds, of which the run did not wait for the last.
    suite.assert_clean()


def test_ctrl_c_while_a_stack_comes_up_takes_it_down(suite: PytestCase) -> None:
    suite.write(
        "test_it.py",
        """
        from harness.testing import harness_stack
        slow = harness_stack({"services": {
            "a": {**SLEEP, "health_check": {"log": "never"}}, "b": {**SLEEP, "depends_on": ["a"]}}})

        def test_it(slow): pass
        """,
    )
    with suite.running(services=1) as process:
        suite.interrupt(process)
        text = ended(process)
    assert "KeyboardInterrupt" in text
    suite.assert_clean()


@pytest.mark.parametrize("number", [1, 2])
def test_a_run_that_is_killed_leaves_nothing(suite: PytestCase, number: int) -> None:
    suite.write("conftest.py", SHORT_LEASE)
    suite.write("test_it.py", TWO)
    with suite.running("-n", str(number - 1), services=3) as process:
        kill(process.pid)
    suite.assert_clean()


def test_a_worker_that_is_killed_leaves_nothing(suite: PytestCase) -> None:
    suite.write(
        "test_it.py",
        """
        import os
        import signal
        from harness.testing import harness_stack
        shop = harness_stack({"name": "shop", "services": {"a": SLEEP}}, scope="session")

        def test_dies(shop): os.kill(os.getpid(), signal.SIGKILL)
        def test_goes_on(shop): assert shop["a"].state == "running"
        """,
    )
    done = suite("-n", "1")
    assert "1 failed, 1 passed" in done.stdout
    assert "crashed while running 'test_it.py::test_dies'" in done.stdout
    # Its lease of 30 s is not waited for: the run takes down what it has left.
    assert not suite.services()
    suite.assert_clean()


def test_a_fixture_that_fails_takes_its_stack_down(suite: PytestCase) -> None:
    suite.write(
        "test_it.py",
        """
        import pytest
        from harness.testing import harness_stack
        shop = harness_stack({"name": "shop", "services": {"a": SLEEP}})

        @pytest.fixture
        def before(shop): raise RuntimeError("no")

        @pytest.fixture
        def after(shop):
            yield
            raise RuntimeError("no")

        def test_before(before): pass
        def test_after(after): pass
        def test_nothing_is_there(make_stack):
            assert [one["name"] for one in make_stack({"name": "o", "services": {"b": SLEEP}})
                    .client.projects.list()] == [f"o-main-{__import__('os').getpid()}-3"]
        """,
    )
    done = suite()
    assert "2 passed, 2 errors" in done.stdout, done.stdout
    suite.assert_clean()


def test_the_daemon_that_is_killed_meanwhile_changes_nothing(suite: PytestCase) -> None:
    suite.write(
        "test_it.py",
        """
        import os
        import signal
        from harness.testing import harness_stack
        shop = harness_stack({"name": "shop", "services": {"a": SLEEP}}, scope="session")

        def test_it(shop):
            pid = shop["a"].pid
            os.kill(shop.client.daemon.status()["pid"], signal.SIGKILL)
            assert shop["a"].pid == pid
        """,
    )
    suite.passes()
    suite.assert_clean()


def test_leftovers_of_a_run_are_named_so_that_people_find_them(suite: PytestCase) -> None:
    suite.write("test_it.py", TWO)
    with suite.running(services=3) as process:
        (state_dir,) = suite.state_dirs()
        assert re.fullmatch(rf"harness-pytest-\d+-{process.pid}-[0-9a-f]{{8}}", state_dir.name)
        names = {path.name for path in (state_dir / "projects").iterdir()}
        assert names == {f"shared-main-{process.pid}-1", f"own-main-{process.pid}-2"}
        suite.interrupt(process)
        ended(process)
    suite.assert_clean()
