"""graph-node: what can be asked of it and done to it, waiting for it, and its typed actions."""

from .admin import Admin, check_name
from .node import GraphNode, Indexed, NodeUrls, is_deployment, subgraph_path
from .status import BlockPointer, DeploymentStatus, IndexingError, SubgraphFeatures
from .sync import Synced, SyncProgressed, wait_for_sync

__all__ = [
    "Admin",
    "BlockPointer",
    "DeploymentStatus",
    "GraphNode",
    "Indexed",
    "IndexingError",
    "NodeUrls",
    "SubgraphFeatures",
    "SyncProgressed",
    "Synced",
    "check_name",
    "is_deployment",
    "subgraph_path",
    "wait_for_sync",
]
