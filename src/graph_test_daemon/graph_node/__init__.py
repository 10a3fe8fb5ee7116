"""graph-node: what can be asked of it and done to it, waiting for it, and its typed actions."""

from .admin import Admin, check_name
from .at_block import at_block
from .errors import (
    DeploymentNotFound,
    DeployRefused,
    GraphNodeError,
    IndexingFailed,
    InvalidSubgraphName,
    NotSynced,
    SubgraphNotFound,
)
from .node import GraphNode, Indexed, NodeUrls, is_deployment, subgraph_path
from .status import BlockPointer, DeploymentStatus, IndexingError, SubgraphFeatures
from .sync import Synced, SyncProgressed, wait_for_sync

__all__ = [
    "Admin",
    "BlockPointer",
    "DeployRefused",
    "DeploymentNotFound",
    "DeploymentStatus",
    "GraphNode",
    "GraphNodeError",
    "Indexed",
    "IndexingError",
    "IndexingFailed",
    "InvalidSubgraphName",
    "NodeUrls",
    "NotSynced",
    "SubgraphFeatures",
    "SubgraphNotFound",
    "SyncProgressed",
    "Synced",
    "at_block",
    "check_name",
    "is_deployment",
    "subgraph_path",
    "wait_for_sync",
]
