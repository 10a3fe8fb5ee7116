"""What goes wrong with commands, services, their stores, and operations on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Self

from harness.suggestions import suggestion

from .base import HarnessError

__all__ = [
    "CommandError",
    "CommandFailed",
    "CommandNotExecutable",
    "CommandNotFound",
    "CommandTimeout",
    "ExecutorError",
    "HandleLost",
    "LayerUnreachable",
    "LeaseError",
    "LeaseExpired",
    "LeaseNotFound",
    "NotSupported",
    "OperationConflict",
    "OperationError",
    "OperationFailed",
    "OperationNotFound",
    "RegistryError",
    "ServiceNotFound",
    "SnapshotError",
    "SnapshotMismatch",
    "SnapshotNotFound",
    "StartFailed",
    "StopFailed",
    "StorageError",
    "StoreCorrupt",
    "StoreFull",
    "StoreLocked",
    "StoreTooNew",
    "UnknownUser",
    "WaitTimeout",
    "WorkingDirectoryMissing",
]


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
    """An executor could not do what was asked for one unit.

    Attributes:
        verb: what was to be done, unless the constructor is told another one.
    """

    kind = "executor-error"
    facts: ClassVar[tuple[str, ...]] = ("service", "executor", "cause")
    verb: ClassVar[str] = "handle"

    def __init__(
        self,
        *,
        service: str,
        executor: str,
        cause: str,
        verb: str | None = None,
        hint: str | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        self.service = service
        self.executor = executor
        self.cause = cause
        message = f'cannot {verb or self.verb} "{service}": {cause}'
        super().__init__(message, hint=hint, details=details)


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


class LeaseError(HarnessError):
    """A lease is not held.

    Attributes:
        verb: what was to be done, unless the constructor is told another one.
    """

    kind = "lease-error"
    facts = ("project", "lease")
    verb: ClassVar[str] = "use"

    def __init__(
        self, *, project: str, lease: str | None, cause: str, hint: str, verb: str | None = None
    ) -> None:
        self.project = project
        self.lease = lease
        super().__init__(
            f'cannot {verb or self.verb} the lease of project "{project}": {cause}',
            hint=hint,
            details={"project": project, "lease": lease},
        )


class LeaseExpired(LeaseError):
    """The lease has ended: it expired, was released, or somebody else took it over."""

    kind = "lease-expired"
    verb = "renew"

    def __init__(
        self, *, project: str, lease: str | None, cause: str, verb: str | None = None
    ) -> None:
        hint = "`harness up --lease` brings the stack up with a new one"
        super().__init__(project=project, lease=lease, cause=cause, hint=hint, verb=verb)


class LeaseNotFound(LeaseError, LookupError):
    """The project has no lease, or none of that id."""

    kind = "lease-not-found"
    verb = "find"

    def __init__(self, *, project: str, lease: str | None = None) -> None:
        cause = "it has none" if lease is None else f'it never had one of the id "{lease}"'
        hint = "`harness lease list` shows all; `harness up --lease 10m` sets one"
        super().__init__(project=project, lease=lease, cause=cause, hint=hint)


class SnapshotError(HarnessError):
    """A snapshot cannot be taken, read or restored."""

    kind = "snapshot-error"


class SnapshotNotFound(SnapshotError, LookupError):
    """The project has no snapshot of that name."""

    kind = "snapshot-not-found"

    @classmethod
    def of(cls, name: str, known: Iterable[str]) -> Self:
        """Make the error for `name`, with the closest of the known names as a suggestion."""
        return cls(
            f'cannot find snapshot "{name}": the project has none of that name',
            **suggestion(name, known, otherwise="`harness snapshot list` shows all"),
        )


class SnapshotMismatch(SnapshotError):
    """The snapshot is of another plan than what runs; nothing was changed."""

    kind = "snapshot-mismatch"
    facts = ("name", "differs")

    def __init__(self, *, name: str, differs: Sequence[str]) -> None:
        self.name = name
        self.differs = tuple(differs)
        super().__init__(
            f'cannot restore snapshot "{name}": the stack is another one now: {", ".join(differs)}',
            hint=f"harness snapshot restore {name} --force",
            details={"name": name, "differs": list(differs)},
        )


class WaitTimeout(OperationError):
    """What was waited for did not happen in time; the message is the chain of causes."""

    kind = "wait-timeout"
