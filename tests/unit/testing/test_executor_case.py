"""The place for units of an executor under test."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.clock import SystemClock
from harness.executors.fake import FakeExecutor, FakeOptions
from harness.testing import ExecutorCase, executor_case


async def test_a_unit_that_never_says_that_it_is_ready_fails_its_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor_case, "_READY_S", 0.05)
    case = ExecutorCase(executor=lambda: FakeExecutor(clock=SystemClock()), base_dir=tmp_path)
    options = FakeOptions(output=(f"nobody writes to {executor_case.READY}",))
    with pytest.raises(TimeoutError):
        await case.start(options)
    ((_, handle),) = case.started
    await case.executor().stop(handle, stop_signal="SIGKILL", timeout_s=1.0)
