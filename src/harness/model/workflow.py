"""Workflows: steps that one run of them does in order, side by side, again, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Parameter", "Retry", "Step", "Workflow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """What a run is given.

    Attributes:
        type: string, path, paths, integer, number, duration, boolean, list or object.
        default: a JSON value, when it is not required.
        choices: the only values that it may have; empty: any.
    """

    name: str
    type: str
    required: bool = True
    default: Any = None
    description: str | None = None
    choices: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often a step is tried, and how long it rests in between.

    Attributes:
        attempts: at most so many, the first one included.
        delay_s: before the second attempt.
        factor: each later delay is this many times the one before.
        max_delay_s: the longest delay.
    """

    attempts: int = 1
    delay_s: float = 1.0
    factor: float = 2.0
    max_delay_s: float = 60.0

    def delay_after_s(self, attempt: int) -> float:
        """Return how long to rest after that many attempts."""
        return min(self.max_delay_s, self.delay_s * self.factor ** (attempt - 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step.

    Attributes:
        path: unique in the workflow: names and places of what it is in, such as `deploy/2-exec`.
        kind: `sequence`, `parallel`, `if` and `for_each` hold steps; others do something.
        name: what `${steps.NAME…}` calls it.
        options: as written; texts may hold `${…}`. Of a `parallel` and a `for_each`: `max`, of
            the latter also `items` and `name`; of an `if`: `condition`.
        body: steps in it: in order, side by side, for each item, or when the condition holds.
        otherwise: steps of an `if` whose condition does not hold.
        when: it is skipped unless this expression is true.
        timeout_s: for one attempt.
        compensate: steps that undo it, once it is done and a later one has failed.
        place: `file:line:column`, if it is of a file.
    """

    path: str
    kind: str
    name: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    body: tuple[Step, ...] = ()
    otherwise: tuple[Step, ...] = ()
    when: str | None = None
    retry: Retry = field(default_factory=Retry)
    timeout_s: float | None = None
    compensate: tuple[Step, ...] = ()
    place: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """Steps with the parameters that they need.

    Attributes:
        variables: initial values of `${vars.NAME}`, JSON values whose texts may hold `${…}`.
        finally_: steps that run at the end, however that comes.
        timeout_s: for the steps together; None: no limit.
        cleanup_timeout_s: for compensation and `finally_`, each.
    """

    name: str
    description: str | None = None
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    finally_: tuple[Step, ...] = ()
    timeout_s: float | None = None
    cleanup_timeout_s: float = 60.0
