"""What the harness knows of one pytest process: its stacks, the test that runs, what failed.

Made when the first stack is asked for; a suite without any has none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from harness.client import Endpoint
from harness.commands import join
from harness.errors import HarnessError

from .failure import FailedTest, write_bundle
from .run import LiveStack, StackRun
from .stack import Stack

__all__ = ["BUNDLE", "PROJECT", "PytestSession"]

__tracebackhide__ = True  # to pytest: a test's author looks at the test

PROJECT, BUNDLE = "harness_project", "harness_bundle"
"""Properties of a test: its stacks' projects, and the pages that tell of its failures."""


class PytestSession:
    """The stacks of one pytest process and of its current test.

    Args:
        config: of pytest.
        state_dir: of the run's own daemon; None: the user's daemon is used.
        plugins: that the run's own daemon is started with.
        tmp_path_factory: makes directories.
    """

    def __init__(
        self,
        config: pytest.Config,
        *,
        state_dir: Path | None,
        plugins: Sequence[str],
        tmp_path_factory: pytest.TempPathFactory,
    ) -> None:
        self._config = config
        self._directory = tmp_path_factory
        self._item: pytest.Item | None = None
        self._began = datetime.now(UTC)
        self.kept: list[dict[str, str]] = []
        self.run = StackRun(
            endpoint=Endpoint(state_dir) if state_dir else Endpoint.default(),
            is_private=state_dir is not None,
            plugins=plugins,
            worker=_worker(config),
            make_directory=lambda name: tmp_path_factory.mktemp(name, numbered=False),
            on_touch=self.touch,
        )

    # ── tests ────────────────────────────────────────────────────────────────────────────────────

    def begin_test(self, item: pytest.Item, began: datetime) -> None:
        """Take note of the test that is about to run; give it its stacks as they should be."""
        self._item, self._began = item, began
        names = getattr(item, "fixturenames", ())
        wanted = [live for live in self.run.live if live.fixture in names]
        for live in wanted:
            if live.has_base and live.users:
                self.touch(live)
                self.run.restore(live)
        self.run.mark(wanted)

    def touch(self, live: LiveStack) -> None:
        """Take note that the current test uses a stack."""
        if self._item is not None and self._item.nodeid not in live.users:
            if live.fixture not in getattr(self._item, "fixturenames", ()):
                self.run.mark([live])
            live.users.add(self._item.nodeid)
            self._item.user_properties.append((PROJECT, live.stack.project))

    def report(self, item: pytest.Item, report: pytest.TestReport) -> None:
        """Note what became of a phase of a test; where it failed, write what tells why."""
        used = self._used(item)
        if not report.failed or not used:
            return
        for live in used:
            live.failed = True
        projects = [live.stack.project for live in used]
        lines = [f"stack: {self._told(live)}" for live in used]
        try:
            page = self._write_bundle(item, report, projects)
        except (HarnessError, OSError) as error:
            lines.append(f"cannot write the bundle: {type(error).__name__}: {error}")
        else:
            lines.append(f"bundle: {page}")
            item.user_properties.append((BUNDLE, str(page)))
        report.user_properties[:] = item.user_properties
        report.sections.append(("harness", "\n".join(lines)))

    def the_stack(self, request: pytest.FixtureRequest) -> Stack:
        """Return the one stack of a test: the one it has asked for, else the default one.

        Raises:
            pytest.UsageError: it has several.
        """
        stacks = [one for one in _arguments(request.node).values() if isinstance(one, Stack)]
        if len(stacks) > 1:
            raise pytest.UsageError(
                "this test has several stacks: ask one of them, such as shop.wait_for(…)"
            )
        return stacks[0] if stacks else request.getfixturevalue("stack")

    def _used(self, item: pytest.Item) -> list[LiveStack]:
        stacks = [id(one) for one in _arguments(item).values()]
        return [
            live for live in self.run.live if item.nodeid in live.users or id(live.stack) in stacks
        ]

    def _write_bundle(
        self, item: pytest.Item, report: pytest.TestReport, projects: Sequence[str]
    ) -> Path:
        _, line, _ = item.location
        failed = FailedTest(
            id=item.nodeid,
            phase=report.when,
            started_at=self._began,
            duration_s=report.duration,
            file=str(item.path),
            line=(line or 0) + 1,
            traceback=report.longreprtext,
            sections=report.sections,
        )
        chosen = self._config.getoption("harness_bundle")
        directory = (
            self._config.invocation_params.dir / chosen
            if chosen
            else self._directory.getbasetemp() / "harness-bundles"
        )
        return write_bundle(
            directory,
            self.run.client,
            projects,
            failed,
            versions=_versions(self._config),
            log=self.run.endpoint.log_path if self.run.is_private else None,
        )

    # ── ends ─────────────────────────────────────────────────────────────────────────────────────

    def finish(self, live: LiveStack) -> None:
        """End a stack with its fixture, or leave it to whoever wants to look at it."""
        if self._is_kept(live):
            project = live.stack.project
            if self.run.keep(live):
                self.kept.append(
                    {
                        "project": project,
                        "look": self._command(project, "status"),
                        "remove": self._command(project, "down", "--volumes"),
                    }
                )
        else:
            self.run.take_down(live)

    def close(self) -> None:
        """Disconnect; nothing happens when it is done already."""
        self.run.close()

    def _is_kept(self, live: LiveStack) -> bool:
        wish = self._config.getoption("harness_keep")
        return wish == "always" or (wish == "failed" and live.failed)

    def _told(self, live: LiveStack) -> str:
        """Say how to look at a stack; a command for one that goes would start a daemon for it."""
        if self._is_kept(live):
            return self._command(live.stack.project, "status")
        return f"{live.stack.project} (--harness-keep failed leaves it up)"

    def _command(self, project: str, *words: str) -> str:
        command = join(["harness", "-p", project, *words])
        if not self.run.is_private:
            return command
        return f"HARNESS_STATE_DIR={join([str(self.run.endpoint.state_dir)])} {command}"


def _worker(config: pytest.Config) -> str:
    """Return what names this process among those of a run: `gw0` and so on, or `main`."""
    given: Mapping[str, Any] = getattr(config, "workerinput", {})
    return str(given.get("workerid", "main"))


def _arguments(item: object) -> Mapping[str, object]:
    found: Mapping[str, object] | None = getattr(item, "funcargs", None)
    return found or {}


def _versions(config: pytest.Config) -> dict[str, Any]:
    plugins = {
        f"{found.metadata['Name']} {found.version}"
        for _, found in config.pluginmanager.list_plugin_distinfo()
    }
    return {
        "pytest": pytest.__version__,
        "pytest_plugins": sorted(plugins),
        "arguments": [str(word) for word in config.invocation_params.args],
    }
