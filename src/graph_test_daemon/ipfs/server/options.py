"""What a request to add says of the form of blocks, and of what is done with them.

An option of Kubo's that would change what is added, and that is not built here, is refused.
"""

from __future__ import annotations

from graph_test_daemon.ipfs.dag import CHUNK_SIZE, Form

from .faults import BadRequest
from .query import Query, encoder

__all__ = ["Options"]

_UNSUPPORTED = ("trickle", "nocopy", "inline", "preserve-mode", "preserve-mtime")
_UNSUPPORTED_VALUES = ("to-files", "mode", "mtime", "mtime-nsecs")
_SMALLEST_CHUNK, _LARGEST_CHUNK = 1, 2 << 20
_FEWEST_LINKS, _MOST_LINKS = 2, 8192


class Options:
    """The options of one request.

    Args:
        query: of the request.

    Attributes:
        form: of the blocks.
        stores: keeps them; else they are only named.
        pins: keeps the roots from garbage collection.
        pin_name: of these pins.
        wraps: puts all into one more folder.
        is_silent: tells nothing but errors.
        shows_progress: tells how far it is.
        written: how the answer writes identifiers.

    Raises:
        BadRequest: one is wrong or not supported.
    """

    def __init__(self, query: Query) -> None:
        for name in _UNSUPPORTED:
            if query.flag(name):
                raise BadRequest(f'the option "{name}" is not supported')
        for name in _UNSUPPORTED_VALUES:
            if query.text(name) not in ("", "0"):
                raise BadRequest(f'the option "{name}" is not supported')
        if query.text("hash", "sha2-256") != "sha2-256":
            raise BadRequest(f'unrecognized hash function: "{query.text("hash")}"; it is sha2-256')
        version = query.number("cid-version", 0)
        if version not in (0, 1):
            raise BadRequest(f"unknown CID version: {version}")
        self.form = Form(
            version=version,
            raw_leaves=query.flag("raw-leaves", default=version == 1),
            chunk_size=_chunk_size(query.text("chunker")),
            max_links=_max_links(query),
        )
        self.stores = not query.flag("only-hash")
        self.pins = self.stores and query.flag("pin", default=True)
        self.pin_name = query.text("pin-name")
        self.wraps = query.flag("wrap-with-directory")
        self.is_silent = query.flag("silent")
        self.shows_progress = query.flag("progress")
        self.written = encoder(query)


def _chunk_size(text: str) -> int:
    if text in ("", "default"):
        return CHUNK_SIZE
    kind, _, size = text.partition("-")
    if kind != "size" or not size.isdecimal():
        raise BadRequest(f'the chunker "{text}" is not supported; it is size-BYTES')
    if not _SMALLEST_CHUNK <= int(size) <= _LARGEST_CHUNK:
        raise BadRequest(f"a chunk has {_SMALLEST_CHUNK} to {_LARGEST_CHUNK} bytes")
    return int(size)


def _max_links(query: Query) -> int:
    links = query.number("max-file-links", Form().max_links)
    if not _FEWEST_LINKS <= links <= _MOST_LINKS:
        raise BadRequest(f"a node of a file has {_FEWEST_LINKS} to {_MOST_LINKS} links")
    return links
