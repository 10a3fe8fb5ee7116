"""Subgraphs: checked, filled in, built, grafted and uploaded. Deploying is graph-node's part.

    directory ─▶ check_subgraph ─▶ build_subgraph ─▶ (grafted) ─▶ upload_subgraph ─▶ deployment id

`deploy_directory` does that and deploys, `deploy_graft_chain` does it for many, each onto the last.

Plain functions over files and the tools; none needs a daemon. What is wrong with a subgraph is a
list of `Problem`, each with its place and a remedy; who must have none gets `SubgraphBroken`.
"""

from typing import TYPE_CHECKING

from harness.lazy import lazy_names

if TYPE_CHECKING:
    from .build import BuildProgressed, BuiltSubgraph, OnProgress, build_subgraph, check_subgraph
    from .cache import BuildCache
    from .checks import CheckedSubgraph, Expectations, check_manifest, require_sound
    from .deploying import (
        DeployStep,
        SubgraphBuilt,
        SubgraphPlace,
        SubgraphUploaded,
        deploy_directory,
        mirror_files,
    )
    from .errors import (
        BuildFailed,
        BuildsBusy,
        GraftRefused,
        ManifestInvalid,
        PlaceholdersUnfilled,
        SubgraphBroken,
    )
    from .filling import Placeholder, Value, placeholders
    from .graft_chain import (
        GraftDeployed,
        GraftedSubgraph,
        GraftSource,
        GraftsPlanned,
        PlannedGraft,
        deploy_graft_chain,
    )
    from .grafts import (
        GraftBase,
        GraftStep,
        check_grafts,
        choose_blocks,
        compare_schemas,
        grafted,
        require_grafts,
    )
    from .manifest import DataSource, Graft, Manifest, read_manifest
    from .problems import Problem, Severity
    from .schema import Schema, read_schema
    from .upload import FileUploaded, UploadedSubgraph, upload_subgraph

__all__ = [
    "BuildCache",
    "BuildFailed",
    "BuildProgressed",
    "BuildsBusy",
    "BuiltSubgraph",
    "CheckedSubgraph",
    "DataSource",
    "DeployStep",
    "Expectations",
    "FileUploaded",
    "Graft",
    "GraftBase",
    "GraftDeployed",
    "GraftRefused",
    "GraftSource",
    "GraftStep",
    "GraftedSubgraph",
    "GraftsPlanned",
    "Manifest",
    "ManifestInvalid",
    "OnProgress",
    "Placeholder",
    "PlaceholdersUnfilled",
    "PlannedGraft",
    "Problem",
    "Schema",
    "Severity",
    "SubgraphBroken",
    "SubgraphBuilt",
    "SubgraphPlace",
    "SubgraphUploaded",
    "UploadedSubgraph",
    "Value",
    "build_subgraph",
    "check_grafts",
    "check_manifest",
    "check_subgraph",
    "choose_blocks",
    "compare_schemas",
    "deploy_directory",
    "deploy_graft_chain",
    "grafted",
    "mirror_files",
    "placeholders",
    "read_manifest",
    "read_schema",
    "require_grafts",
    "require_sound",
    "upload_subgraph",
]

_PLACES = {
    "mirror_files": "deploying",
    "deploy_directory": "deploying",
    "SubgraphUploaded": "deploying",
    "SubgraphPlace": "deploying",
    "SubgraphBuilt": "deploying",
    "DeployStep": "deploying",
    "BuildCache": "cache",
    "BuildFailed": "errors",
    "BuildsBusy": "errors",
    "BuildProgressed": "build",
    "BuiltSubgraph": "build",
    "CheckedSubgraph": "checks",
    "DataSource": "manifest",
    "Expectations": "checks",
    "FileUploaded": "upload",
    "Graft": "manifest",
    "GraftBase": "grafts",
    "GraftRefused": "errors",
    "GraftDeployed": "graft_chain",
    "GraftSource": "graft_chain",
    "GraftedSubgraph": "graft_chain",
    "GraftsPlanned": "graft_chain",
    "PlannedGraft": "graft_chain",
    "choose_blocks": "grafts",
    "deploy_graft_chain": "graft_chain",
    "GraftStep": "grafts",
    "Manifest": "manifest",
    "ManifestInvalid": "errors",
    "OnProgress": "build",
    "Placeholder": "filling",
    "PlaceholdersUnfilled": "errors",
    "Problem": "problems",
    "Schema": "schema",
    "Severity": "problems",
    "SubgraphBroken": "errors",
    "UploadedSubgraph": "upload",
    "Value": "filling",
    "build_subgraph": "build",
    "check_grafts": "grafts",
    "check_manifest": "checks",
    "check_subgraph": "build",
    "compare_schemas": "grafts",
    "grafted": "grafts",
    "placeholders": "filling",
    "read_manifest": "manifest",
    "read_schema": "schema",
    "require_grafts": "grafts",
    "require_sound": "checks",
    "upload_subgraph": "upload",
}

if not TYPE_CHECKING:  # a type checker would take every name for one that exists
    __getattr__ = lazy_names(__name__, _PLACES)
