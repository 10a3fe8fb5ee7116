"""The nouns of the product: frozen dataclasses and enums, standard library only."""

from typing import TYPE_CHECKING

from harness.lazy import lazy_names

from .dependency import Condition, Dependency, find_cycle
from .endpoint import Endpoint, PortProtocol, PortSpec
from .event import Event, EventKind
from .exit_status import ExitStatus
from .fields import field_names
from .handle import HANDLE_VERSION, Handle
from .health import (
    CheckSpec,
    CommandCheck,
    CompositeCheck,
    CompositeMode,
    CustomCheck,
    GraphqlCheck,
    HealthSpec,
    HttpCheck,
    JsonRpcCheck,
    LogCheck,
    ProbeSpec,
    Stage,
    TcpCheck,
    single_checks,
)
from .hook import Hook, Hooks
from .option import InvalidOption, StoredOptions
from .restart import Backoff, RestartMode, RestartPolicy
from .secret import MASK, Secret, SecretSpec
from .stack import Settings, StackSpec
from .state import (
    Goal,
    HealthState,
    ServiceState,
    SetupState,
    UnitKind,
    is_live,
    is_ready,
)
from .unit import OutputSpec, RememberMode, ServiceSpec, SetupSpec, TaskSpec, UnitSpec
from .workflow_document import WorkflowDocument

if TYPE_CHECKING:
    from .workflow import Parameter, Retry, Step, Workflow

__all__ = [
    "HANDLE_VERSION",
    "MASK",
    "Backoff",
    "CheckSpec",
    "CommandCheck",
    "CompositeCheck",
    "CompositeMode",
    "Condition",
    "CustomCheck",
    "Dependency",
    "Endpoint",
    "Event",
    "EventKind",
    "ExitStatus",
    "Goal",
    "GraphqlCheck",
    "Handle",
    "HealthSpec",
    "HealthState",
    "Hook",
    "Hooks",
    "HttpCheck",
    "InvalidOption",
    "JsonRpcCheck",
    "LogCheck",
    "OutputSpec",
    "Parameter",
    "PortProtocol",
    "PortSpec",
    "ProbeSpec",
    "RememberMode",
    "RestartMode",
    "RestartPolicy",
    "Retry",
    "Secret",
    "SecretSpec",
    "ServiceSpec",
    "ServiceState",
    "Settings",
    "SetupSpec",
    "SetupState",
    "StackSpec",
    "Stage",
    "Step",
    "StoredOptions",
    "TaskSpec",
    "TcpCheck",
    "UnitKind",
    "UnitSpec",
    "Workflow",
    "WorkflowDocument",
    "field_names",
    "find_cycle",
    "is_live",
    "is_ready",
    "single_checks",
]

if not TYPE_CHECKING:  # a type checker would take every name for one that exists
    # Few stacks have workflows, and fewer commands run one.
    _WORKFLOW = ("Parameter", "Retry", "Step", "Workflow")
    __getattr__ = lazy_names(__name__, dict.fromkeys(_WORKFLOW, "workflow"))
