"""What paths lead to, and how it is read: the part that the methods and the gateway share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from graph_test_daemon.ipfs.blocks import Kind, Link
from graph_test_daemon.ipfs.cid import Cid
from graph_test_daemon.ipfs.dag import file_size, read, unixfs
from graph_test_daemon.ipfs.errors import ContentNotFound, IpfsFault
from graph_test_daemon.ipfs.store import Store

from .query import content_path

__all__ = ["Found", "Paths"]


@dataclass(frozen=True, slots=True)
class Found:
    """What a path leads to.

    Attributes:
        cid: its root.
        block: the root.
        name: the last in the path; the CID where the path has none.
    """

    cid: Cid
    block: bytes
    name: str

    @property
    def is_directory(self) -> bool:
        """It is a folder; nothing that is divided into several blocks can be read as one."""
        return unixfs(self.cid, self.block)[1].kind is Kind.DIRECTORY

    @property
    def size(self) -> int:
        """Bytes of content, of a file."""
        return file_size(self.cid, self.block)

    @property
    def links(self) -> tuple[Link, ...]:
        """Of a folder: what is in it."""
        return unixfs(self.cid, self.block)[0].links


class Paths:
    """Paths into a store.

    Args:
        store: that holds the content.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, path: str) -> Found:
        """Return what a path leads to.

        Raises:
            InvalidCid: it begins at no content.
            ContentNotFound: there is no such content, or a folder has no such name.
            IpfsFault: it leads through something that is no folder.
        """
        cid, names = content_path(path)
        found = Found(cid, self._store.block(cid), str(cid))
        for name in names:
            found = self.child(found, name)
        return found

    def child(self, found: Found, name: str) -> Found:
        """Return what a folder has under a name.

        Raises:
            ContentNotFound: nothing.
            IpfsFault: it is no folder.
        """
        _, data = unixfs(found.cid, found.block)
        if data.kind is Kind.SHARDED_DIRECTORY:
            raise IpfsFault(
                what=f"read {found.cid}", cause="folders of many blocks are unsupported"
            )
        for link in found.links if data.kind is Kind.DIRECTORY else ():
            if link.name == name:
                return Found(link.cid, self._store.block(link.cid), name)
        raise ContentNotFound(
            what=f"{found.cid}/{name}", cause=f'no link named "{name}" under {found.cid}'
        )

    async def content(
        self, found: Found, *, start: int = 0, stop: int | None = None
    ) -> AsyncIterator[bytes]:
        """Return a file's content, a piece at a time."""
        for piece in read(found.cid, self._store.block, start=start, stop=stop):
            yield piece

    def pieces(self, found: Found) -> Iterator[bytes]:
        """Return a file's content, a piece at a time."""
        return read(found.cid, self._store.block)

    def check(self, found: Found) -> None:
        """Look whether a file is whole, before its beginning is sent.

        Raises:
            ContentNotFound: a block is missing.
            IpfsFault: it is no file.
        """
        file_size(found.cid, found.block)
        self._store.check(found.cid)
