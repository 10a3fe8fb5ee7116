"""The subgraphs of the tests, and the contracts that they follow: built, and uploaded.

Each subgraph is one kind of what graph-node must do; `contracts/` is compiled by its `compile.sh`.
What is built is kept in the user's cache, so only the first run on a machine takes seconds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from graph_test_daemon.contracts import Abi
from graph_test_daemon.subgraph import (
    BuildCache,
    BuiltSubgraph,
    Expectations,
    OnProgress,
    UploadedSubgraph,
    Value,
    build_subgraph,
    upload_subgraph,
)
from graph_test_daemon.subgraph.upload import Adds

__all__ = [
    "NAMES",
    "SUBGRAPHS",
    "Contract",
    "build",
    "build_and_upload",
    "contract",
]

SUBGRAPHS = Path(__file__).parent

NAMES = tuple(sorted(path.parent.name for path in SUBGRAPHS.glob("*/subgraph.yaml")))
"""Of all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A compiled contract."""

    abi: Abi
    bytecode: bytes


def contract(name: str = "Playground") -> Contract:
    """Return one of the contracts that the subgraphs follow."""
    artifact = json.loads((SUBGRAPHS / "contracts" / f"{name}.json").read_text("utf-8"))
    code = bytes.fromhex(artifact["bytecode"].removeprefix("0x"))
    return Contract(abi=Abi(artifact["abi"]), bytecode=code)


async def build(
    name: str,
    values: Mapping[str, Value],
    *,
    expected: Expectations | None = None,
    ipfs_url: str | None = None,
    cache: BuildCache | None = None,
    on_progress: OnProgress | None = None,
) -> BuiltSubgraph:
    """Build one of them.

    Args:
        name: of it.
        values: `Playground`, the contract's address; for some `base`, `block`, `source` or
            `recipient`, too.
        expected: None: the chain is called hardhat.
        ipfs_url: where the deployment `source` is, for the one that follows another.
        cache: None: the user's.
        on_progress: is told what the tools do.
    """
    return await build_subgraph(
        SUBGRAPHS / name,
        values=values,
        expected=expected or Expectations(network="hardhat"),
        ipfs_url=ipfs_url,
        cache=cache,
        on_progress=on_progress,
    )


async def build_and_upload(
    name: str, ipfs: Adds, values: Mapping[str, Value], *, ipfs_url: str | None = None
) -> UploadedSubgraph:
    """Build one of them and add it to IPFS; see `build`."""
    return await upload_subgraph(await build(name, values, ipfs_url=ipfs_url), ipfs)
