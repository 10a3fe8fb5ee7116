"""Every exception of the product, one class for each thing a caller would do differently.

    HarnessError
    ├─ ConfigError           ConfigSyntaxError · ConfigSchemaError · UnresolvedReference
    ├─ PlanError             DependencyCycle · UnknownService · UnknownTask · UnknownServiceType
    ├─ CommandError          CommandNotFound · CommandNotExecutable · WorkingDirectoryMissing ·
    │                        UnknownUser · CommandFailed · CommandTimeout · LayerUnreachable
    ├─ ExecutorError         StartFailed · StopFailed · HandleLost · NotSupported
    ├─ StorageError          StoreLocked · StoreCorrupt · StoreTooNew · StoreFull
    ├─ RegistryError         ServiceNotFound
    ├─ ActionError           ActionNotFound · ActionFailed · ActionTimeout · ActionCancelled
    ├─ OperationError        OperationFailed · OperationNotFound · OperationConflict · WaitTimeout
    ├─ ProtocolError         MalformedMessage · MethodNotFound · InvalidParameters · RemoteFailure
    ├─ AccessError           Forbidden
    └─ DaemonUnavailable

Constructors take facts as keyword arguments and build the message: it begins with "cannot", names
the object and ends with the cause. `kind` is stable: it crosses the wire, and tests and users
match on it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

__all__ = [
    "AccessError",
    "ActionCancelled",
    "ActionError",
    "ActionFailed",
    "ActionNotFound",
    "ActionTimeout",
    "CommandError",
    "CommandFailed",
    "CommandNotExecutable",
    "CommandNotFound",
    "CommandTimeout",
    "ConfigError",
    "ConfigSchemaError",
    "ConfigSyntaxError",
    "DaemonUnavailable",
    "DependencyCycle",
    "ExecutorError",
    "Forbidden",
    "HandleLost",
    "HarnessError",
    "InvalidParameters",
    "LayerUnreachable",
    "MalformedMessage",
    "MethodNotFound",
    "NotSupported",
    "OperationConflict",
    "OperationError",
    "OperationFailed",
    "OperationNotFound",
    "PlanError",
    "Problem",
    "ProtocolError",
    "RegistryError",
    "RemoteFailure",
    "ServiceNotFound",
    "StartFailed",
    "StopFailed",
    "StorageError",
    "StoreCorrupt",
    "StoreFull",
    "StoreLocked",
    "StoreTooNew",
    "UnknownService",
    "UnknownServiceType",
    "UnknownTask",
    "UnknownUser",
    "UnresolvedReference",
    "WaitTimeout",
    "WorkingDirectoryMissing",
]


class HarnessError(Exception):
    """Root of the tree.

    Attributes:
        kind: stable kebab-case name of what went wrong.
        hint: what the user can do next, or None.
        details: facts for machines; only JSON values, never a secret.
        facts: names of a class's own attributes, texts or tuples of texts; they cross the wire
            among the details.
    """

    kind: ClassVar[str] = "harness-error"
    facts: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.hint = hint
        self.details: Mapping[str, object] = details or {}


# ── configuration ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong in a stack file.

    `line` and `column` count from 1; `path` is the key's path such as `services.db.ports[0]`. Line
    0: it has no place in a file, because it is of the command line, or was found when a unit was
    about to start.
    """

    file: str
    line: int
    column: int
    path: str
    kind: str
    message: str
    hint: str | None = None

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}: " if self.line else ""
        text = f"{where}{self.path}: {self.message}" if self.path else f"{where}{self.message}"
        return f"{text}; {self.hint}" if self.hint else text


class ConfigError(HarnessError):
    """The stack file cannot be used; `problems` lists everything found, in file order."""

    kind = "config-invalid"

    def __init__(self, *, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        noun = "problem" if count == 1 else "problems"
        lines = [str(problem) for problem in self.problems]
        if any(problem.line for problem in self.problems):
            text = "\n".join([f"cannot use the stack file: {count} {noun}", *lines])
        else:
            text = f"cannot resolve every reference: {'; '.join(lines)}"
        super().__init__(text)


class ConfigSyntaxError(ConfigError):
    """A file is missing, unreadable or not YAML."""

    kind = "config-syntax"


class ConfigSchemaError(ConfigError):
    """A file is YAML, but not a stack: unknown keys, wrong types, missing keys, bad values."""

    kind = "config-schema"


class UnresolvedReference(ConfigError):
    """A `${…}` names something that does not exist or has no value."""

    kind = "config-unresolved-reference"


# ── plan ─────────────────────────────────────────────────────────────────────────────────────────


class PlanError(HarnessError):
    """The stack is valid but no order of starting exists, or a name is not in it."""

    kind = "plan-invalid"


class DependencyCycle(PlanError):
    """Units wait for one another; `cycle` names them in order, the first one again at the end."""

    kind = "dependency-cycle"
    facts = ("cycle",)

    def __init__(self, *, cycle: Sequence[str]) -> None:
        self.cycle = tuple(cycle)
        super().__init__(
            f"cannot order the stack: units wait for one another: {' → '.join(self.cycle)}",
            hint="remove one of these dependencies",
            details={"cycle": list(self.cycle)},
        )


class _UnknownName(PlanError):
    noun: ClassVar[str]
    facts = ("name", "did_you_mean")

    def __init__(
        self, *, name: str, did_you_mean: str | None = None, known: Sequence[str] = ()
    ) -> None:
        self.name = name
        self.did_you_mean = did_you_mean
        if did_you_mean:
            hint: str | None = f'did you mean "{did_you_mean}"?'
        else:
            hint = f"known: {', '.join(known)}" if known else None
        super().__init__(
            f'cannot find {self.noun} "{name}" in the stack',
            hint=hint,
            details={"name": name, "did_you_mean": did_you_mean},
        )

    @classmethod
    def of(cls, name: str, known: Iterable[str]) -> Self:
        """Make the error for `name`, with the closest of the known names as a suggestion."""
        names = tuple(known)
        close = difflib.get_close_matches(name, names, n=1)
        return cls(name=name, did_you_mean=close[0] if close else None, known=names)


class UnknownService(_UnknownName):
    """No service or task of that name in the stack."""

    kind = "unknown-service"
    noun = "service"


class UnknownTask(_UnknownName):
    """No task of that name in the stack."""

    kind = "unknown-task"
    noun = "task"


class UnknownServiceType(PlanError):
    """No plugin brings the `service_type` of a service."""

    kind = "unknown-service-type"
    facts = ("name", "service")

    def __init__(self, *, name: str, service: str, known: Sequence[str]) -> None:
        self.name = name
        self.service = service
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"known: {', '.join(known)}" if known else "`harness plugin list` shows the plugins"
        super().__init__(
            f'cannot use "{service}": no plugin brings the service_type "{name}"',
            hint=f'did you mean "{close[0]}"?' if close else hint,
        )


# ── commands ─────────────────────────────────────────────────────────────────────────────────────


class CommandError(HarnessError):
    """One command could not be run or did not succeed.

    Attributes:
        command: the argument list as a user would type it, without environment.
        place: where it was to run, such as `local`.
    """

    kind = "command-error"
    facts = ("command", "place")

    def __init__(
        self,
        *,
        command: str,
        cause: str,
        place: str = "local",
        hint: str | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        self.command = command
        self.place = place
        at = "" if place == "local" else f" on {place}"
        super().__init__(f"cannot run `{command}`{at}: {cause}", hint=hint, details=details)


class CommandNotFound(CommandError):
    """The program is not there."""

    kind = "command-not-found"


class CommandNotExecutable(CommandError):
    """The program is there but may not be executed."""

    kind = "command-not-executable"


class WorkingDirectoryMissing(CommandError):
    """The working directory is not there, is no directory, or may not be entered."""

    kind = "working-directory-missing"


class UnknownUser(CommandError):
    """The user to run as does not exist, or this process may not become it."""

    kind = "unknown-user"


class CommandFailed(CommandError):
    """The command ran and ended with a status other than success."""

    kind = "command-failed"


class CommandTimeout(CommandError):
    """The command ran longer than allowed and was ended with everything it had started."""

    kind = "command-timeout"


class LayerUnreachable(CommandError):
    """The place the command should run in cannot be reached."""

    kind = "layer-unreachable"


# ── executors ────────────────────────────────────────────────────────────────────────────────────


class ExecutorError(HarnessError):
    """An executor could not do what was asked for one unit."""

    kind = "executor-error"
    facts: ClassVar[tuple[str, ...]] = ("service", "executor", "cause")
    verb: ClassVar[str] = "handle"

    def __init__(
        self,
        *,
        service: str,
        executor: str,
        cause: str,
        hint: str | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        self.service = service
        self.executor = executor
        self.cause = cause
        super().__init__(f'cannot {self.verb} "{service}": {cause}', hint=hint, details=details)


class StartFailed(ExecutorError):
    """The unit never ran."""

    kind = "start-failed"
    verb = "start"


class StopFailed(ExecutorError):
    """Something of the unit is still alive after everything allowed was tried."""

    kind = "stop-failed"
    verb = "stop"


class HandleLost(ExecutorError):
    """What the handle points to is not there any more, and how it ended is unknown."""

    kind = "handle-lost"
    verb = "find"


class NotSupported(ExecutorError):
    """The executor declares that it lacks this capability, or this unit has no use of it."""

    kind = "not-supported"
    facts = (*ExecutorError.facts, "capability")

    def __init__(
        self,
        *,
        service: str,
        executor: str,
        capability: str,
        cause: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.capability = capability
        super().__init__(
            service=service,
            executor=executor,
            cause=cause or f"services of type {executor} do not support {capability}",
            hint=hint,
            details={"capability": capability},
        )


# ── storage ──────────────────────────────────────────────────────────────────────────────────────


class StorageError(HarnessError):
    """The state directory cannot be used."""

    kind = "storage-error"


class StoreLocked(StorageError):
    """Another daemon owns this state directory."""

    kind = "store-locked"


class StoreCorrupt(StorageError):
    """The state database is damaged; nothing was changed or deleted."""

    kind = "store-corrupt"


class StoreTooNew(StorageError):
    """The state database was written by a newer version; nothing was changed or deleted."""

    kind = "store-too-new"


class StoreFull(StorageError):
    """The disk that holds the state directory is full."""

    kind = "store-full"


# ── registry, operations ─────────────────────────────────────────────────────────────────────────


class RegistryError(HarnessError):
    """The registry cannot answer."""

    kind = "registry-error"


class ServiceNotFound(RegistryError, LookupError):
    """No such service, or no such project, is registered."""

    kind = "service-not-found"


class OperationError(HarnessError):
    """Long work could not be done."""

    kind = "operation-error"


class OperationFailed(OperationError):
    """The operation ended, and not everything it was to reach was reached."""

    kind = "operation-failed"


class OperationNotFound(OperationError, LookupError):
    """No operation has that id."""

    kind = "operation-not-found"


class OperationConflict(OperationError):
    """Another operation is changing the same units."""

    kind = "operation-conflict"


class WaitTimeout(OperationError):
    """What was waited for did not happen in time; the message is the chain of causes."""

    kind = "wait-timeout"


# ── actions ──────────────────────────────────────────────────────────────────────────────────────


class ActionError(HarnessError):
    """An action could not do what it is for; authors of actions raise it with their own words."""

    kind = "action-error"


class ActionNotFound(ActionError):
    """There is no action of that name where it was looked for."""

    kind = "action-not-found"

    @classmethod
    def of(cls, name: str, known: Iterable[str], *, where: str) -> Self:
        """Make the error for `name`, with the closest of the known names as a suggestion."""
        names = tuple(known)
        close = difflib.get_close_matches(name, names, n=1)
        hint = f"it has: {', '.join(names)}" if names else None
        return cls(
            f'cannot find the action "{name}": {where} has none of that name',
            hint=f'did you mean "{close[0]}"?' if close else hint,
            details={"name": name, "did_you_mean": close[0] if close else None},
        )


class ActionFailed(ActionError):
    """An action ended with something that its author did not expect."""

    kind = "action-failed"
    facts = ("action", "cause")

    def __init__(self, *, action: str, cause: str) -> None:
        self.action = action
        self.cause = cause
        super().__init__(
            f"cannot finish {action}: {cause}",
            hint="the daemon's log has the details (harness daemon logs)",
            details={"action": action, "cause": cause},
        )


class ActionCancelled(ActionError):
    """An action was cancelled before it was done."""

    kind = "action-cancelled"
    facts = ("action",)

    def __init__(self, *, action: str) -> None:
        self.action = action
        super().__init__(f"cannot finish {action}: it was cancelled", details={"action": action})


class ActionTimeout(ActionError):
    """An action took longer than it may; it was cancelled."""

    kind = "action-timeout"
    facts = ("action",)

    def __init__(self, *, action: str, limit_s: float) -> None:
        self.action = action
        super().__init__(
            f"cannot finish {action}: it took longer than {limit_s:g} s",
            details={"action": action, "limit_s": limit_s},
        )


# ── protocol, access ─────────────────────────────────────────────────────────────────────────────


class ProtocolError(HarnessError):
    """A message on the wire breaks the protocol."""

    kind = "protocol-error"


class MalformedMessage(ProtocolError):
    """Not JSON, not JSON-RPC 2.0, or too large."""

    kind = "malformed-message"


class MethodNotFound(ProtocolError):
    """No method of that name."""

    kind = "method-not-found"


class InvalidParameters(ProtocolError):
    """The parameters do not fit the method's schema; the message has the path."""

    kind = "invalid-parameters"


class RemoteFailure(ProtocolError):
    """The daemon answered with an error of a kind that this client does not know.

    Attributes:
        remote_kind: the kind the daemon sent.
    """

    kind = "remote-failure"

    def __init__(
        self,
        message: str,
        *,
        remote_kind: str,
        hint: str | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message, hint=hint, details=details)
        self.remote_kind = remote_kind


class AccessError(HarnessError):
    """The caller may not do this."""

    kind = "access-error"


class Forbidden(AccessError):
    """The caller is known, and not allowed."""

    kind = "permission-denied"


class DaemonUnavailable(HarnessError):
    """No daemon answers at the endpoint, and none could or may be started."""

    kind = "daemon-unavailable"
