"""The table of methods: everything the daemon can be asked, and everything it says by itself."""

from __future__ import annotations

from typing import Any, NamedTuple

from .daemon import DaemonHello, DaemonStatus, HelloParams, StopDaemonParams
from .events import EventNotification, EventRecord, ListEventsParams, SubscribeParams
from .exec import (
    ExecExit,
    ExecOutput,
    ExecParams,
    ExecRef,
    ExecResizeParams,
    ExecRunParams,
    ExecSignalParams,
    ExecWriteParams,
)
from .health import ListHealthParams, UnitHealth
from .logs import LogChunk, LogEnd, ReadLogsParams
from .operations import OperationParams, OperationRef, OperationStatus, WaitOperationParams
from .params import Empty, NoParams, Params, ProjectParams, UnitParams
from .plan import DiffParams, GraphParams, PlanDiff, PlanGraph
from .projects import ProjectName, ProjectSummary, ResolveParams
from .registry import ListRegistryParams, RegistryEntry
from .services import (
    DownParams,
    EnvParams,
    Explanation,
    SelectionParams,
    ServicesStatus,
    SignalParams,
    UnitDetails,
    UnitsParams,
    UnitUsage,
    UpParams,
    WaitParams,
    WriteParams,
)
from .subscriptions import AckParams, SubscriptionParams, SubscriptionRef
from .tasks import ResetTasksParams, RunTasksParams, TaskStatus

__all__ = ["METHODS", "NOTIFICATIONS", "Method"]


class Method(NamedTuple):
    """One method.

    `params` is a dataclass, `result` a type that `validation` understands; `changes` tells whether
    a call changes anything but its own connection.
    """

    summary: str
    params: type[Params]
    result: Any
    changes: bool


def _reads(summary: str, params: type[Params], result: Any) -> Method:
    return Method(summary, params, result, changes=False)


def _changes(summary: str, params: type[Params], result: Any) -> Method:
    return Method(summary, params, result, changes=True)


METHODS: dict[str, Method] = {
    "rpc.discover": _reads("Describe all methods, as OpenRPC.", NoParams, dict[str, Any]),
    "daemon.hello": _reads("Agree on a protocol version.", HelloParams, DaemonHello),
    "daemon.status": _reads("Tell how the daemon does.", NoParams, DaemonStatus),
    "daemon.stop": _changes("Take every project down, then end.", StopDaemonParams, Empty),
    "projects.list": _reads("List the loaded projects.", NoParams, tuple[ProjectSummary, ...]),
    "projects.resolve": _reads("Name the project of these files.", ResolveParams, ProjectName),
    "services.up": _changes("Bring units up.", UpParams, OperationRef),
    "services.down": _changes("Take a project down.", DownParams, OperationRef),
    "services.start": _changes("Start units.", SelectionParams, OperationRef),
    "services.stop": _changes("Stop units.", SelectionParams, OperationRef),
    "services.restart": _changes("Stop units and start them.", SelectionParams, OperationRef),
    "services.reload": _changes("Send SIGHUP to units.", UnitsParams, Empty),
    "services.signal": _changes("Send a signal to a unit.", SignalParams, Empty),
    "services.status": _reads("Show all units of a project.", ProjectParams, ServicesStatus),
    "services.inspect": _reads("Show everything about a unit.", UnitParams, UnitDetails),
    "services.why": _reads("Explain the state of a unit.", UnitParams, Explanation),
    "services.wait": _reads("Answer when units have reached a state.", WaitParams, Empty),
    "services.env": _reads("Show the environment of a unit.", EnvParams, dict[str, str]),
    "services.write": _changes("Write to the input of a unit.", WriteParams, Empty),
    "services.top": _reads("Show what units use.", ProjectParams, tuple[UnitUsage, ...]),
    "plan.diff": _reads("Show what bringing up would do.", DiffParams, PlanDiff),
    "plan.graph": _reads("Show the graph of a stack.", GraphParams, PlanGraph),
    "logs.read": _reads("Read the output of units.", ReadLogsParams, SubscriptionRef),
    "exec.run": _changes("Run a command beside a unit.", ExecRunParams, ExecRef),
    "exec.write": _changes("Write to the input of a command.", ExecWriteParams, Empty),
    "exec.close_stdin": _changes("End the input of a command.", ExecParams, Empty),
    "exec.signal": _changes("Send a signal to a command.", ExecSignalParams, Empty),
    "exec.resize": _changes("Change the size of a terminal.", ExecResizeParams, Empty),
    "tasks.list": _reads("Show the tasks of a project.", ProjectParams, tuple[TaskStatus, ...]),
    "tasks.run": _changes("Run tasks.", RunTasksParams, OperationRef),
    "tasks.reset": _changes("Forget that tasks have completed.", ResetTasksParams, Empty),
    "events.list": _reads("List stored events.", ListEventsParams, tuple[EventRecord, ...]),
    "events.subscribe": _reads("Follow events.", SubscribeParams, SubscriptionRef),
    "subscriptions.cancel": _reads("End a subscription.", SubscriptionParams, Empty),
    "subscriptions.ack": _reads("Make room in a window.", AckParams, Empty),
    "operations.list": _reads("List operations.", NoParams, tuple[OperationStatus, ...]),
    "operations.get": _reads("Show an operation.", OperationParams, OperationStatus),
    "operations.cancel": _changes("Cancel an operation.", OperationParams, Empty),
    "operations.wait": _reads("Answer when it has ended.", WaitOperationParams, OperationStatus),
    "health.list": _reads("Show what checks found.", ListHealthParams, tuple[UnitHealth, ...]),
    "health.check": _changes("Run the checks of a unit now.", UnitParams, tuple[UnitHealth, ...]),
    "registry.list": _reads(
        "List units of all projects.", ListRegistryParams, tuple[RegistryEntry, ...]
    ),
}
"""Name → method; the order is the one of the documentation."""

NOTIFICATIONS: dict[str, tuple[str, type]] = {
    "events.event": ("One event of a subscription.", EventNotification),
    "logs.chunk": ("A piece of output of a subscription.", LogChunk),
    "logs.end": ("A subscription has no more output to come.", LogEnd),
    "exec.output": ("A piece of a command's output.", ExecOutput),
    "exec.exit": ("A command has ended, and all its output was sent.", ExecExit),
}
"""Name → (summary, params), sent by the daemon to the connection that asked for them."""
