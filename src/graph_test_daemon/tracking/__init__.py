"""What is remembered of a stack, and results of queries that are kept and compared.

The typed actions on it are in `actions`, which service types derive from.
"""

from .comparing import Change, Comparison, Difference, Rules, compare
from .errors import (
    JournalError,
    JournalTooNew,
    RecordExists,
    RecordInvalid,
    RecordNotFound,
    ResultsDiffer,
)
from .journal import Journal
from .query_snapshots import QueryComparison
from .records import (
    Allocation,
    AllocationState,
    BlockAt,
    Deployment,
    DeploymentState,
    Graft,
    GraftChain,
    Moment,
    Note,
    QuerySnapshot,
    Transaction,
    TransactionState,
)
from .tracker import Tracker

__all__ = [
    "Allocation",
    "AllocationState",
    "BlockAt",
    "Change",
    "Comparison",
    "Deployment",
    "DeploymentState",
    "Difference",
    "Graft",
    "GraftChain",
    "Journal",
    "JournalError",
    "JournalTooNew",
    "Moment",
    "Note",
    "QueryComparison",
    "QuerySnapshot",
    "RecordExists",
    "RecordInvalid",
    "RecordNotFound",
    "ResultsDiffer",
    "Rules",
    "Tracker",
    "Transaction",
    "TransactionState",
    "compare",
]
