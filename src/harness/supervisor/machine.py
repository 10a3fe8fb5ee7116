"""The life of one unit as a pure table: state and trigger give the next state and what to do.

No clock, no I/O: `unit.py` decides which trigger a fact is (an exit that the restart policy
answers with another start is another trigger than one that ends the unit) and carries the effects
out. What the table does not list is refused, so that a forgotten case is found and not guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from harness.model import ServiceState

__all__ = ["TABLE", "Effect", "IllegalTransition", "Step", "Trigger", "transition"]


class Trigger(StrEnum):
    """A fact about one unit, already judged by its policies."""

    WANTED = "wanted"
    UNWANTED = "unwanted"
    RESTART = "restart"
    CONDITIONS_MET = "conditions met"
    DEPENDENCY_FAILED = "dependency failed"
    REMEMBERED = "remembered"
    STARTED = "started"
    FAILED_AGAIN = "failed, to be tried again"
    FAILED_FOR_GOOD = "failed for good"
    ENDED_WELL = "ended well"
    UNHEALTHY = "unhealthy"
    EMPTY = "empty"
    STUCK = "stuck"
    RETRY_DUE = "retry due"
    LOST = "lost"
    ADOPTED = "adopted"


class Effect(StrEnum):
    """What `unit.py` does after a transition, in the order listed."""

    AWAIT_CONDITIONS = "await conditions"
    CANCEL_WAITING = "cancel waiting"
    LAUNCH = "launch"
    WATCH = "watch"
    STOP = "stop"
    ARM_RETRY = "arm retry"
    CLEAN_UP = "clean up"


class IllegalTransition(Exception):
    """The table does not list this trigger in this state."""

    def __init__(self, state: ServiceState, trigger: Trigger) -> None:
        super().__init__(f"no transition from {state.value} on {trigger.value}")


@dataclass(frozen=True, slots=True)
class Step:
    """Where a transition leads, and the effects it has."""

    state: ServiceState
    effects: tuple[Effect, ...] = ()


_S = ServiceState
_T = Trigger
_E = Effect

_TO_PENDING = Step(_S.PENDING, (_E.AWAIT_CONDITIONS,))
_TO_STOPPING = Step(_S.STOPPING, (_E.CANCEL_WAITING, _E.STOP))
_TO_BACKOFF = Step(_S.BACKOFF, (_E.CLEAN_UP, _E.ARM_RETRY))
_TO_FAILED = Step(_S.FAILED, (_E.CLEAN_UP,))

TABLE: Mapping[tuple[ServiceState, Trigger], Step] = MappingProxyType(
    {
        # Nothing of the unit exists.
        (_S.STOPPED, _T.WANTED): _TO_PENDING,
        (_S.STOPPED, _T.RESTART): _TO_PENDING,
        (_S.STOPPED, _T.UNWANTED): Step(_S.STOPPED),
        (_S.EXITED, _T.WANTED): _TO_PENDING,
        (_S.EXITED, _T.RESTART): _TO_PENDING,
        (_S.EXITED, _T.UNWANTED): Step(_S.STOPPED),
        (_S.FAILED, _T.WANTED): _TO_PENDING,
        (_S.FAILED, _T.RESTART): _TO_PENDING,
        (_S.FAILED, _T.UNWANTED): Step(_S.STOPPED),
        # Wanted, waits for other units.
        (_S.PENDING, _T.WANTED): _TO_PENDING,
        (_S.PENDING, _T.RESTART): _TO_PENDING,
        (_S.PENDING, _T.UNWANTED): Step(_S.STOPPED, (_E.CANCEL_WAITING,)),
        (_S.PENDING, _T.CONDITIONS_MET): Step(_S.STARTING, (_E.LAUNCH,)),
        (_S.PENDING, _T.DEPENDENCY_FAILED): Step(_S.FAILED, (_E.CANCEL_WAITING,)),
        # Being launched: hooks run, then the executor.
        (_S.STARTING, _T.WANTED): Step(_S.STARTING),
        (_S.STARTING, _T.STARTED): Step(_S.RUNNING, (_E.WATCH,)),
        (_S.STARTING, _T.REMEMBERED): Step(_S.EXITED),
        (_S.STARTING, _T.FAILED_AGAIN): _TO_BACKOFF,
        (_S.STARTING, _T.FAILED_FOR_GOOD): _TO_FAILED,
        (_S.STARTING, _T.UNWANTED): _TO_STOPPING,
        (_S.STARTING, _T.RESTART): _TO_STOPPING,
        # Its main process exists.
        (_S.RUNNING, _T.WANTED): Step(_S.RUNNING),
        (_S.RUNNING, _T.UNWANTED): _TO_STOPPING,
        (_S.RUNNING, _T.RESTART): _TO_STOPPING,
        (_S.RUNNING, _T.UNHEALTHY): _TO_STOPPING,
        (_S.RUNNING, _T.ENDED_WELL): Step(_S.EXITED, (_E.CLEAN_UP,)),
        (_S.RUNNING, _T.FAILED_AGAIN): _TO_BACKOFF,
        (_S.RUNNING, _T.FAILED_FOR_GOOD): _TO_FAILED,
        (_S.RUNNING, _T.LOST): Step(_S.UNKNOWN),
        # Being stopped. Its end is noticed by the stop itself, so exits are no triggers here.
        (_S.STOPPING, _T.WANTED): Step(_S.STOPPING),
        (_S.STOPPING, _T.UNWANTED): Step(_S.STOPPING),
        (_S.STOPPING, _T.RESTART): Step(_S.STOPPING),
        (_S.STOPPING, _T.EMPTY): Step(_S.STOPPED, (_E.CLEAN_UP,)),
        (_S.STOPPING, _T.FAILED_AGAIN): _TO_BACKOFF,
        (_S.STOPPING, _T.FAILED_FOR_GOOD): _TO_FAILED,
        (_S.STOPPING, _T.STUCK): Step(_S.UNKNOWN),
        # Ended, and waits before the next attempt.
        (_S.BACKOFF, _T.WANTED): Step(_S.PENDING, (_E.CANCEL_WAITING, _E.AWAIT_CONDITIONS)),
        (_S.BACKOFF, _T.RESTART): Step(_S.PENDING, (_E.CANCEL_WAITING, _E.AWAIT_CONDITIONS)),
        (_S.BACKOFF, _T.RETRY_DUE): _TO_PENDING,
        (_S.BACKOFF, _T.UNWANTED): Step(_S.STOPPED, (_E.CANCEL_WAITING,)),
        # Contact is lost: another daemon started it, or something survived a stop.
        (_S.UNKNOWN, _T.EMPTY): Step(_S.STOPPED, (_E.CLEAN_UP,)),
        (_S.UNKNOWN, _T.WANTED): _TO_STOPPING,
        (_S.UNKNOWN, _T.UNWANTED): _TO_STOPPING,
        (_S.UNKNOWN, _T.RESTART): _TO_STOPPING,
        (_S.UNKNOWN, _T.ADOPTED): Step(_S.RUNNING, (_E.WATCH,)),
        (_S.UNKNOWN, _T.ENDED_WELL): Step(_S.EXITED, (_E.CLEAN_UP,)),
        (_S.UNKNOWN, _T.FAILED_AGAIN): _TO_BACKOFF,
        (_S.UNKNOWN, _T.FAILED_FOR_GOOD): _TO_FAILED,
    }
)
"""Every transition there is. The state diagram in the documentation is generated from it."""


def transition(state: ServiceState, trigger: Trigger) -> Step:
    """Return the next state and effects.

    Raises:
        IllegalTransition: the table does not list this pair.
    """
    try:
        return TABLE[state, trigger]
    except KeyError:
        raise IllegalTransition(state, trigger) from None
