"""Checks the stack that a daemon is about to be started for: a wrong one starts none."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from harness.executors import builtin_capabilities, option_types
from harness.plan import check_capabilities, plan_stack
from harness.protocol import CheckedStack, Source, load_stack

__all__ = ["check_stack"]


def check_stack(value: Mapping[str, Any]) -> CheckedStack:
    """Find out whether a stack can be brought up, as far as its files tell; blocks.

    Args:
        value: a `Source` as JSON values, as `make_source` returns it.

    Raises:
        ConfigError: its files cannot be used.
        PlanError: no order of starting exists, or an executor cannot do what is asked.
    """
    at_s = time.monotonic()
    # Of our own making, so it needs no validation, whose loading would cost a tenth of all.
    lists = {name: tuple(value[name]) for name in ("files", "profiles")}
    source = Source(**{**value, **lists})
    stack = load_stack(source, option_types())
    plan_stack(stack)
    check_capabilities(stack.units, builtin_capabilities())
    return CheckedStack.of(source, stack, at_s=at_s)
