"""Executors: each keeps one unit existing in one kind of place.

Importing this folder is cheap: an executor's module is loaded when it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from harness.clock import Clock
from harness.lazy import lazy_names

from .absent import AbsentExecutor, ExecutorSet
from .base import (
    OUTPUTS_FILE,
    Capabilities,
    Completion,
    Executor,
    Recovery,
    StartRequest,
    StopReport,
    UnitProcess,
    Usage,
)
from .typed_options import TypedOptions

if TYPE_CHECKING:
    from .typed import TypedExecutor, TypedRun

__all__ = [
    "OUTPUTS_FILE",
    "AbsentExecutor",
    "Capabilities",
    "Completion",
    "Executor",
    "ExecutorSet",
    "Recovery",
    "StartRequest",
    "StopReport",
    "TypedExecutor",
    "TypedOptions",
    "TypedRun",
    "UnitProcess",
    "Usage",
    "builtin_capabilities",
    "builtin_executors",
    "option_types",
]

if not TYPE_CHECKING:
    __getattr__ = lazy_names(__name__, {"TypedExecutor": "typed", "TypedRun": "typed"})


def builtin_executors(*, clock: Clock) -> Mapping[str, Executor]:
    """Return one new executor of each built-in type, by the name stack files use.

    Without the `typed` one, which is made of what plugins bring.
    """
    from .external import ExternalExecutor
    from .fake import FakeExecutor
    from .process import ProcessExecutor

    executors: tuple[Executor, ...] = (
        ProcessExecutor(),
        FakeExecutor(clock=clock),
        ExternalExecutor(),
    )
    return {executor.name: executor for executor in executors}


def builtin_capabilities() -> Mapping[str, frozenset[str]]:
    """Return what each built-in type can do, by the name stack files use."""
    from .external import ExternalExecutor
    from .fake import FakeExecutor
    from .process_options import PROCESS_CAPABILITIES
    from .typed_options import TYPED_CAPABILITIES

    return {
        "process": PROCESS_CAPABILITIES.names,
        "fake": FakeExecutor.capabilities.names,
        "external": ExternalExecutor.capabilities.names,
        "typed": TYPED_CAPABILITIES.names,
    }


def option_types() -> Mapping[str, type]:
    """Return each built-in type's options, by the name stack files use."""
    from .external import ExternalOptions
    from .fake import FakeOptions
    from .process_options import ProcessOptions

    return {
        "process": ProcessOptions,
        "fake": FakeOptions,
        "external": ExternalOptions,
        "typed": TypedOptions,
    }
