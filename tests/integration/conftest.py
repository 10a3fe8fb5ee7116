"""A state directory of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.protocol import Endpoint


@pytest.fixture
def endpoint(tmp_path: Path) -> Endpoint:
    """Names a daemon that does not run yet."""
    return Endpoint(tmp_path / "state")
