"""Nothing that a test started outlives it, however the test ends."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import sweep

_REAL = ("contract", "e2e", "integration")
"""Folders whose tests start real processes."""


def pytest_configure() -> None:
    """Let SIGTERM, by which CI and `timeout` end a run, do what Ctrl-C does."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture
def swept(tmp_path: Path) -> Iterator[None]:
    """End, after the test, whatever uses its directory still."""
    yield
    sweep(tmp_path)


@pytest.fixture(autouse=True)
def _swept(request: pytest.FixtureRequest) -> None:
    if request.path.parent.name in _REAL:
        request.getfixturevalue("swept")


@pytest.fixture(scope="session", autouse=True)
def _swept_at_the_end(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """End what is left when the whole run ends, also by Ctrl-C in the middle of a test."""
    yield
    sweep(tmp_path_factory.getbasetemp())
