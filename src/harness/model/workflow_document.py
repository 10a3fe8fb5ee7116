"""A workflow as a stack keeps it; what it means is read when somebody asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["WorkflowDocument"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowDocument:
    """A workflow as it was written: JSON values, checked when the stack was read.

    Attributes:
        places: path of a step, such as `steps[0].then[1]` → `file:line:column`.
    """

    name: str
    document: Mapping[str, Any]
    places: Mapping[str, str] = field(default_factory=dict)
