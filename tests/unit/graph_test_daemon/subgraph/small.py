"""A small subgraph whose files a test may change before it looks at them."""

from __future__ import annotations

import json
from pathlib import Path

__all__ = ["ADDRESS", "DEPLOYMENT", "write"]

ADDRESS = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
DEPLOYMENT = "QmcYzr1v1xpXch8aU6qFb7EjxEKvNhjTVJmKDUXSPFg3TD"

_MANIFEST = f"""\
specVersion: 1.3.0
schema:
  file: ./schema.graphql
dataSources:
  - kind: ethereum
    name: Notes
    network: hardhat
    source:
      address: "{ADDRESS}"
      abi: Notes
      startBlock: 0
    mapping:
      kind: ethereum/events
      apiVersion: 0.0.9
      language: wasm/assemblyscript
      entities: [Note]
      abis:
        - name: Notes
          file: ./abis/Notes.json
      eventHandlers:
        - event: Stored(indexed uint256,(int256,string)[])
          handler: handleStored
      file: ./src/mapping.ts
"""

_SCHEMA = """\
type Note @entity(immutable: true) {
  id: Bytes!
  text: String!
}
"""

_MAPPING = """\
import { helper } from "./helper";

export function handleStored(event: Stored): void {
  helper();
}
"""

_ABI = [
    {
        "type": "event",
        "name": "Stored",
        "inputs": [
            {"name": "id", "type": "uint256", "indexed": True},
            {
                "name": "parts",
                "type": "tuple[]",
                "indexed": False,
                "components": [{"type": "int256"}, {"type": "string"}],
            },
        ],
    },
    {"type": "function", "name": "store", "inputs": [{"name": "id", "type": "uint256"}]},
]


def write(directory: Path, *changes: tuple[str, str, str]) -> Path:
    """Write the subgraph; `changes` are a file, a text in it, and what to put there instead."""
    texts = {
        "subgraph.yaml": _MANIFEST,
        "schema.graphql": _SCHEMA,
        "src/mapping.ts": _MAPPING,
        "src/helper.ts": "export function helper(): void {}\n",
        "abis/Notes.json": json.dumps({"abi": _ABI}),
    }
    for file, old, new in changes:
        assert old in texts[file], (file, old)
        texts[file] = texts[file].replace(old, new)
    for file, text in texts.items():
        path = directory / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return directory
