"""What a stack file says of a task that a plugin's class does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from .base import Capabilities

__all__ = ["TYPED_CAPABILITIES", "TypedOptions"]

TYPED_CAPABILITIES = Capabilities(services=False, logs=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedOptions:
    """Which class does the task, and with what."""

    has_outputs: ClassVar[bool] = True
    """Its class, and not the stack file, says which outputs it has."""

    task_type: str
    """Name of a task type that a plugin brings."""

    config: Mapping[str, Any] = field(default_factory=dict)
    """Parameters of that type."""
