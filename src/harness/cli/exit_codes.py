"""What each outcome means to the shell that started us.

A class without an entry has its parent's code. `exec` passes the status of the command it ran on.
"""

from __future__ import annotations

from harness import errors

__all__ = [
    "EXIT_CODES",
    "INTERRUPTED",
    "INVALID",
    "NOT_EXECUTABLE",
    "NOT_FOUND",
    "NOT_READY",
    "OPERATION_FAILED",
    "TIMED_OUT",
    "USAGE",
    "exit_code",
    "exit_code_of_kind",
]

OPERATION_FAILED = 1
USAGE = 2
NOT_READY = 3
NO_SUCH_SERVICE = 4
UNREACHABLE = 5
INVALID = 6
NOT_PERMITTED = 7
TIMED_OUT = 124
NOT_EXECUTABLE = 126  # of `exec` only, as in a shell
NOT_FOUND = 127
INTERRUPTED = 130

EXIT_CODES: dict[type[errors.HarnessError], int] = {
    errors.HarnessError: OPERATION_FAILED,
    errors.ConfigError: INVALID,
    errors.PlanError: INVALID,
    errors.PluginBroken: OPERATION_FAILED,
    errors.UnknownService: NO_SUCH_SERVICE,
    errors.UnknownTask: NO_SUCH_SERVICE,
    errors.CommandError: OPERATION_FAILED,
    errors.CommandTimeout: TIMED_OUT,
    errors.ExecutorError: OPERATION_FAILED,
    errors.StorageError: OPERATION_FAILED,
    errors.RegistryError: OPERATION_FAILED,
    errors.ServiceNotFound: NO_SUCH_SERVICE,
    errors.ActionError: OPERATION_FAILED,
    errors.ActionNotFound: NO_SUCH_SERVICE,
    errors.ActionTimeout: TIMED_OUT,
    errors.OperationError: OPERATION_FAILED,
    errors.WaitTimeout: TIMED_OUT,
    errors.SnapshotError: OPERATION_FAILED,
    errors.SnapshotNotFound: NO_SUCH_SERVICE,
    errors.LeaseError: OPERATION_FAILED,
    errors.LeaseNotFound: NO_SUCH_SERVICE,
    errors.WorkflowNotFound: NO_SUCH_SERVICE,
    errors.WorkflowTimeout: TIMED_OUT,
    errors.ProtocolError: OPERATION_FAILED,
    errors.InvalidParameters: USAGE,
    errors.AccessError: NOT_PERMITTED,
    errors.CertificateNotFound: NO_SUCH_SERVICE,
    errors.TokenNotFound: NO_SUCH_SERVICE,
    errors.ContextError: USAGE,
    errors.ContextNotFound: NO_SUCH_SERVICE,
    errors.ListenFailed: OPERATION_FAILED,
    errors.DaemonUnavailable: UNREACHABLE,
}


def exit_code(kind: type[errors.HarnessError]) -> int:
    """Return the code of an error class."""
    return next(EXIT_CODES[parent] for parent in kind.__mro__ if parent in EXIT_CODES)


def exit_code_of_kind(kind: str) -> int:
    """Return the code of an error that came over the wire; of an unknown kind it is 1."""
    queue = [errors.HarnessError]
    while queue:
        candidate = queue.pop()
        if candidate.kind == kind:
            return exit_code(candidate)
        queue.extend(candidate.__subclasses__())
    return OPERATION_FAILED
