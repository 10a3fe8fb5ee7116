"""What is known of a deployment from its files in IPFS."""

from __future__ import annotations

from graph_test_daemon.ipfs import ContentNotFound, Ipfs

from .document import Document, read_document
from .schema import Schema, SchemaUnreadable, read_schema

__all__ = ["schema_of"]


async def schema_of(ipfs: Ipfs, deployment: str) -> Schema | None:
    """Return a deployment's schema; None where IPFS does not have it, or nothing that is one."""
    try:
        manifest = read_document((await ipfs.cat(deployment)).decode(), deployment)
        link = manifest.at("schema", "file", "/") if isinstance(manifest, Document) else None
        return None if link is None else read_schema((await ipfs.cat(str(link))).decode())
    except (ContentNotFound, SchemaUnreadable, UnicodeDecodeError):
        return None
