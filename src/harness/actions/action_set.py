"""What authors derive from: a class whose marked methods are actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from .call import Call
from .declaration import Action, declared_actions
from .service import Service

__all__ = ["ActionSet", "ServiceType"]


class ActionSet:
    """Actions for a whole daemon, such as scenarios over several services.

    One instance lives as long as the daemon, and is made when it is first needed.
    """

    _declared: ClassVar[Mapping[str, Action]]

    @classmethod
    def declared(cls) -> Mapping[str, Action]:
        """Return its actions, by name, in the order of their definition.

        Raises:
            TypeError: a declaration is not complete.
        """
        found = cls.__dict__.get("_declared")
        if found is None:
            found = cls._declared = declared_actions(cls)
        return found

    async def aclose(self) -> None:
        """Let go of what it holds, such as connections."""


class ServiceType(ActionSet):
    """Actions for each service whose `service_type` in the stack file is the name of this.

    One instance belongs to one service, across its restarts. A type may set its services up: when
    one runs and its checks pass, it is asked whether it is set up, set up if it is not, asked again
    and validated. Only then it is ready. What is asked is never remembered.

    A type that can snapshot and restore its services makes them part of their stack's snapshots.
    Meanwhile all parts are quiesced, and services of types that can only quiesce, too. A service
    that keeps in memory what another one stores is stopped instead, and started afterwards.

    Args:
        service: the one it is for.

    Attributes:
        name: what stack files call it.
        setup_timeout_s: how long one attempt to set up may take.
        setup_retries: how often a failed attempt is made again, before the service has failed.
        setup_events: dataclasses that setting up may tell.
        stops_for_snapshots: its services are stopped while snapshots are taken and restored, and
            `quiesce` and `resume` are not asked.
        quiesce_timeout_s: how long `quiesce` may take; the others likewise.
        snapshot_events: dataclasses that these four may tell.
    """

    name: ClassVar[str]
    setup_timeout_s: ClassVar[float] = 300.0
    setup_retries: ClassVar[int] = 2
    setup_events: ClassVar[Sequence[type]] = ()
    stops_for_snapshots: ClassVar[bool] = False
    quiesce_timeout_s: ClassVar[float] = 60.0
    resume_timeout_s: ClassVar[float] = 60.0
    snapshot_timeout_s: ClassVar[float] = 600.0
    restore_timeout_s: ClassVar[float] = 600.0
    snapshot_events: ClassVar[Sequence[type]] = ()

    def __init__(self, service: Service) -> None:
        self.service = service

    async def is_set_up(self) -> bool:
        """Tell whether nothing is left to set up; asked after every start."""
        return True

    async def set_up(self, call: Call) -> None:
        """Set the service up; what is done already stays. It may be cancelled and begun again."""

    async def validate(self) -> None:
        """Look whether the service can be used; raise an ActionError with the cause if not."""

    async def quiesce(self, call: Call) -> None:
        """Change nothing from now on: finish what was begun, refuse or hold back what comes."""

    async def resume(self, call: Call) -> None:
        """Go on; also when it was not quiesced, or only half."""

    async def snapshot(self, call: Call, directory: Path) -> None:
        """Write the state into an empty directory; it is quiesced."""

    async def restore(self, call: Call, directory: Path) -> None:
        """Take the state that `snapshot` wrote, in place of the present one; it is quiesced."""

    @classmethod
    def has_snapshots(cls) -> bool:
        """Tell whether its services can be part of a snapshot."""
        return _overrides(cls, "snapshot") and _overrides(cls, "restore")

    @classmethod
    def can_quiesce(cls) -> bool:
        """Tell whether its services take part in snapshots, if only by keeping still."""
        return cls.has_snapshots() or cls.stops_for_snapshots or _overrides(cls, "quiesce")

    @classmethod
    def has_setup(cls) -> bool:
        """Tell whether there is anything to ask."""
        return any(_overrides(cls, name) for name in ("is_set_up", "set_up", "validate"))


def _overrides(of: type[ServiceType], name: str) -> bool:
    return getattr(of, name) is not getattr(ServiceType, name)
