"""What authors derive from: a class whose marked methods are actions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

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

    One instance belongs to one service, across its restarts.

    Args:
        service: the one it is for.

    Attributes:
        name: what stack files call it.
    """

    name: ClassVar[str]

    def __init__(self, service: Service) -> None:
        self.service = service
