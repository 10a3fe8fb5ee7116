"""Executors: each keeps one unit existing in one kind of place.

Importing this folder is cheap: an executor's module is loaded when it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.clock import Clock

from .base import Capabilities, Executor, Recovery, StartRequest, StopReport, Usage

__all__ = [
    "Capabilities",
    "Executor",
    "Recovery",
    "StartRequest",
    "StopReport",
    "Usage",
    "builtin_capabilities",
    "builtin_executors",
    "option_types",
]


def builtin_executors(*, clock: Clock) -> Mapping[str, Executor]:
    """Return one new executor of each built-in type, by the name stack files use."""
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

    return {
        "process": PROCESS_CAPABILITIES.names,
        "fake": FakeExecutor.capabilities.names,
        "external": ExternalExecutor.capabilities.names,
    }


def option_types() -> Mapping[str, type]:
    """Return each built-in type's options, by the name stack files use."""
    from .external import ExternalOptions
    from .fake import FakeOptions
    from .process_options import ProcessOptions

    return {"process": ProcessOptions, "fake": FakeOptions, "external": ExternalOptions}
