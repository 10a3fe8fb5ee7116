"""Typed actions; a run belongs to the connection and is cancelled with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.daemon.dispatcher import Handler
from harness.errors import ActionCancelled, InvalidParameters
from harness.model import EventKind, ServiceSpec
from harness.protocol import Empty, Notification, encode

if TYPE_CHECKING:
    from harness.actions import ActionEvent, FoundAction, ListedAction
    from harness.daemon.session import Call
    from harness.daemon.wiring import Wiring
    from harness.protocol import (
        ActionInfo,
        ActionParams,
        ActionResult,
        ActionSummary,
        CancelActionParams,
        ListActionsParams,
        RunActionParams,
    )
    from harness.supervisor import Project

__all__ = ["handlers"]


def handlers(wiring: Wiring) -> dict[str, Handler]:
    """Return the handlers of `actions.*`."""
    doing = _Doing(wiring)
    return {
        "actions.list": doing.list,
        "actions.info": doing.info,
        "actions.run": doing.run,
        "actions.cancel": doing.cancel,
    }


class _Doing:
    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring

    async def list(self, params: ListActionsParams, _: Call) -> list[ActionSummary]:
        from harness.protocol import ActionSummary

        project = self._project(params.project, params.service)
        found = (await self._wiring.extensions.actions()).list(project, params.service)
        return [ActionSummary(**_summary(project, listed)) for listed in found]

    async def info(self, params: ActionParams, _: Call) -> ActionInfo:
        from harness.protocol import ActionInfo

        project, found = await self._find(params)
        action = found.action
        return ActionInfo(
            **_summary(project, found),
            description=action.description,
            parameters=action.parameters_schema(),
            result=action.result_schema(),
            events=action.event_schemas(),
            timeout_s=action.timeout_s,
            columns=action.columns(),
        )

    async def run(self, params: RunActionParams, call: Call) -> ActionResult:
        from harness.actions import run_action
        from harness.protocol import ActionResult

        project, found = await self._find(params)

        async def send(event: ActionEvent) -> None:
            self._publish(project, found, event)
            if params.events and params.run is not None:
                document = {"id": params.run, **event.document()}
                document["data"] = self._wiring.stacks.masked(event.data)
                await call.session.send(encode(Notification("actions.event", document)))

        with call.session.running(params.run) as scope:
            result = await run_action(
                found.doer,
                found.action,
                params.parameters,
                title=found.title,
                send=send,
                timeout_s=params.timeout_s,
            )
        if scope.cancelled_caught:
            raise ActionCancelled(action=found.title)
        # What goes wrong is masked as every error is; authors may pass on what they were given.
        return ActionResult(result=self._wiring.stacks.masked(result))

    async def cancel(self, params: CancelActionParams, call: Call) -> Empty:
        call.session.cancel_run(params.run)
        return Empty()

    async def _find(self, params: ActionParams) -> tuple[Project | None, FoundAction]:
        project = self._project(params.project, params.service)
        actions = await self._wiring.extensions.actions()
        return project, actions.find(project, params.service, params.action)

    def _project(self, name: str | None, service: str | None) -> Project | None:
        if name is None and service is not None:
            raise InvalidParameters("cannot find a service's actions: name its project")
        return self._wiring.stacks.project(name) if name is not None else None

    def _publish(self, project: Project | None, found: FoundAction, event: ActionEvent) -> None:
        data = {"action": found.action.name, **event.document()}
        if project is not None:
            project.context.publish(EventKind.ACTION_EVENT, found.service, **data)
        else:
            self._wiring.bus.publish(EventKind.ACTION_EVENT, data=self._wiring.stacks.masked(data))


def _summary(project: Project | None, listed: ListedAction) -> dict[str, Any]:
    spec = project.unit(listed.service).spec if project and listed.service else None
    return {
        "name": listed.action.name,
        "service": listed.service,
        "service_type": spec.service_type if isinstance(spec, ServiceSpec) else None,
        "summary": listed.action.summary,
    }
