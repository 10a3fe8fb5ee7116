"""Whether what a unit waits for holds; pure functions over what is known of the other unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from harness.model import Condition, Dependency, ServiceState, UnitKind

__all__ = ["Need", "Peer", "judge"]


class Peer(Protocol):
    """What is asked of the unit that is waited for."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def kind(self) -> UnitKind:
        """Service or task."""

    @property
    def state(self) -> ServiceState:
        """Its state."""

    @property
    def is_ready(self) -> bool:
        """It runs and all its checks pass."""

    @property
    def is_completed(self) -> bool:
        """It ended with success, or its completion is remembered."""

    def has_reached(self, stage: str) -> bool:
        """Tell whether this run has reached a named stage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One dependency and how it stands.

    Attributes:
        met: it holds now.
        hopeless: it does not hold, and will not without somebody acting.
    """

    dependency: Dependency
    state: ServiceState
    met: bool
    hopeless: bool


def judge(dependency: Dependency, peer: Peer) -> Need:
    """Judge one dependency against the unit it is on."""
    met = _holds(dependency, peer)
    ended = peer.state in (ServiceState.FAILED, ServiceState.EXITED)
    return Need(dependency=dependency, state=peer.state, met=met, hopeless=ended and not met)


def _holds(dependency: Dependency, peer: Peer) -> bool:
    if peer.kind is UnitKind.TASK and dependency.condition is not Condition.STARTED:
        return peer.is_completed
    match dependency.condition:
        case Condition.STARTED:
            return peer.state is ServiceState.RUNNING or peer.is_completed
        case Condition.COMPLETED:
            return peer.is_completed
        case Condition.HEALTHY:
            if dependency.stage is not None:
                return peer.state is ServiceState.RUNNING and peer.has_reached(dependency.stage)
            return peer.is_ready
