"""What a deployment tells as it happens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ClassVar

__all__ = [
    "ContractConfigured",
    "ContractDeployed",
    "DeploymentEvent",
    "OnEvent",
    "RecordingDiscarded",
    "nothing_told",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractDeployed:
    """A contract can be called; where it has a proxy, that is initialised."""

    is_detail: ClassVar[bool] = True

    name: str
    address: str
    block: int
    """Height of the block that it is in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractConfigured:
    """A contract was set up with one call."""

    is_detail: ClassVar[bool] = True

    name: str
    call: str
    """Function and arguments."""
    block: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingDiscarded:
    """A kept deployment could not be used, and was removed."""

    path: str
    cause: str


DeploymentEvent = ContractDeployed | ContractConfigured | RecordingDiscarded

OnEvent = Callable[[DeploymentEvent], Awaitable[None]]


async def nothing_told(event: DeploymentEvent) -> None:
    """Take an event, and do nothing with it."""
