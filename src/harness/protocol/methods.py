"""The table of methods: everything the daemon can be asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

# Through the front door of the folder that this is in: it loads a type when it is asked for, and
# few daemons are asked for everything.
from harness import protocol as t
from harness.access import Role

from .params import Params

__all__ = ["ADMIN_PARAMETERS", "METHODS", "Method"]

Types = Callable[[], tuple[type[Params], Any]]
"""Loads the types of a method's parameters and result."""


class Method(NamedTuple):
    """One method.

    Attributes:
        changes: a call changes something besides its own connection.
        role: what a caller must be, at least.
        only_local: a flag among the parameters that is for callers on the daemon's machine alone,
            whatever their role; empty: none is.
    """

    summary: str
    types: Types
    changes: bool
    role: Role
    only_local: str = ""

    @property
    def params(self) -> type[Params]:
        """Its parameters, a dataclass."""
        return self.types()[0]

    @property
    def result(self) -> Any:
        """Its result, a type that `validation` understands."""
        return self.types()[1]


def _reads(summary: str, types: Types, *, role: Role = Role.VIEWER, only_local: str = "") -> Method:
    return Method(summary, types, changes=False, role=role, only_local=only_local)


def _changes(summary: str, types: Types, *, role: Role = Role.OPERATOR) -> Method:
    return Method(summary, types, changes=True, role=role)


ADMIN_PARAMETERS = ("source", "document", "argv")
"""Whoever names files of the daemon's machine can read them, and run any program through them; and
so can whoever brings a workflow, or runs a command beside a unit."""

METHODS: dict[str, Method] = {
    "rpc.discover": _reads(
        "Describe all methods, as OpenRPC.", lambda: (t.NoParams, dict[str, Any])
    ),
    "daemon.hello": _reads("Agree on a protocol version.", lambda: (t.HelloParams, t.DaemonHello)),
    "daemon.status": _reads("Tell how the daemon does.", lambda: (t.NoParams, t.DaemonStatus)),
    "daemon.stop": _changes(
        "Take every project down, then end.", lambda: (t.StopDaemonParams, t.Empty), role=Role.ADMIN
    ),
    "daemon.listen": _changes(
        "Serve clients of other machines, or no more.",
        lambda: (t.ListenParams, t.Listening),
        role=Role.ADMIN,
    ),
    "tokens.create": _changes(
        "Make a token; the answer is the only place where it stands.",
        lambda: (t.CreateTokenParams, t.NewToken),
        role=Role.ADMIN,
    ),
    "tokens.list": _reads(
        "List tokens, without what is secret.",
        lambda: (t.NoParams, tuple[t.TokenStatus, ...]),
        role=Role.ADMIN,
    ),
    "tokens.revoke": _changes(
        "Forget a token and end its connections.",
        lambda: (t.RevokeTokenParams, t.Empty),
        role=Role.ADMIN,
    ),
    "projects.list": _reads(
        "List the loaded projects.", lambda: (t.NoParams, tuple[t.ProjectSummary, ...])
    ),
    "projects.resolve": _reads(
        "Name the project of these files.", lambda: (t.ResolveParams, t.ProjectName)
    ),
    "services.up": _changes(
        "Bring units up.", lambda: (t.UpParams, t.OperationRef), role=Role.ADMIN
    ),
    "services.down": _changes("Take a project down.", lambda: (t.DownParams, t.OperationRef)),
    "services.start": _changes("Start units.", lambda: (t.SelectionParams, t.OperationRef)),
    "services.stop": _changes("Stop units.", lambda: (t.SelectionParams, t.OperationRef)),
    "services.restart": _changes(
        "Stop units and start them.", lambda: (t.SelectionParams, t.OperationRef)
    ),
    "services.reload": _changes("Send SIGHUP to units.", lambda: (t.UnitsParams, t.Empty)),
    "services.signal": _changes("Send a signal to a unit.", lambda: (t.SignalParams, t.Empty)),
    "services.status": _reads(
        "Show all units of a project.", lambda: (t.ProjectParams, t.ServicesStatus)
    ),
    "services.inspect": _reads(
        "Show everything about a unit.", lambda: (t.UnitParams, t.UnitDetails)
    ),
    "services.why": _reads("Explain the state of a unit.", lambda: (t.UnitParams, t.Explanation)),
    "services.wait": _reads(
        "Answer when units have reached a state.", lambda: (t.WaitParams, t.Empty)
    ),
    "services.env": _reads(
        "Show the environment of a unit.",
        lambda: (t.EnvParams, dict[str, str]),
        only_local="reveal",
    ),
    "services.write": _changes("Write to the input of a unit.", lambda: (t.WriteParams, t.Empty)),
    "services.top": _reads(
        "Show what units use.", lambda: (t.ProjectParams, tuple[t.UnitUsage, ...])
    ),
    "leases.list": _reads(
        "List the leases of all projects.", lambda: (t.NoParams, tuple[t.LeaseStatus, ...])
    ),
    "leases.set": _changes("Give a project a lease.", lambda: (t.SetLeaseParams, t.LeaseStatus)),
    "leases.renew": _changes(
        "Give a lease its whole time anew.", lambda: (t.LeaseParams, t.LeaseStatus)
    ),
    "leases.release": _changes(
        "End a lease; its project lives on.", lambda: (t.LeaseParams, t.Empty)
    ),
    "leftovers.list": _reads(
        "List what nobody will come back for.",
        lambda: (t.ListLeftoversParams, tuple[t.Leftover, ...]),
    ),
    "leftovers.remove": _changes(
        "Remove what nobody will come back for.",
        lambda: (t.RemoveLeftoversParams, tuple[t.Leftover, ...]),
        role=Role.ADMIN,
    ),
    "plan.diff": _reads(
        "Show what bringing up would do.", lambda: (t.DiffParams, t.PlanDiff), role=Role.ADMIN
    ),
    "plan.graph": _reads(
        "Show the graph of a stack.", lambda: (t.GraphParams, t.PlanGraph), role=Role.ADMIN
    ),
    "logs.read": _reads("Read the output of units.", lambda: (t.ReadLogsParams, t.SubscriptionRef)),
    "exec.run": _changes(
        "Run a command beside a unit.", lambda: (t.ExecRunParams, t.ExecRef), role=Role.ADMIN
    ),
    "exec.write": _changes(
        "Write to the input of a command.", lambda: (t.ExecWriteParams, t.Empty), role=Role.ADMIN
    ),
    "exec.close_stdin": _changes(
        "End the input of a command.", lambda: (t.ExecParams, t.Empty), role=Role.ADMIN
    ),
    "exec.signal": _changes(
        "Send a signal to a command.", lambda: (t.ExecSignalParams, t.Empty), role=Role.ADMIN
    ),
    "exec.resize": _changes(
        "Change the size of a terminal.", lambda: (t.ExecResizeParams, t.Empty), role=Role.ADMIN
    ),
    "actions.list": _reads(
        "List typed actions.", lambda: (t.ListActionsParams, tuple[t.ActionSummary, ...])
    ),
    "actions.info": _reads("Describe an action.", lambda: (t.ActionParams, t.ActionInfo)),
    "actions.run": _changes("Run an action.", lambda: (t.RunActionParams, t.ActionResult)),
    "actions.cancel": _changes(
        "Cancel a run of this connection.", lambda: (t.CancelActionParams, t.Empty)
    ),
    "plugins.list": _reads("List the plugins.", lambda: (t.NoParams, tuple[t.PluginStatus, ...])),
    "tasks.list": _reads(
        "Show the tasks of a project.", lambda: (t.ProjectParams, tuple[t.TaskStatus, ...])
    ),
    "tasks.info": _reads("Describe what a task is done with.", lambda: (t.TaskParams, t.TaskInfo)),
    "tasks.run": _changes(
        "Run tasks.", lambda: (t.RunTasksParams, t.OperationRef), role=Role.ADMIN
    ),
    "tasks.reset": _changes(
        "Forget that tasks have completed.", lambda: (t.ResetTasksParams, t.Empty)
    ),
    "snapshots.create": _changes(
        "Take a snapshot of a stack.", lambda: (t.CreateSnapshotParams, t.OperationRef)
    ),
    "snapshots.list": _reads(
        "List the snapshots of a stack.", lambda: (t.ProjectParams, tuple[t.SnapshotInfo, ...])
    ),
    "snapshots.restore": _changes(
        "Take a stack back to a snapshot.", lambda: (t.RestoreSnapshotParams, t.OperationRef)
    ),
    "snapshots.remove": _changes("Remove a snapshot.", lambda: (t.SnapshotParams, t.Empty)),
    "workflows.list": _reads(
        "List workflows.", lambda: (t.ListWorkflowsParams, tuple[t.WorkflowSummary, ...])
    ),
    "workflows.info": _reads("Describe a workflow.", lambda: (t.WorkflowParams, t.WorkflowInfo)),
    "workflows.plan": _reads(
        "Show what a run would do.", lambda: (t.PlanWorkflowParams, t.WorkflowPlan)
    ),
    "workflows.run": _changes(
        "Begin a run of a workflow.", lambda: (t.RunWorkflowParams, t.OperationRef)
    ),
    "workflows.runs": _reads(
        "List runs of workflows.", lambda: (t.WorkflowRunsParams, tuple[t.WorkflowRun, ...])
    ),
    "workflows.trace": _reads(
        "Show a run, step by step.", lambda: (t.WorkflowRunParams, t.WorkflowRunTrace)
    ),
    "events.list": _reads(
        "List stored events.", lambda: (t.ListEventsParams, tuple[t.EventRecord, ...])
    ),
    "events.subscribe": _reads("Follow events.", lambda: (t.SubscribeParams, t.SubscriptionRef)),
    "subscriptions.cancel": _reads("End a subscription.", lambda: (t.SubscriptionParams, t.Empty)),
    "subscriptions.ack": _reads("Make room in a window.", lambda: (t.AckParams, t.Empty)),
    "operations.list": _reads(
        "List operations.", lambda: (t.NoParams, tuple[t.OperationStatus, ...])
    ),
    "operations.get": _reads("Show an operation.", lambda: (t.OperationParams, t.OperationStatus)),
    "operations.cancel": _changes("Cancel an operation.", lambda: (t.OperationParams, t.Empty)),
    "operations.wait": _reads(
        "Answer when it has ended.", lambda: (t.WaitOperationParams, t.OperationStatus)
    ),
    "health.list": _reads(
        "Show what checks found.", lambda: (t.ListHealthParams, tuple[t.UnitHealth, ...])
    ),
    "health.check": _changes(
        "Run the checks of a unit now.", lambda: (t.UnitParams, tuple[t.UnitHealth, ...])
    ),
    "registry.list": _reads(
        "List units of all projects.", lambda: (t.ListRegistryParams, tuple[t.RegistryEntry, ...])
    ),
}
"""Name → method; the order is the one of the documentation."""
