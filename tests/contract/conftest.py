"""The executors that the contract suite runs over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from tests.contract.executor_case import ExecutorCase


@pytest.fixture(params=["process", "fake"])
async def case(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ExecutorCase]:
    """One kind of executor; what it started is ended after the test."""
    case = ExecutorCase(kind=request.param, base_dir=tmp_path)
    yield case
    with anyio.fail_after(10):
        for _, handle in case.started:
            await case.executor().stop(handle, stop_signal="SIGKILL", timeout_s=1.0)
