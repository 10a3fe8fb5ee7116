"""graph-node: what can be asked of it and done to it, waiting for it, and its typed actions."""

from .admin import Admin
from .at_block import at_block
from .at_service import node_at, urls_of
from .errors import (
    AnotherChain,
    DeploymentNotFound,
    DeployRefused,
    GraphNodeError,
    IndexingFailed,
    InvalidSubgraphName,
    NotFailed,
    NotFollowed,
    NotSynced,
    ReorgNotFollowed,
    ReorgTooDeep,
    SubgraphNotFound,
)
from .failures import FailureReport, failure_report
from .names import check_name
from .node import GraphNode, Indexed, NodeUrls, is_deployment, subgraph_path
from .nudging import Nudges
from .reorgs import FollowedReorg, ReorgConverged, check_reorg, reorg_and_follow
from .status import (
    BlockPointer,
    DeploymentStatus,
    IndexingError,
    ListedDeployment,
    SubgraphFeatures,
)
from .store import Store
from .sync import Synced, SyncProgressed, wait_for_sync

__all__ = [
    "Admin",
    "AnotherChain",
    "BlockPointer",
    "DeployRefused",
    "DeploymentNotFound",
    "DeploymentStatus",
    "FailureReport",
    "FollowedReorg",
    "GraphNode",
    "GraphNodeError",
    "Indexed",
    "IndexingError",
    "IndexingFailed",
    "InvalidSubgraphName",
    "ListedDeployment",
    "NodeUrls",
    "NotFailed",
    "NotFollowed",
    "NotSynced",
    "Nudges",
    "ReorgConverged",
    "ReorgNotFollowed",
    "ReorgTooDeep",
    "Store",
    "SubgraphFeatures",
    "SubgraphNotFound",
    "SyncProgressed",
    "Synced",
    "at_block",
    "check_name",
    "check_reorg",
    "failure_report",
    "is_deployment",
    "node_at",
    "reorg_and_follow",
    "subgraph_path",
    "urls_of",
    "wait_for_sync",
]
