"""Every command of the program: where it is, and its line in the help."""

from __future__ import annotations

from .commands import LazyCommand

__all__ = ["COMMANDS"]

_STACK = "Stack"
_LOOK = "Look"
_REACH_IN = "Reach in"
_DRIVE = "Drive"
_CONFIG = "Configuration"
_SYSTEM = "System"


def _command(
    section: str, module: str, attribute: str, summary: str, *, aliases: tuple[str, ...] = ()
) -> LazyCommand:
    target = f"harness.cli.{module}:{attribute}"
    return LazyCommand(target=target, summary=summary, section=section, aliases=aliases)


COMMANDS: dict[str, LazyCommand] = {
    "up": _command(_STACK, "services.up", "up", "Start what is not up yet, in order, and wait."),
    "down": _command(_STACK, "services.lifecycle", "down", "Stop everything of the project."),
    "start": _command(_STACK, "services.lifecycle", "start", "Start services of the project."),
    "stop": _command(_STACK, "services.lifecycle", "stop", "Stop services, and keep them defined."),
    "restart": _command(_STACK, "services.lifecycle", "restart", "Stop services, then start them."),
    "reload": _command(
        _STACK, "services.lifecycle", "reload", "Make services read their configuration again."
    ),
    "status": _command(
        _STACK, "services.status", "status", "Show how every unit is.", aliases=("ps",)
    ),
    "lease": _command(_STACK, "leases", "lease", "List, renew and release leases of projects."),
    "wait": _command(_STACK, "services.wait", "wait", "Wait until services are as wanted."),
    "plan": _command(_STACK, "plan", "plan", "Show what `up` would do, and why."),
    "graph": _command(_STACK, "plan", "graph", "Show who depends on whom."),
    "logs": _command(_LOOK, "logs", "logs", "Show what services printed."),
    "events": _command(_LOOK, "events", "events", "Show what happened."),
    "inspect": _command(_LOOK, "services.inspect", "inspect", "Show everything about one unit."),
    "health": _command(_LOOK, "health", "health", "Show what the health checks found."),
    "top": _command(_LOOK, "services.top", "top", "Show what services use."),
    "why": _command(_LOOK, "services.inspect", "why", "Explain why a unit is as it is."),
    "bundle": _command(_LOOK, "bundle", "bundle", "Write all about the project to one page."),
    "doctor": _command(_LOOK, "doctor", "doctor", "Check this machine and the daemon."),
    "exec": _command(_REACH_IN, "exec", "exec_", "Run a command where a service runs."),
    "attach": _command(
        _REACH_IN, "services.attach", "attach", "Follow a service's output, and write to it."
    ),
    "port": _command(_REACH_IN, "services.inspect", "port", "Print where a service listens."),
    "env": _command(_REACH_IN, "services.inspect", "env", "Print a unit's environment."),
    "action": _command(_DRIVE, "actions", "action", "List, describe and run typed actions."),
    "task": _command(_DRIVE, "tasks", "task", "List, describe, run and reset tasks."),
    "snapshot": _command(
        _DRIVE, "snapshots", "snapshot", "Take, list, restore and remove snapshots."
    ),
    "workflow": _command(_DRIVE, "workflows", "workflow", "List, run and look at workflows."),
    "validate": _command(_CONFIG, "config", "validate", "Check the stack file."),
    "config": _command(_CONFIG, "config", "config", "Show the resolved stack, or its schema."),
    "init": _command(_CONFIG, "init", "init", "Write a stack file to start from."),
    "daemon": _command(_SYSTEM, "daemon", "daemon", "Run, start, stop and look at the daemon."),
    "gc": _command(_SYSTEM, "leftovers", "gc", "Remove what nobody will come back for."),
    "context": _command(
        _SYSTEM, "contexts", "context", "Name daemons of other machines, and choose one."
    ),
    "token": _command(_SYSTEM, "tokens", "token", "Let clients of other machines log in."),
    "registry": _command(_SYSTEM, "registry", "registry", "Look up services of all projects."),
    "plugin": _command(_SYSTEM, "plugins", "plugin", "List what extends the daemon."),
    "completion": _command(_SYSTEM, "completion", "completion", "Print a completion script."),
}
