"""Checks the stack that a daemon is about to be started for: a wrong one starts none."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from harness.executors import option_types
from harness.plan import check_capabilities, plan_stack
from harness.protocol import CheckedStack, Source, load_stack

from .known_types import KnownTypes

__all__ = ["check_stack"]


def check_stack(value: Mapping[str, Any], plugins: Sequence[str] = ()) -> CheckedStack:
    """Find out whether a stack can be brought up, as far as its files tell; blocks.

    Args:
        value: a `Source` as JSON values, as `make_source` returns it.
        plugins: those that the daemon is started with.

    Raises:
        ConfigError: its files cannot be used.
        PlanError: no order of starting exists, or an executor cannot do what is asked.
    """
    at_s = time.monotonic()
    # Of our own making, so it needs no validation, whose loading would cost a tenth of all.
    lists = {name: tuple(value[name]) for name in ("files", "profiles")}
    source = Source(**{**value, **lists})
    known = KnownTypes(plugins)
    stack = load_stack(source, option_types(), known.find)
    plan_stack(stack)
    check_capabilities(stack.units, known.capabilities())
    return CheckedStack.of(source, stack, at_s=at_s)
