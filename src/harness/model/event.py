"""Facts about what happened, numbered and stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

__all__ = ["Event", "EventKind"]


class EventKind(StrEnum):
    """What happened, in the past tense; the comment names the keys of `Event.data`."""

    UNIT_STATE_CHANGED = "unit-state-changed"  # old, new, reason, pid, exit, ready
    UNIT_ADOPTED = "unit-adopted"  # pid
    HEALTH_CHANGED = "health-changed"  # old, new, message, ready
    PROBE_FINISHED = "probe-finished"  # stage, ok, latency_ms, message
    SETUP_CHANGED = "setup-changed"  # old, new, message, ready
    STAGE_REACHED = "stage-reached"  # stage, after_s
    HOOK_FINISHED = "hook-finished"  # moment, ok, message, output
    TASK_COMPLETED = "task-completed"  # outputs, skipped
    ACTION_EVENT = "action-event"  # action, name, data, detail; run and step
    LOGS_DROPPED = "logs-dropped"  # stream, bytes, cause
    SURVIVOR_FOUND = "survivor-found"  # command or message
    CRASH_LOOP_DETECTED = "crash-loop-detected"  # attempts
    PORT_ASSIGNED = "port-assigned"  # name, port
    OPERATION_STARTED = "operation-started"  # id, verb, units
    OPERATION_FINISHED = "operation-finished"  # id, verb, outcome, message
    WORKFLOW_STARTED = "workflow-started"  # run, workflow
    WORKFLOW_FINISHED = "workflow-finished"  # run, workflow, outcome, message
    WORKFLOW_STEP_STARTED = "workflow-step-started"  # run, step, step_kind, attempt, compensates
    WORKFLOW_STEP_FINISHED = (
        "workflow-step-finished"  # run, step, step_kind, state, message, compensates
    )
    PROJECT_ADDED = "project-added"
    PROJECT_REMOVED = "project-removed"
    UNIT_QUIESCED = "unit-quiesced"
    UNIT_RESUMED = "unit-resumed"
    SNAPSHOT_CREATED = "snapshot-created"  # name, parts
    SNAPSHOT_RESTORED = "snapshot-restored"  # name, parts
    SNAPSHOT_REMOVED = "snapshot-removed"  # name
    LEASE_GRANTED = "lease-granted"  # lease, owner, ttl_s
    LEASE_RELEASED = "lease-released"  # lease, owner, cause
    LEASE_EXPIRED = "lease-expired"  # lease, owner, ttl_s
    DAEMON_STARTED = "daemon-started"  # pid, version
    DAEMON_STOPPED = "daemon-stopped"  # reason
    GAP = "gap"  # first, last: numbers this subscriber did not get


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One fact.

    Attributes:
        number: grows by one with every event of this store, from 1; 0 before it is stored.
        at: when, aware UTC.
        kind: what happened.
        project: the project it is about, or None.
        unit: the unit it is about, or None.
        data: JSON values, keys as `EventKind` says; never a secret.
    """

    number: int = 0
    at: datetime
    kind: EventKind
    project: str | None = None
    unit: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
