"""The pytest plugin: options, fixtures and hooks.

Every pytest run of an environment loads this file, also of suites that never bring a stack up: it
imports pytest and nothing else, and everything is done when the first stack is asked for.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Callable, Generator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from harness.testing import Service, Stack, StackDefinition
    from harness.testing.session import PytestSession

__all__: list[str] = []

__tracebackhide__ = True  # to pytest: a test's author looks at the test

_STATE_DIR = pytest.StashKey[Path | None]()
_SESSION = pytest.StashKey["PytestSession"]()
_CURRENT = pytest.StashKey[pytest.Item]()
_BEGAN = pytest.StashKey[datetime]()
_KEPT = pytest.StashKey[list[dict[str, str]]]()

_FROM_CONTROLLER, _TO_CONTROLLER = "harness_state_dir", "harness_kept"


# ── options ──────────────────────────────────────────────────────────────────────────────────────


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("harness", "stacks of services")
    group.addoption(
        "--harness-file",
        action="append",
        metavar="FILE",
        help="stack file of the fixtures stack, module_stack and session_stack; may be repeated, "
        "later ones are laid over earlier ones",
    )
    group.addoption(
        "--harness-profile",
        action="append",
        default=[],
        metavar="NAME",
        help="active profile of these stacks",
    )
    group.addoption(
        "--harness-daemon",
        choices=("private", "user"),
        default="private",
        help="private: a daemon that ends with this run (default); user: the one of your commands",
    )
    group.addoption(
        "--harness-plugin",
        action="append",
        default=[],
        metavar="MODULE[:OBJECT]",
        help="a plugin that the run's own daemon loads beside installed ones, found where the "
        "tests' own modules are; may be repeated",
    )
    group.addoption(
        "--harness-keep",
        choices=("never", "failed", "always"),
        default="never",
        help="leave stacks up at their end, always or where a test has failed",
    )
    group.addoption(
        "--harness-bundle",
        metavar="DIR",
        help="where failed tests leave what tells why (default: among pytest's temporary files)",
    )
    parser.addini("harness_file", "stack files, from the folder of this file", type="args")
    parser.addini("harness_plugin", "plugins, as --harness-plugin names them", type="args")


def pytest_configure(config: pytest.Config) -> None:
    """Name the state directory of the run's own daemon; it is not made before it is needed."""
    config.addinivalue_line(
        "markers",
        "harness_stack(*files, profiles, env, variables, units, timeout_s, isolation): what the "
        "fixtures stack and module_stack are of; paths start at the test's folder",
    )
    config.stash[_KEPT] = []
    config.stash[_STATE_DIR] = _state_dir(config)


def _state_dir(config: pytest.Config) -> Path | None:
    if config.getoption("harness_daemon") == "user":
        if config.getoption("harness_plugin") or config.getini("harness_plugin"):
            raise pytest.UsageError(
                "cannot give plugins to the daemon of your commands: it has those that are "
                "installed and those that HARNESS_PLUGINS named when it started"
            )
        return None
    given: Mapping[str, Any] = getattr(config, "workerinput", {})
    name = f"harness-pytest-{os.getuid()}-{os.getpid()}-{secrets.token_hex(4)}"
    return Path(given.get(_FROM_CONTROLLER) or Path(tempfile.gettempdir(), name))


# ── fixtures ─────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="session")
def harness_run(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> PytestSession:
    """Be what every stack of this process hangs on."""
    from harness.testing.session import PytestSession

    config = request.config
    session = PytestSession(
        config,
        state_dir=config.stash[_STATE_DIR],
        plugins=[*config.getini("harness_plugin"), *config.getoption("harness_plugin")],
        tmp_path_factory=tmp_path_factory,
    )
    config.stash[_SESSION] = session
    _begin_test(session, request.session)
    return session


@pytest.fixture
def stack(request: pytest.FixtureRequest, harness_run: object) -> Stack:
    """A stack of the test's own: of the marker `harness_stack`, of --harness-file, or found."""
    return _provide(request)


@pytest.fixture(scope="module")
def module_stack(request: pytest.FixtureRequest, harness_run: object) -> Stack:
    """A stack that the tests of a module share; where it comes from is as for `stack`."""
    return _provide(request)


@pytest.fixture(scope="session")
def session_stack(request: pytest.FixtureRequest, harness_run: object) -> Stack:
    """A stack that all tests of a process share: of --harness-file, or found."""
    return _provide(request)


@pytest.fixture
def make_stack(request: pytest.FixtureRequest, harness_run: object) -> Callable[..., Stack]:
    """Bring up a stack within a test: `make_stack({"services": …})`, or paths of stack files."""
    from harness.testing.fixtures import define, provide

    def make(*stack: Any, **settings: Any) -> Stack:
        return provide(request, define(*stack, directory=request.path.parent, **settings))

    return make


@pytest.fixture
def service(request: pytest.FixtureRequest, harness_run: PytestSession) -> Callable[[str], Service]:
    """One service of the test's stack: `service("web").url()`."""
    return lambda name: harness_run.the_stack(request)[name]


@pytest.fixture
def action(request: pytest.FixtureRequest, harness_run: PytestSession) -> Callable[..., Any]:
    """Run an action of the test's stack: `action("chain.mine", blocks=3)`."""
    return lambda name, /, **parameters: harness_run.the_stack(request).action(name, **parameters)


@pytest.fixture
def wait_for(request: pytest.FixtureRequest, harness_run: PytestSession) -> Callable[..., None]:
    """Wait for a unit of the test's stack: `wait_for("web", "healthy", timeout_s=10)`."""
    return lambda *args, **settings: harness_run.the_stack(request).wait_for(*args, **settings)


def _provide(request: pytest.FixtureRequest) -> Stack:
    from harness.testing.fixtures import give

    return give(request, _definition(request))


def _definition(request: pytest.FixtureRequest) -> StackDefinition:
    """Say what a default stack is of: the marker, else the option, else the ini file's line."""
    from harness.testing.fixtures import define

    config = request.config
    marker = request.node.get_closest_marker("harness_stack")
    if marker is not None:
        try:
            if request.scope == "function" and marker.kwargs.get("isolation") == "snapshot":
                raise TypeError('isolation="snapshot" is for module_stack, which tests share')
            return define(*marker.args, directory=request.path.parent, **marker.kwargs)
        except TypeError as error:
            raise pytest.UsageError(f"cannot use the marker harness_stack: {error}") from error
    directory, files = config.rootpath, list(config.getini("harness_file"))
    if files and config.inipath is not None:
        directory = config.inipath.parent
    if config.getoption("harness_file"):
        directory, files = config.invocation_params.dir, config.getoption("harness_file")
    return define(*files, directory=directory, profiles=config.getoption("harness_profile"))


# ── tests ────────────────────────────────────────────────────────────────────────────────────────


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Take note of when a test begins; its stacks are made as they should be."""
    item.session.stash[_CURRENT] = item
    item.stash[_BEGAN] = datetime.now(UTC)
    if (session := item.config.stash.get(_SESSION, None)) is not None:
        session.begin_test(item, item.stash[_BEGAN])


def _begin_test(session: PytestSession, of: pytest.Session) -> None:
    """Tell the session of the test for which the first stack is made."""
    item = of.stash.get(_CURRENT, None)
    if item is not None:
        session.begin_test(item, item.stash[_BEGAN])


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Write what tells why a test with a stack has failed, while the stack is there."""
    report = yield
    if (session := item.config.stash.get(_SESSION, None)) is not None:
        session.report(item, report)
    return report


# ── ends ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """After the last fixture: end the run's own daemon, with what killed workers have left."""
    config = session.config
    if (found := config.stash.get(_SESSION, None)) is not None:
        config.stash[_KEPT] += found.kept
        found.close()
    if hasattr(config, "workeroutput"):
        config.workeroutput[_TO_CONTROLLER] = config.stash[_KEPT]
        return
    state_dir = config.stash[_STATE_DIR]
    if state_dir is not None and state_dir.exists():
        from harness.testing.run import end_private_daemon

        end_private_daemon(state_dir)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Disconnect, also where the end of the session was interrupted."""
    if (found := config.stash.get(_SESSION, None)) is not None:
        found.close()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Let a worker of pytest-xdist use the run's daemon."""
    if (state_dir := node.config.stash[_STATE_DIR]) is not None:
        node.workerinput[_FROM_CONTROLLER] = str(state_dir)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a worker has kept."""
    output: Mapping[str, Any] = getattr(node, "workeroutput", None) or {}
    node.config.stash[_KEPT] += output.get(_TO_CONTROLLER, [])


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say where the bundles are, which stacks are up still, and how they are removed."""
    reports = [
        report
        for outcome in ("failed", "error")
        for report in terminalreporter.stats.get(outcome, ())
        if any(name == "harness_bundle" for name, _ in getattr(report, "user_properties", ()))
    ]
    kept = config.stash[_KEPT]
    if not reports and not kept:
        return
    from harness.testing.summary import annotation_lines, bundle_lines, kept_lines, write_summary

    terminalreporter.section("harness")
    for line in [*bundle_lines(reports), *kept_lines(kept)]:
        terminalreporter.write_line(line)
    for line in annotation_lines(reports, root=config.rootpath, env=os.environ):
        terminalreporter.write_line(line)
    write_summary(reports, kept, env=os.environ)
