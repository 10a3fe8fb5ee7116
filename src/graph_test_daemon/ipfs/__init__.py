"""IPFS: content identifiers, files as blocks, a client for any Kubo, and a server like Kubo."""

from typing import TYPE_CHECKING

from harness.lazy import lazy_names

from .cid import Cid, subgraph_id, subgraph_number

if TYPE_CHECKING:
    from .client import Entry, Ipfs, Uploaded
    from .errors import ContentNotFound
    from .store import Store

__all__ = [
    "Cid",
    "ContentNotFound",
    "Entry",
    "Ipfs",
    "Store",
    "Uploaded",
    "subgraph_id",
    "subgraph_number",
]

if not TYPE_CHECKING:  # a type checker would take every name for one that exists
    __getattr__ = lazy_names(
        __name__,
        {
            "ContentNotFound": "errors",
            "Entry": "client",
            "Ipfs": "client",
            "Store": "store",
            "Uploaded": "client",
        },
    )
