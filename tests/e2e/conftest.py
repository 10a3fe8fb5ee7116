"""The program as its user runs it, in a directory of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .harness_case import HarnessCase


@pytest.fixture
def case(tmp_path: Path) -> Iterator[HarnessCase]:
    """One stack in one directory; nothing of it is left after the test."""
    with HarnessCase(tmp_path) as case:
        yield case
