"""A client's stack files, read by the daemon; or before there is one, to know whether to start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.config import Source as StackSource
from harness.config import load
from harness.config import prepare as prepare_config
from harness.executors import builtin_capabilities, option_types
from harness.model import StackSpec
from harness.plan import check_capabilities, plan_stack
from harness.protocol import METHODS, Source, adapter, parse_params

__all__ = ["check_source", "load_stack", "prepare"]

_FIRST_METHODS = ("daemon.hello", "services.up", "events.subscribe", "operations.wait")


def load_stack(source: Source, executors: Mapping[str, type]) -> StackSpec:
    """Read stack files; blocks.

    Args:
        source: as the client sent it.
        executors: executor name → type of its options.

    Raises:
        ConfigError: they cannot be used.
    """
    found = StackSource(
        directory=source.directory,
        files=source.files,
        project=source.project,
        profiles=source.profiles,
        env=source.env,
    )
    return load(found, executors=executors)


def prepare() -> None:
    """Load what the first client that brings a stack up would wait for; blocks."""
    prepare_config(option_types())
    for name in _FIRST_METHODS:
        adapter(METHODS[name].params)


def check_source(value: Mapping[str, Any]) -> None:
    """Find out whether a stack can be brought up, as far as its files tell; blocks.

    Args:
        value: a `Source` as JSON values.

    Raises:
        ConfigError: its files cannot be used.
        PlanError: no order of starting exists, or an executor cannot do what is asked.
        InvalidParameters: it is no source.
    """
    stack = load_stack(parse_params(Source, value, method="services.up"), option_types())
    plan_stack(stack)
    check_capabilities(stack.units, builtin_capabilities())
