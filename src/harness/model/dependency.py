"""What one unit waits for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Condition", "Dependency"]


class Condition(StrEnum):
    """What must hold of the other unit. completed: a task (or a service) ended with success."""

    STARTED = "started"
    HEALTHY = "healthy"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """An edge from the unit that has it to the unit `on`.

    Attributes:
        on: name of the service or task waited for.
        condition: what must hold of it.
        stage: the named readiness stage to wait for, or None for the last one; with `healthy` only.
        implicit: made from a `${…}` reference, not written by the user.
        required: False lets the unit start when the other one is not part of the plan.
        restart: restart this unit when the other one restarts.
    """

    on: str
    condition: Condition
    stage: str | None = None
    implicit: bool = False
    required: bool = True
    restart: bool = False
