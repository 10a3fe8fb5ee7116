"""What a probe relies on of every health check that a plugin brings, as tests."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, ClassVar

import anyio
import pytest

from harness.commands import Command, run
from harness.config import schema
from harness.health import CheckResult, CheckRunner, HealthCheck
from harness.model import CustomCheck, ExitStatus
from harness.plugins import checked_health_check

__all__ = ["HealthCheckContract", "ProbedUnit"]

_AT_ONCE = 20


class ProbedUnit:
    """A unit on this machine, as a check sees it; it has written `lines`."""

    def __init__(self, lines: tuple[str, ...] = ()) -> None:
        self._lines = lines

    async def run_command(
        self, argv: tuple[str, ...], *, timeout_s: float
    ) -> tuple[ExitStatus, str]:
        """Run a command here."""
        done = await run(Command(argv=argv, timeout_s=timeout_s), check=False)
        return done.status, (done.stdout + done.stderr).decode(errors="replace")

    async def log_lines(self) -> AsyncGenerator[tuple[str, str], None]:
        """Yield the lines; the output goes on for ever."""
        for line in self._lines:
            yield "stdout", line
        await anyio.sleep_forever()


class HealthCheckContract:
    """Subclass it, name the check, and say when it passes and when it fails.

    Attributes:
        health_check: the class under test.
    """

    pytestmark = pytest.mark.anyio

    health_check: ClassVar[type[HealthCheck]]

    # ── what an author says ──────────────────────────────────────────────────────────────────────

    def passing(self, directory: Path) -> AbstractAsyncContextManager[Any]:
        """Return a context in which the options that it gives make the check pass."""
        pytest.fail(f"{type(self).__name__} needs `passing`")

    def failing(self, directory: Path) -> AbstractAsyncContextManager[Any]:
        """Return a context in which the options that it gives make the check fail."""
        pytest.fail(f"{type(self).__name__} needs `failing`")

    def hanging(self, directory: Path) -> AbstractAsyncContextManager[Any] | None:
        """Return a context in which the check gets no answer; None: it never waits."""
        return None

    def unit(self) -> ProbedUnit:
        """Return the unit that is asked about."""
        return ProbedUnit()

    # ── the frame ────────────────────────────────────────────────────────────────────────────────

    @pytest.fixture
    async def passes(self, tmp_path: Path) -> AsyncIterator[Any]:
        """Give options that make it pass."""
        async with self.passing(tmp_path) as options:
            yield options

    @pytest.fixture
    async def fails(self, tmp_path: Path) -> AsyncIterator[Any]:
        """Give options that make it fail."""
        async with self.failing(tmp_path) as options:
            yield options

    async def probe(self, options: Any, *, timeout_s: float = 5.0) -> CheckResult:
        """Try the check once, as a probe does."""
        name = self.health_check.name
        runner = CheckRunner({name: self.health_check()})
        check = CustomCheck(kind=name, options=options)
        return await runner.run(check, context=self.unit(), timeout_s=timeout_s)

    # ── what every check does ────────────────────────────────────────────────────────────────────

    def test_a_plugin_can_bring_it(self) -> None:
        assert checked_health_check(self.health_check, ()) == self.health_check.name

    def test_a_stack_file_can_say_all_its_options(self) -> None:
        made = schema({}, checks={self.health_check.name: self.health_check.options})
        assert json.loads(json.dumps(made)) == made

    async def test_it_passes_and_says_what_it_saw(self, passes: Any) -> None:
        result = await self.probe(passes)
        assert result.ok, result.message
        assert result.message

    async def test_it_fails_and_says_what_it_saw(self, fails: Any) -> None:
        result = await self.probe(fails)
        assert not result.ok
        assert result.message
        assert "is broken" not in result.message, "it raised what it should have answered"

    async def test_many_tries_at_once_do_not_disturb_one_another(self, passes: Any) -> None:
        results: list[CheckResult] = []

        async def once() -> None:
            results.append(await self.probe(passes))

        async with anyio.create_task_group() as tasks:
            for _ in range(_AT_ONCE):
                tasks.start_soon(once)
        assert [result.ok for result in results] == [True] * _AT_ONCE

    async def test_it_is_over_when_its_time_is(self, tmp_path: Path) -> None:
        context = self.hanging(tmp_path)
        if context is None:
            pytest.skip("it never waits")
        with anyio.fail_after(5):
            async with context as options:
                result = await self.probe(options, timeout_s=0.05)
        assert not result.ok
        assert result.message == "no answer within 0.05 s"
