from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from graph_test_daemon.subgraph import BuiltSubgraph, FileUploaded, upload_subgraph


@dataclass(frozen=True)
class Kept:
    cid: str


@dataclass
class Store:
    """Keeps what is added, by its hash."""

    files: dict[str, bytes] = field(default_factory=dict)

    async def add_bytes(self, content: bytes, *, name: str) -> Kept:
        cid = f"Qm{hashlib.sha256(content).hexdigest()[:8]}"
        self.files[cid] = content
        return Kept(cid)


async def test_every_file_is_added_once_and_the_manifest_links_them(tmp_path: Path) -> None:
    for name in ("s.graphql", "A.json", "m.wasm"):
        (tmp_path / name).write_text(name)
    abis = [{"name": "A", "file": "A.json"}]
    sources = [{"name": name, "mapping": {"abis": abis, "file": "m.wasm"}} for name in "xy"]
    built = BuiltSubgraph(
        directory=tmp_path,
        manifest={"schema": {"file": "s.graphql"}, "dataSources": sources},
        files=("s.graphql", "A.json", "m.wasm"),
        was_kept=False,
    )
    store, told = Store(), []

    async def tell(event: FileUploaded) -> None:
        told.append(event.file)

    uploaded = await upload_subgraph(built, store, on_progress=tell)
    assert told == ["s.graphql", "A.json", "m.wasm", "subgraph.yaml"]
    assert store.files[uploaded.deployment].decode() == uploaded.manifest
    assert uploaded.manifest.count(f"/: /ipfs/{uploaded.files['m.wasm']}") == 2
    assert built.manifest["schema"] == {"file": "s.graphql"}
    assert (await upload_subgraph(built, store)).deployment == uploaded.deployment
