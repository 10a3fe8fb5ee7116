"""From a stack's units to a plan: who waits for whom, in which order, what an `up` changes.

Pure: it reads no file, knows no clock and no executor; what runs and what executors can do comes
in as data.
"""

from .capabilities import Unsupported, check_capabilities, unsupported
from .diff import Action, Change, Observed, PlanDiff, diff
from .fingerprint import UNFINGERPRINTED, changed_fields, field_hashes, fingerprint
from .graph import Graph
from .order import start_order, stop_order, waves
from .plan import Plan, plan_stack

__all__ = [
    "UNFINGERPRINTED",
    "Action",
    "Change",
    "Graph",
    "Observed",
    "Plan",
    "PlanDiff",
    "Unsupported",
    "changed_fields",
    "check_capabilities",
    "diff",
    "field_hashes",
    "fingerprint",
    "plan_stack",
    "start_order",
    "stop_order",
    "unsupported",
    "waves",
]
