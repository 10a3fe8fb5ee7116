"""Files and folders as trees of blocks, and back: the same trees, so the same names, as Kubo's.

A file is cut into chunks; nodes of up to 174 links hold them, all at the same depth. It is never in
memory as a whole: writing keeps one chunk and the links of one unfinished node a level, reading one
block a level. Source: UnixFS specification; Kubo's defaults of `add`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from .blocks import Kind, Link, Node, UnixFs
from .cid import DAG_PB, RAW, Cid
from .errors import IpfsFault

__all__ = [
    "CHUNK_SIZE",
    "Added",
    "FileWriter",
    "Form",
    "Put",
    "children",
    "directory",
    "file_size",
    "read",
    "unixfs",
]

CHUNK_SIZE = 262144
_MAX_LINKS = 174
_MAX_DIRECTORY = 256 * 1024
_DEEPEST = 64

Put = Callable[[Cid, bytes], None]
"""Keeps a block."""

Fetch = Callable[[Cid], bytes]
"""Returns a block; raises what says that it is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How content becomes blocks; other forms give other names.

    Attributes:
        version: of the names.
        raw_leaves: chunks are blocks by themselves, without a kind.
        chunk_size: bytes.
        max_links: of a node of a file.
    """

    version: int = 0
    raw_leaves: bool = False
    chunk_size: int = CHUNK_SIZE
    max_links: int = _MAX_LINKS


@dataclass(frozen=True, slots=True)
class Added:
    """The root of a file or folder.

    Attributes:
        cid: its name.
        total: bytes of all its blocks.
        size: bytes of content; of a folder 0.
    """

    cid: Cid
    total: int
    size: int


# ── writing ──────────────────────────────────────────────────────────────────────────────────────


class FileWriter:
    """One file on its way into blocks.

    Args:
        put: keeps each block as soon as it is whole, children before their parents.
        form: of the tree.
    """

    def __init__(self, put: Put, form: Form) -> None:
        self._put = put
        self._form = form
        self._chunk = bytearray()
        self._levels: list[list[Added]] = [[]]

    def write(self, data: bytes) -> None:
        """Append content."""
        self._chunk += data
        size = self._form.chunk_size
        while len(self._chunk) > size:  # a chunk that may be the last waits
            self._append(0, self._leaf(bytes(self._chunk[:size])))
            del self._chunk[:size]

    def finish(self) -> Added:
        """Write what is left; return the root."""
        if self._chunk or self._levels == [[]]:
            self._append(0, self._leaf(bytes(self._chunk)))
            self._chunk.clear()
        level = 0
        while level < len(self._levels) - 1 or len(self._levels[level]) > 1:
            if self._levels[level]:
                self._join(level)
            level += 1
        return self._levels[level][0]

    def _append(self, level: int, added: Added) -> None:
        if level == len(self._levels):
            self._levels.append([])
        if len(self._levels[level]) == self._form.max_links:
            self._join(level)
        self._levels[level].append(added)

    def _join(self, level: int) -> None:
        """Make a parent of a level's nodes."""
        below = self._levels[level]
        sizes = [child.size for child in below]
        links = tuple(Link(child.cid, "", child.total) for child in below)
        data = UnixFs(Kind.FILE, size=sum(sizes), sizes=sizes)
        below.clear()
        self._append(level + 1, self._node(Node(links, data.encoded()), size=sum(sizes)))

    def _leaf(self, data: bytes) -> Added:
        if not self._form.raw_leaves:
            whole = UnixFs(Kind.FILE, data, len(data))
            return self._node(Node((), whole.encoded()), size=len(data))
        cid = Cid.of(data, codec=RAW, version=1)
        self._put(cid, data)
        return Added(cid, len(data), len(data))

    def _node(self, node: Node, *, size: int) -> Added:
        return _kept(self._put, node, self._form.version, size)


def directory(put: Put, entries: Mapping[str, Added], *, version: int) -> Added:
    """Make a folder of what is made already; return its root.

    Raises:
        IpfsFault: it is so large that Kubo would divide it into many blocks.
    """
    # By its bytes: the order of names that are no ASCII would be another one as text.
    names = sorted(entries, key=lambda name: name.encode())
    links = tuple(Link(entries[name].cid, name, entries[name].total) for name in names)
    estimate = sum(len(link.name.encode()) for link in links)
    if estimate + sum(len(link.cid.raw) for link in links) > _MAX_DIRECTORY:
        raise IpfsFault(
            what=f"make a folder of {len(links)} entries",
            cause="one block has no room for them, and folders of several are not supported",
            hint="divide it into several folders",
        )
    return _kept(put, Node(links, UnixFs(Kind.DIRECTORY).encoded()), version, 0)


def _kept(put: Put, node: Node, version: int, size: int) -> Added:
    block = node.encoded()
    cid = Cid.of(block, version=version)
    put(cid, block)
    return Added(cid, len(block) + sum(link.total for link in node.links), size)


# ── reading ──────────────────────────────────────────────────────────────────────────────────────


def unixfs(cid: Cid, block: bytes) -> tuple[Node, UnixFs]:
    """Return what a block is; one without a kind is a file without links.

    Raises:
        IpfsFault: it is no part of a file or folder.
    """
    if cid.codec == RAW:
        return Node((), b""), UnixFs(Kind.RAW, block, len(block))
    try:
        if cid.codec != DAG_PB:
            raise ValueError(f"it is {cid.codec_name}")
        node = Node.read(block)
        return node, UnixFs.read(node.data)
    except ValueError as error:
        raise IpfsFault(what=f"read {cid} as a file or folder", cause=str(error)) from error


def children(cid: Cid, block: bytes) -> tuple[Link, ...]:
    """Return the links of a block of any kind.

    Raises:
        IpfsFault: its kind has links that cannot be read here.
    """
    if cid.codec == RAW:
        return ()
    try:
        if cid.codec != DAG_PB:
            raise ValueError(f"links of {cid.codec_name} cannot be read")
        return Node.read(block).links
    except ValueError as error:
        raise IpfsFault(what=f"read the links of {cid}", cause=str(error)) from error


def file_size(cid: Cid, block: bytes) -> int:
    """Return how many bytes of content a file has.

    Raises:
        IpfsFault: it is no file.
    """
    return _file(cid, block)[1].size or 0


def read(cid: Cid, fetch: Fetch, *, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
    """Return the content of a file, a block at a time.

    Args:
        cid: of the file.
        fetch: gets each block as it is needed, and none that is before or behind the part.
        start: offset of the part.
        stop: offset behind the part; None: the end.

    Raises:
        IpfsFault: it is no file, or one that is not made as files are.
    """
    return _read(cid, fetch, start, stop, _DEEPEST)


def _read(cid: Cid, fetch: Fetch, start: int, stop: int | None, depth: int) -> Iterator[bytes]:
    if not depth:
        raise IpfsFault(what=f"read {cid}", cause="its tree is too deep")
    node, data = _file(cid, fetch(cid))
    own = data.data[start:stop]
    if own:
        yield own
    at = len(data.data)
    if len(data.sizes) != len(node.links):
        raise IpfsFault(what=f"read {cid}", cause="it does not say how large its parts are")
    for link, size in zip(node.links, data.sizes, strict=True):
        if at + size > start and (stop is None or at < stop):
            last = None if stop is None else stop - at
            yield from _read(link.cid, fetch, max(0, start - at), last, depth - 1)
        at += size


def _file(cid: Cid, block: bytes) -> tuple[Node, UnixFs]:
    node, data = unixfs(cid, block)
    match data.kind:
        case Kind.FILE | Kind.RAW:
            return node, data
        case Kind.DIRECTORY | Kind.SHARDED_DIRECTORY:
            raise IpfsFault(what=f"read {cid}", cause="this dag node is a directory")
        case _:
            raise IpfsFault(what=f"read {cid}", cause=f"it is a {data.kind.name.lower()}")
