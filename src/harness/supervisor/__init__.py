"""Keeps stacks as planned: decides when each unit starts, restarts and stops."""

from .leases import Lease, Leases, LeaseTerms
from .lookup import ProjectLookup
from .masking import forms, masked
from .operations import Operation, Operations, OperationState, UnitResult
from .project import Project
from .project_store import StackCodec
from .quiescing import Snapshotter
from .secret_commands import printed_secrets
from .setup import Setup
from .stacks import Stacks
from .unit import Unit, units_collection
from .views import Explanation, UnitStatus, plain

__all__ = [
    "Explanation",
    "Lease",
    "LeaseTerms",
    "Leases",
    "Operation",
    "OperationState",
    "Operations",
    "Project",
    "ProjectLookup",
    "Setup",
    "Snapshotter",
    "StackCodec",
    "Stacks",
    "Unit",
    "UnitResult",
    "UnitStatus",
    "forms",
    "masked",
    "plain",
    "printed_secrets",
    "units_collection",
]
