"""Skips that say why, and that CI can turn into failures."""

from __future__ import annotations

import os

import pytest

__all__ = ["require"]


def require(name: str, present: bool, reason: str) -> None:
    """Skip the test when something it needs is missing.

    With `name` in the comma-separated HARNESS_REQUIRE it fails instead: there it must be present.
    """
    if present:
        return
    if name in os.environ.get("HARNESS_REQUIRE", "").split(","):
        pytest.fail(f"{name} is required here: {reason}")
    pytest.skip(f"needs {name}: {reason}")
