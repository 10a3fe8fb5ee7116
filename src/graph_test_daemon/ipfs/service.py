"""The service type `ipfs`: typed actions on any node that speaks Kubo's RPC.

It has no part in snapshots of a stack: content never changes, and what was added since does not
disturb whoever goes back.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import anyio

from harness.actions import Call, Service, ServiceType, action

from .cid import Cid
from .client import Entry, Ipfs, Uploaded
from .errors import IpfsFault
from .upload import Item

__all__ = ["Content", "FileAdded", "Got", "IpfsService", "Node", "Pinned"]

_LIMIT = 1 << 20
_PORTS = ("rpc", "api")


@dataclass(frozen=True, kw_only=True)
class FileAdded:
    """A file or folder is there."""

    path: str
    """Its name in what was added; the CID of what has no name."""
    cid: str
    size: int
    """Bytes of all its blocks."""


@dataclass(frozen=True, kw_only=True)
class Content:
    """What was added, as one."""

    cid: str
    size: int
    """Bytes of all its blocks."""
    files: int
    """How many files and folders there are in it, itself included."""


@dataclass(frozen=True, kw_only=True)
class Got:
    """What was written to disk."""

    path: str
    size: int
    """Bytes of content."""


@dataclass(frozen=True, kw_only=True)
class Pinned:
    """What garbage collection keeps."""

    cid: str
    type: str
    """Recursive, or direct."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """Who a node is."""

    id: str
    version: str
    """Of Kubo, as it says."""


class IpfsService(ServiceType):
    """Content: add it, read it, keep it."""

    name = "ipfs"

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self._client: Ipfs | None = None

    async def validate(self) -> None:
        """Look whether it answers as Kubo does."""
        await (await self._ipfs()).version()

    async def aclose(self) -> None:
        """Close its connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _ipfs(self) -> Ipfs:
        port = next((name for name in _PORTS if name in self.service.endpoints), None)
        url = self.service.url(port)
        if self._client is None or self._client.url != url.rstrip("/"):  # it may have moved
            await self.aclose()
            self._client = Ipfs(url)
        return self._client

    # ── content ──────────────────────────────────────────────────────────────────────────────────

    @action(events=[FileAdded])
    async def add(
        self,
        call: Call,
        *,
        path: str | None = None,
        text: str | None = None,
        name: str = "",
        pin: bool = True,
        hidden: bool = False,
    ) -> Content:
        """Add a file, a folder with all that is in it, or a text; return its CID.

        Args:
            call: this run.
            path: of the file or folder; where it is relative, to the stack file's directory.
            text: to add in place of a file.
            name: of the text.
            pin: keep it from garbage collection.
            hidden: of a folder, take what begins with a dot, too.
        """
        if (path is None) == (text is None):
            raise IpfsFault(what="add content", cause="it takes either a path or a text")
        client = await self._ipfs()
        if text is not None:
            added = [await client.add_bytes(text.encode(), name=name, pin=pin)]
        else:
            added = await self._added(client, call, self._place(path or ""), pin, hidden)
        for each in added:
            await call.emit(FileAdded(path=each.name, cid=each.cid, size=each.size))
        return Content(cid=added[-1].cid, size=added[-1].size, files=len(added))

    async def _added(
        self, client: Ipfs, call: Call, path: Path, pin: bool, hidden: bool
    ) -> list[Uploaded]:
        if not await anyio.Path(path).is_dir():
            return [await client.add_file(path, pin=pin)]

        async def tell(item: Item) -> None:
            await call.progress(f"sent {item.name}")

        return await client.add_folder(path, pin=pin, hidden=hidden, sent=tell)

    @action()
    async def cat(
        self, *, path: str, limit: int = _LIMIT, encoding: Literal["text", "base64"] = "text"
    ) -> str:
        """Return the content of a file.

        Args:
            path: a CID, or a path below one.
            limit: bytes that it may have.
            encoding: how it is returned.
        """
        content = await (await self._ipfs()).cat(path, limit=limit)
        if encoding == "base64":
            return base64.b64encode(content).decode()
        try:
            return content.decode()
        except UnicodeDecodeError as error:
            raise IpfsFault(
                what=f"show {path}",
                cause="it is no UTF-8 text",
                hint="encoding base64 shows it; get writes it to a file",
            ) from error

    @action()
    async def get(self, *, path: str, into: str) -> Got:
        """Write a file, or a folder with all that is in it, to disk.

        Args:
            path: a CID, or a path below one.
            into: what it becomes; where it is relative, to the stack file's directory.
        """
        target = self._place(into)
        size = await (await self._ipfs()).get(path, target)
        return Got(path=str(target), size=size)

    @action()
    async def ls(self, *, path: str) -> list[Entry]:
        """List what is in a folder.

        Args:
            path: a CID, or a path below one.
        """
        return await (await self._ipfs()).ls(path)

    # ── pins ─────────────────────────────────────────────────────────────────────────────────────

    @action()
    async def pin(self, *, path: str) -> None:
        """Keep content from garbage collection, with all that it reaches.

        Args:
            path: a CID, or a path below one.
        """
        await (await self._ipfs()).pin(path)

    @action()
    async def unpin(self, *, path: str) -> None:
        """Keep content no longer.

        Args:
            path: a CID, or a path below one.
        """
        await (await self._ipfs()).unpin(path)

    @action(name="list")
    async def pins(self) -> list[Pinned]:
        """List what is pinned."""
        found = await (await self._ipfs()).pins()
        return [Pinned(cid=cid, type=kind) for cid, kind in found.items()]

    # ── names ────────────────────────────────────────────────────────────────────────────────────

    @action(name="id")
    async def node(self) -> Node:
        """Tell who the node is."""
        client = await self._ipfs()
        return Node(id=await client.id(), version=await client.version())

    @action()
    async def to_bytes32(self, *, cid: str) -> str:
        """Return a CID's hash, as contracts keep it.

        Args:
            cid: of version 0, or one that has such a form.
        """
        return Cid.parse(cid).bytes32()

    @action()
    async def from_bytes32(self, *, hash: str) -> str:  # noqa: A002 - as contracts call it
        """Return the CID of a hash that contracts keep.

        Args:
            hash: 0x and 64 hex digits.
        """
        return str(Cid.from_bytes32(hash))

    def _place(self, path: str) -> Path:
        return self.service.directory / Path(path).expanduser()
