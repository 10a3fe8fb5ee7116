"""Becomes `gnd dev`, which is a whole graph-node.

What it needs besides its arguments is prepared: a directory that it takes files of subgraphs from
by their content identifiers, and a subgraph to begin with, which does nothing. Arguments that are
not named here are gnd's own.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
from collections.abc import Sequence
from pathlib import Path

from graph_test_daemon.tools.places import find_tool

__all__ = ["FILES", "first_subgraph", "launch"]

FILES = "files"
"""Name of the directory, below that of the data, where files of subgraphs are by their CIDs."""

_MODULE = bytes.fromhex(
    "0061736d01000000"  # WebAssembly, version 1
    "01050160017f00"  # types: (i32) -> ()
    "03020100"  # functions: one, of the first type
    "0503010001"  # memory: one page
    "070e02066d656d6f7279020001680000"  # exports: the memory as "memory", the function as "h"
    "0a040102000b"  # the function's body: nothing
)
_MANIFEST = """\
specVersion: 0.0.5
schema:
  file: ./schema.graphql
dataSources:
  - kind: ethereum/contract
    name: Nothing
    network: {network}
    source:
      address: "0x000000000000000000000000000000000000dEaD"
      abi: Nothing
      startBlock: 0
    mapping:
      kind: ethereum/events
      apiVersion: 0.0.7
      language: wasm/assemblyscript
      entities: [Nothing]
      abis:
        - name: Nothing
          file: ./Nothing.json
      eventHandlers:
        - event: Nothing()
          handler: h
      file: ./nothing.wasm
"""
_SCHEMA = "type Nothing @entity(immutable: true) { id: Bytes! }\n"
_ABI = [{"type": "event", "name": "Nothing", "inputs": [], "anonymous": False}]

_FOR_TESTS = {
    # It looks for new blocks so often, in milliseconds; the default is once a second.
    "ETHEREUM_POLLING_INTERVAL": "100",
    # Changes are collected for so long before they are written, in milliseconds.
    "GRAPH_STORE_WRITE_BATCH_DURATION": "5",
    # `ipfs.cat` in a mapping is refused otherwise.
    "GRAPH_ALLOW_NON_DETERMINISTIC_IPFS": "true",
    "GRAPH_ALLOW_NON_DETERMINISTIC_FULLTEXT_SEARCH": "true",
    # A file that is not in IPFS yet is asked for again after so many seconds; by default after ever
    # more, up to ten minutes. With fewer than five it panics at the first deployment.
    "GRAPH_FDS_MAX_BACKOFF": "5",
    # Connections to PostgreSQL; with the default, ten deployments at once wait for one another.
    "STORE_CONNECTION_POOL_SIZE": "50",
    "GRAPH_LOG": "info",
}


def launch(arguments: Sequence[str]) -> None:
    """Become it."""
    parser = argparse.ArgumentParser(prog="graph-node", add_help=False)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--files", type=Path)
    parser.add_argument("--ethereum-rpc", required=True)
    own, others = parser.parse_known_args(arguments)
    program = str(find_tool("gnd"))
    manifest = _prepare(own.data.absolute(), own.files, network=own.ethereum_rpc.partition(":")[0])
    for name, value in _FOR_TESTS.items():
        os.environ.setdefault(name, value)
    # It ends by SIGINT alone, which whoever started this may have had ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(own.data / FILES)
    given = ["--manifests", str(manifest), "--ethereum-rpc", own.ethereum_rpc]
    os.execv(program, [program, "dev", *given, *others])


def first_subgraph(network: str) -> dict[str, bytes]:
    """Return the files, by name, of a subgraph that indexes nothing."""
    return {
        "subgraph.yaml": _MANIFEST.format(network=network).encode(),
        "schema.graphql": _SCHEMA.encode(),
        "Nothing.json": json.dumps(_ABI).encode(),
        "nothing.wasm": _MODULE,
    }


def _prepare(data: Path, files: Path | None, *, network: str) -> Path:
    """Write the first subgraph and make the directory of files; return the manifest's path."""
    build = data / "first" / "build"
    build.mkdir(parents=True, exist_ok=True)
    for name, content in first_subgraph(network).items():
        (build / name).write_bytes(content)
    manifest = data / "first" / "subgraph.yaml"
    manifest.write_bytes((build / "subgraph.yaml").read_bytes())
    place = data / FILES
    if files is not None:
        files.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        place.symlink_to(files.absolute())
    else:
        place.mkdir(exist_ok=True)
    return manifest
