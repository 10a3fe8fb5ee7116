"""Which actions there are, and the objects that do them: one for each service, and the daemon's."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from harness.errors import ActionNotFound
from harness.model import ServiceSpec
from harness.supervisor import Project

from .action_set import ActionSet, ServiceType
from .call import ActionEvent
from .declaration import Action
from .service import Service
from .setting_up import ServiceSetup
from .snapshotting import ServiceSnapshots

__all__ = ["ActionTypes", "Catalogue", "FoundAction", "ListedAction"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionTypes:
    """What plugins bring.

    Attributes:
        services: by the name that stack files give as `service_type`.
        daemon: whose actions belong to no service.
    """

    services: Mapping[str, type[ServiceType]] = field(default_factory=dict)
    daemon: Sequence[type[ActionSet]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedAction:
    """An action and whose it is: a service's, or with None the daemon's."""

    service: str | None
    action: Action

    @property
    def title(self) -> str:
        """How people call it, such as `chain.mine`."""
        return self.action.name if self.service is None else f"{self.service}.{self.action.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundAction(ListedAction):
    """An action with the object that does it."""

    doer: ActionSet


class Catalogue:
    """Finds actions; makes the objects that do them when they are first needed.

    Args:
        types: what plugins bring.
    """

    def __init__(self, types: ActionTypes) -> None:
        self.types = types
        self._services: dict[tuple[str, str], ServiceType] = {}
        self._daemon: dict[type[ActionSet], ActionSet] = {}

    def list(self, project: Project | None, service: str | None = None) -> list[ListedAction]:
        """Return the actions of one service, or of all and the daemon's.

        Raises:
            ActionNotFound: the named service cannot have any, and why.
        """
        if service is not None and project is not None:
            declared = self._type(project, service).declared().values()
            return [ListedAction(service=service, action=action) for action in declared]
        names = project.units if project is not None else ()
        found = [
            listed
            for name in names
            if project is not None and self._has_actions(project, name)
            for listed in self.list(project, name)
        ]
        daemon = [action for of in self.types.daemon for action in of.declared().values()]
        return [*found, *(ListedAction(service=None, action=action) for action in daemon)]

    def find(self, project: Project | None, service: str | None, name: str) -> FoundAction:
        """Return an action.

        Raises:
            ActionNotFound: there is none of that name.
        """
        if service is not None and project is not None:
            of = self._type(project, service)
            action = of.declared().get(name)
            if action is None:
                raise ActionNotFound.of(name, of.declared(), where=f'"{service}"')
            return FoundAction(service=service, action=action, doer=self._doer(project, service))
        for daemon_set in self.types.daemon:
            action = daemon_set.declared().get(name)
            if action is not None:
                if daemon_set not in self._daemon:
                    self._daemon[daemon_set] = daemon_set()
                return FoundAction(service=None, action=action, doer=self._daemon[daemon_set])
        known = [listed.title for listed in self.list(project)]
        raise ActionNotFound.of(name, known, where="the daemon")

    def setup(
        self,
        project: Project,
        service: str,
        send: Callable[[ActionEvent], Awaitable[None]],
    ) -> ServiceSetup | None:
        """Return how a service is set up; None: its type has nothing to set up.

        Raises:
            ActionNotFound: no plugin brings its type.
        """
        if not self._type(project, service).has_setup():
            return None
        return ServiceSetup(self._doer(project, service), send)

    def snapshots(
        self,
        project: Project,
        service: str,
        send: Callable[[str, ActionEvent], Awaitable[None]],
    ) -> ServiceSnapshots | None:
        """Return how a service takes part in snapshots; None: its type offers nothing.

        Raises:
            ActionNotFound: no plugin brings its type.
        """
        if not self._type(project, service).can_quiesce():
            return None
        return ServiceSnapshots(self._doer(project, service), send)

    async def aclose(self) -> None:
        """Let all objects go; what they raise is logged."""
        doers: list[ActionSet] = [*self._services.values(), *self._daemon.values()]
        self._services.clear()
        self._daemon.clear()
        for doer in doers:
            try:
                await doer.aclose()
            except (Exception, SystemExit):  # an author's code must not keep the daemon from ending
                logger.exception("Cannot close %s", type(doer).__name__)

    def _has_actions(self, project: Project, name: str) -> bool:
        spec = project.unit(name).spec
        return isinstance(spec, ServiceSpec) and spec.service_type in self.types.services

    def _type(self, project: Project, service: str) -> type[ServiceType]:
        spec = project.unit(service).spec
        name = spec.service_type if isinstance(spec, ServiceSpec) else None
        if name is None:
            raise ActionNotFound(
                f'cannot find actions of "{service}": it has no service_type',
                hint="`service_type: NAME` in the stack file links a service with its actions",
            )
        found = self.types.services.get(name)
        if found is None:
            known = ", ".join(self.types.services)
            raise ActionNotFound(
                f'cannot find actions of "{service}": no plugin brings the service_type "{name}"',
                hint=f"known: {known}" if known else "`harness plugin list` shows the plugins",
            )
        return found

    def _doer(self, project: Project, service: str) -> ServiceType:
        of = self._type(project, service)
        doer = self._services.get((project.name, service))
        # Made anew for another type, and for a project that was removed and came again.
        if doer is None or type(doer) is not of or not doer.service.is_of(project):
            doer = of(Service(project, service))
            self._services[(project.name, service)] = doer
        return doer
