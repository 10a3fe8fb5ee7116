"""A subgraph that needs no compiler: one type of entities, and a handler that does nothing."""

from __future__ import annotations

import itertools
import json

import yaml

from graph_test_daemon.ipfs import Ipfs
from graph_test_daemon.launch.graph_node import first_subgraph

__all__ = ["upload_idle", "upload_twin"]

_numbers = itertools.count(1)


async def upload_idle(ipfs: Ipfs, *, network: str = "hardhat", start_block: int = 0) -> str:
    """Upload one that differs from all others; return its id."""
    files = first_subgraph(network)
    manifest = yaml.safe_load(files.pop("subgraph.yaml"))
    manifest["dataSources"][0]["source"]["startBlock"] = start_block
    manifest["description"] = f"number {next(_numbers)} {json.dumps(list(files))}"
    cids = {f"./{name}": (await ipfs.add_bytes(data)).cid for name, data in files.items()}

    def linked(value: object) -> object:
        match value:
            case dict():
                return {k: linked(v) for k, v in value.items()}
            case list():
                return [linked(v) for v in value]
            case str() if value in cids:
                return {"/": f"/ipfs/{cids[value]}"}
            case _:
                return value

    return (await ipfs.add_bytes(yaml.safe_dump(linked(manifest)).encode())).cid


async def upload_twin(ipfs: Ipfs, deployment: str) -> str:
    """Upload one that does the same as another; return its id, which is a different one."""
    manifest = await ipfs.cat(deployment)
    # As text: addresses that are not quoted are numbers to this YAML, and none to graph-node's.
    return (await ipfs.add_bytes(manifest + f"\ndescription: twin {next(_numbers)}\n".encode())).cid
