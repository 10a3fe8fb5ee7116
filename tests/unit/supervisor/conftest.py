"""A supervisor for every test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.supervisor.scene import Scene, scene


@pytest.fixture
async def play(tmp_path: Path) -> AsyncIterator[Scene]:
    """A running supervisor without projects."""
    async with scene(tmp_path) as running:
        yield running
