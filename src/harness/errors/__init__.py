"""Every exception of the product, one class for each thing a caller would do differently.

    HarnessError
    ├─ ConfigError           ConfigSyntaxError · ConfigSchemaError · UnresolvedReference
    ├─ PlanError             DependencyCycle · UnknownService · UnknownTask · UnknownServiceType ·
    │                        UnknownTaskType · InvalidTaskConfig
    ├─ CommandError          CommandNotFound · CommandNotExecutable · WorkingDirectoryMissing ·
    │                        UnknownUser · CommandFailed · CommandTimeout · LayerUnreachable
    ├─ ExecutorError         StartFailed · StopFailed · HandleLost · NotSupported
    ├─ StorageError          StoreLocked · StoreCorrupt · StoreTooNew · StoreFull
    ├─ RegistryError         ServiceNotFound
    ├─ ActionError           ActionNotFound · ActionFailed · ActionTimeout · ActionCancelled
    ├─ OperationError        OperationFailed · OperationNotFound · OperationConflict · WaitTimeout ·
    │                        WorkflowNotFound · WorkflowStepFailed ·
    │                        WorkflowFailed (WorkflowTimeout)
    ├─ LeaseError            LeaseExpired · LeaseNotFound
    ├─ SnapshotError         SnapshotNotFound · SnapshotMismatch
    ├─ ProtocolError         MalformedMessage · MethodNotFound · InvalidParameters · RemoteFailure
    ├─ AccessError           Unauthenticated · TooManyAttempts · Forbidden · CertificateInvalid ·
    │                        TokenNotFound · CertificateNotFound
    ├─ ContextError          ContextNotFound
    ├─ ListenFailed
    ├─ PluginBroken
    └─ DaemonUnavailable

Constructors take facts as keyword arguments and build the message: it begins with "cannot", names
the object and ends with the cause. `kind` is stable: it crosses the wire, and tests and users
match on it.
"""

from __future__ import annotations

from .base import HarnessError
from .remote import (
    AccessError,
    ActionCancelled,
    ActionError,
    ActionFailed,
    ActionNotFound,
    ActionTimeout,
    CertificateInvalid,
    CertificateNotFound,
    ContextError,
    ContextNotFound,
    DaemonUnavailable,
    Forbidden,
    InvalidParameters,
    ListenFailed,
    MalformedMessage,
    MethodNotFound,
    ProtocolError,
    RemoteFailure,
    TokenNotFound,
    TooManyAttempts,
    Unauthenticated,
)
from .running import (
    CommandError,
    CommandFailed,
    CommandNotExecutable,
    CommandNotFound,
    CommandTimeout,
    ExecutorError,
    HandleLost,
    LayerUnreachable,
    LeaseError,
    LeaseExpired,
    LeaseNotFound,
    NotSupported,
    OperationConflict,
    OperationError,
    OperationFailed,
    OperationNotFound,
    RegistryError,
    ServiceNotFound,
    SnapshotError,
    SnapshotMismatch,
    SnapshotNotFound,
    StartFailed,
    StopFailed,
    StorageError,
    StoreCorrupt,
    StoreFull,
    StoreLocked,
    StoreTooNew,
    UnknownUser,
    WaitTimeout,
    WorkingDirectoryMissing,
)
from .stack import (
    ConfigError,
    ConfigSchemaError,
    ConfigSyntaxError,
    DependencyCycle,
    InvalidTaskConfig,
    PlanError,
    PluginBroken,
    Problem,
    UnknownService,
    UnknownServiceType,
    UnknownTask,
    UnknownTaskType,
    UnresolvedReference,
)
from .workflows import WorkflowFailed, WorkflowNotFound, WorkflowStepFailed, WorkflowTimeout

__all__ = [
    "AccessError",
    "ActionCancelled",
    "ActionError",
    "ActionFailed",
    "ActionNotFound",
    "ActionTimeout",
    "CertificateInvalid",
    "CertificateNotFound",
    "CommandError",
    "CommandFailed",
    "CommandNotExecutable",
    "CommandNotFound",
    "CommandTimeout",
    "ConfigError",
    "ConfigSchemaError",
    "ConfigSyntaxError",
    "ContextError",
    "ContextNotFound",
    "DaemonUnavailable",
    "DependencyCycle",
    "ExecutorError",
    "Forbidden",
    "HandleLost",
    "HarnessError",
    "InvalidParameters",
    "InvalidTaskConfig",
    "LayerUnreachable",
    "LeaseError",
    "LeaseExpired",
    "LeaseNotFound",
    "ListenFailed",
    "MalformedMessage",
    "MethodNotFound",
    "NotSupported",
    "OperationConflict",
    "OperationError",
    "OperationFailed",
    "OperationNotFound",
    "PlanError",
    "PluginBroken",
    "Problem",
    "ProtocolError",
    "RegistryError",
    "RemoteFailure",
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
    "TokenNotFound",
    "TooManyAttempts",
    "Unauthenticated",
    "UnknownService",
    "UnknownServiceType",
    "UnknownTask",
    "UnknownTaskType",
    "UnknownUser",
    "UnresolvedReference",
    "WaitTimeout",
    "WorkflowFailed",
    "WorkflowNotFound",
    "WorkflowStepFailed",
    "WorkflowTimeout",
    "WorkingDirectoryMissing",
]
