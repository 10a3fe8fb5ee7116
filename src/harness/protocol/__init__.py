"""What daemon and client say to each other: framing, methods, errors, and where they meet.

The types of parameters and results, and everything that needs pydantic, are loaded when first used:
a client that sends one call needs none of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .endpoint import Endpoint, default_state_dir, socket_address
from .failures import INTERNAL_ERROR, error_from_wire, error_kinds, error_to_wire
from .messages import (
    MAX_MESSAGE_BYTES,
    ErrorResponse,
    Message,
    Notification,
    Request,
    Response,
    decode,
    encode,
    too_large,
)
from .version import OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION, check_protocol_version

if TYPE_CHECKING:
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
        Window,
    )
    from .health import ListHealthParams, StageReport, UnitHealth
    from .logs import LogChunk, LogEnd, ReadLogsParams
    from .methods import METHODS, Method
    from .notifications import NOTIFICATIONS
    from .openrpc import OPENRPC_VERSION, openrpc_document
    from .operations import (
        OperationParams,
        OperationRef,
        OperationStatus,
        UnitOutcome,
        WaitOperationParams,
    )
    from .params import Empty, NoParams, Params, ProjectParams, Result, Source, UnitParams
    from .plan import DiffParams, GraphNode, GraphParams, PlanChange, PlanDiff, PlanGraph
    from .projects import ProjectName, ProjectSummary, ResolveParams
    from .registry import ListRegistryParams, RegistryEntry
    from .services import (
        DownParams,
        EnvParams,
        SelectionParams,
        SignalParams,
        UnitsParams,
        UpParams,
        WaitParams,
        WriteParams,
    )
    from .stream import MessageStream, message_pipe
    from .subscriptions import AckParams, SubscriptionFailed, SubscriptionParams, SubscriptionRef
    from .tasks import ResetTasksParams, RunTasksParams, TaskStatus
    from .units import (
        EndpointAddress,
        Explanation,
        Need,
        ProbeReport,
        ProbeTry,
        ServicesStatus,
        UnitDetails,
        UnitStatus,
        UnitUsage,
    )
    from .validation import adapter, parse_params, parse_result

__all__ = [
    "INTERNAL_ERROR",
    "MAX_MESSAGE_BYTES",
    "METHODS",
    "NOTIFICATIONS",
    "OLDEST_PROTOCOL_VERSION",
    "OPENRPC_VERSION",
    "PROTOCOL_VERSION",
    "AckParams",
    "DaemonHello",
    "DaemonStatus",
    "DiffParams",
    "DownParams",
    "Empty",
    "Endpoint",
    "EndpointAddress",
    "EnvParams",
    "ErrorResponse",
    "EventNotification",
    "EventRecord",
    "ExecExit",
    "ExecOutput",
    "ExecParams",
    "ExecRef",
    "ExecResizeParams",
    "ExecRunParams",
    "ExecSignalParams",
    "ExecWriteParams",
    "Explanation",
    "GraphNode",
    "GraphParams",
    "HelloParams",
    "ListEventsParams",
    "ListHealthParams",
    "ListRegistryParams",
    "LogChunk",
    "LogEnd",
    "Message",
    "MessageStream",
    "Method",
    "Need",
    "NoParams",
    "Notification",
    "OperationParams",
    "OperationRef",
    "OperationStatus",
    "Params",
    "PlanChange",
    "PlanDiff",
    "PlanGraph",
    "ProbeReport",
    "ProbeTry",
    "ProjectName",
    "ProjectParams",
    "ProjectSummary",
    "ReadLogsParams",
    "RegistryEntry",
    "Request",
    "ResetTasksParams",
    "ResolveParams",
    "Response",
    "Result",
    "RunTasksParams",
    "SelectionParams",
    "ServicesStatus",
    "SignalParams",
    "Source",
    "StageReport",
    "StopDaemonParams",
    "SubscribeParams",
    "SubscriptionFailed",
    "SubscriptionParams",
    "SubscriptionRef",
    "TaskStatus",
    "UnitDetails",
    "UnitHealth",
    "UnitOutcome",
    "UnitParams",
    "UnitStatus",
    "UnitUsage",
    "UnitsParams",
    "UpParams",
    "WaitOperationParams",
    "WaitParams",
    "Window",
    "WriteParams",
    "adapter",
    "check_protocol_version",
    "decode",
    "default_state_dir",
    "encode",
    "error_from_wire",
    "error_kinds",
    "error_to_wire",
    "message_pipe",
    "openrpc_document",
    "parse_params",
    "parse_result",
    "socket_address",
    "too_large",
]

_LATER = {
    "AckParams": "subscriptions",
    "DaemonHello": "daemon",
    "DaemonStatus": "daemon",
    "DiffParams": "plan",
    "DownParams": "services",
    "Empty": "params",
    "EndpointAddress": "units",
    "EnvParams": "services",
    "EventNotification": "events",
    "EventRecord": "events",
    "ExecExit": "exec",
    "ExecOutput": "exec",
    "ExecParams": "exec",
    "ExecRef": "exec",
    "ExecResizeParams": "exec",
    "ExecRunParams": "exec",
    "ExecSignalParams": "exec",
    "ExecWriteParams": "exec",
    "Explanation": "units",
    "GraphNode": "plan",
    "GraphParams": "plan",
    "HelloParams": "daemon",
    "ListEventsParams": "events",
    "ListHealthParams": "health",
    "ListRegistryParams": "registry",
    "LogChunk": "logs",
    "LogEnd": "logs",
    "METHODS": "methods",
    "MessageStream": "stream",
    "Method": "methods",
    "NOTIFICATIONS": "notifications",
    "Need": "units",
    "NoParams": "params",
    "OPENRPC_VERSION": "openrpc",
    "OperationParams": "operations",
    "OperationRef": "operations",
    "OperationStatus": "operations",
    "Params": "params",
    "PlanChange": "plan",
    "PlanDiff": "plan",
    "PlanGraph": "plan",
    "ProbeReport": "units",
    "ProbeTry": "units",
    "ProjectName": "projects",
    "ProjectParams": "params",
    "ProjectSummary": "projects",
    "ReadLogsParams": "logs",
    "RegistryEntry": "registry",
    "ResetTasksParams": "tasks",
    "ResolveParams": "projects",
    "Result": "params",
    "RunTasksParams": "tasks",
    "SelectionParams": "services",
    "ServicesStatus": "units",
    "SignalParams": "services",
    "Source": "params",
    "StageReport": "health",
    "StopDaemonParams": "daemon",
    "SubscribeParams": "events",
    "SubscriptionParams": "subscriptions",
    "SubscriptionFailed": "subscriptions",
    "SubscriptionRef": "subscriptions",
    "TaskStatus": "tasks",
    "UnitDetails": "units",
    "UnitHealth": "health",
    "UnitOutcome": "operations",
    "UnitParams": "params",
    "UnitStatus": "units",
    "UnitUsage": "units",
    "UnitsParams": "services",
    "UpParams": "services",
    "WaitOperationParams": "operations",
    "WaitParams": "services",
    "Window": "exec",
    "WriteParams": "services",
    "adapter": "validation",
    "message_pipe": "stream",
    "openrpc_document": "openrpc",
    "parse_params": "validation",
    "parse_result": "validation",
}


if not TYPE_CHECKING:  # a type checker would take every name for one that exists

    def __getattr__(name: str) -> Any:
        """Load a name of `_LATER` on first use (PEP 562)."""
        if name not in _LATER:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f".{_LATER[name]}", __name__), name)
        globals()[name] = value
        return value
