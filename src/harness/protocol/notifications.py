"""The table of notifications: everything the daemon says by itself."""

from __future__ import annotations

from .actions import ActionEventNotification
from .events import EventNotification
from .exec import ExecExit, ExecOutput
from .logs import LogChunk, LogEnd, LogsPosition
from .subscriptions import SubscriptionFailed

__all__ = ["NOTIFICATIONS"]

NOTIFICATIONS: dict[str, tuple[str, type]] = {
    "events.event": ("One event of a subscription.", EventNotification),
    "logs.chunk": ("A piece of output of a subscription.", LogChunk),
    "logs.position": ("How far the output of a subscription is.", LogsPosition),
    "logs.end": ("A subscription has no more output to come.", LogEnd),
    "actions.event": ("Something happened while an action ran.", ActionEventNotification),
    "exec.output": ("A piece of a command's output.", ExecOutput),
    "subscriptions.failed": ("A subscription, or a command, cannot go on.", SubscriptionFailed),
    "exec.exit": ("A command has ended, and all its output was sent.", ExecExit),
}
"""Name → (summary, params), sent by the daemon to the connection that asked for them."""
