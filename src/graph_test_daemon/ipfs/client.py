"""A client for whatever speaks Kubo's RPC: Kubo, the server here, and most providers.

Source: Kubo RPC reference.
"""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import anyio

from graph_test_daemon.errors import GraphError, Unreachable
from graph_test_daemon.http import Http, Params, Streamed

from .errors import ContentNotFound, InvalidCid, IpfsFault
from .upload import Item, Upload, items

__all__ = ["Entry", "Ipfs", "Uploaded"]

_OK = 200
_EXCERPT = 200
_NOT_THERE = ("not found", "could not find", "no link named", "deadline exceeded")
_NO_CID = ("invalid cid", "invalid path", "invalid ipfs path")
_FOLDER = "is a directory"
_KINDS: Mapping[int, Literal["file", "folder"]] = {0: "file", 1: "folder", 2: "file", 5: "folder"}

Sent = Callable[[Item], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploaded:
    """A file or folder that was added.

    Attributes:
        name: its path in what was added; the CID of what has no name.
        cid: of it.
        size: bytes of all its blocks.
    """

    name: str
    cid: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is in a folder.

    Attributes:
        name: in the folder.
        cid: of it.
        size: bytes of content; of a folder 0.
        kind: what it is.
    """

    name: str
    cid: str
    size: int
    kind: Literal["file", "folder"]


class Ipfs:
    """One node.

    Args:
        url: of its RPC, without `/api/v0`.
        timeout_s: how long an answer, or a piece of one, may take.
    """

    def __init__(self, url: str, *, timeout_s: float = 60.0) -> None:
        self._http = Http(url, timeout_s=timeout_s)

    @property
    def url(self) -> str:
        """Where it is."""
        return self._http.url

    async def aclose(self) -> None:
        """Close its connections; it may be used again."""
        await self._http.aclose()

    # ── the node ─────────────────────────────────────────────────────────────────────────────────

    async def version(self) -> str:
        """Return the version of Kubo that it is, or is like."""
        return str((await self._one("version", "ask for the version"))["Version"])

    async def id(self) -> str:
        """Return what its peers call it."""
        return str((await self._one("id", "ask for the identity"))["ID"])

    # ── adding ───────────────────────────────────────────────────────────────────────────────────

    async def add_bytes(self, content: bytes, *, name: str = "", pin: bool = True) -> Uploaded:
        """Add content.

        Raises:
            IpfsFault: it was refused.
            Unreachable: there was no answer.
        """
        return (await self._add([Item(name, content)], pin=pin))[-1]

    async def add_file(self, path: Path, *, pin: bool = True) -> Uploaded:
        """Add a file; it is never in memory as a whole.

        Raises:
            IpfsFault: it was refused, or cannot be read.
            Unreachable: there was no answer.
        """
        with _reading(path):
            return (await self._add([Item(path.name, path)], pin=pin))[-1]

    async def add_folder(
        self, path: Path, *, pin: bool = True, hidden: bool = False, sent: Sent | None = None
    ) -> list[Uploaded]:
        """Add a folder; return all that is in it, and itself as the last.

        Args:
            path: of the folder.
            pin: keep it from garbage collection.
            hidden: take what begins with a dot, too.
            sent: is called with each part that has been sent.

        Raises:
            IpfsFault: it was refused, or cannot be read.
            Unreachable: there was no answer.
        """
        with _reading(path):
            found = await anyio.to_thread.run_sync(partial(items, path, hidden=hidden))
            return await self._add(found, pin=pin, sent=sent)

    async def _add(
        self, parts: list[Item], *, pin: bool, sent: Sent | None = None
    ) -> list[Uploaded]:
        upload = Upload(parts, sent)
        params = {"pin": "true" if pin else "false", "progress": "false", "stream-channels": "true"}
        what = f"add {parts[0].name or 'the content'}"
        async with self._post("add", what, params, upload) as answer:
            lines = self._lines(await answer.read())
        added = [
            Uploaded(name=line["Name"], cid=line["Hash"], size=int(line["Size"]))
            for line in lines
            if "Hash" in line
        ]
        if not added:
            raise Unreachable(url=self.url, cause="it tells nothing of what was added")
        return added

    # ── reading ──────────────────────────────────────────────────────────────────────────────────

    async def cat(self, path: str, *, limit: int | None = None) -> bytes:
        """Return the content of a file.

        Args:
            path: a CID, or a path below one.
            limit: bytes that it may have.

        Raises:
            ContentNotFound: it is not there.
            InvalidCid: the path begins with none.
            IpfsFault: it is no file, or larger than that.
            Unreachable: there was no answer.
        """
        params = {"arg": path} if limit is None else {"arg": path, "length": str(limit + 1)}
        async with self._post("cat", f"read {path}", params, about=path) as answer:
            content = await answer.read()
        if limit is not None and len(content) > limit:
            raise IpfsFault(
                what=f"read {path}",
                cause=f"it has more than {limit} bytes",
                hint="give a higher limit, or get it as a file",
            )
        return content

    @asynccontextmanager
    async def stream(self, path: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """Give the content of a file, a piece at a time; raises as `cat` does."""
        async with self._post("cat", f"read {path}", {"arg": path}, about=path) as answer:
            yield answer.pieces

    async def ls(self, path: str) -> list[Entry]:
        """Return what is in a folder, in its order; of a file nothing."""
        told = await self._one("ls", f"list {path}", {"arg": path}, about=path)
        return [
            Entry(
                name=link["Name"],
                cid=link["Hash"],
                size=link.get("Size") or 0,
                kind=_KINDS.get(link.get("Type"), "file"),
            )
            for listed in told.get("Objects") or ()
            for link in listed.get("Links") or ()
            if link["Name"]  # the parts of a large file have none
        ]

    async def get(self, path: str, target: Path) -> int:
        """Write a file or a folder to disk; return how many bytes of content it has.

        Args:
            path: a CID, or a path below one.
            target: what it becomes; there may be nothing yet. It appears when it is whole.

        Raises:
            ContentNotFound: it is not there.
            InvalidCid: the path begins with none.
            IpfsFault: it cannot be written.
            Unreachable: there was no answer.
        """
        where = anyio.Path(target)
        if await where.exists():
            raise IpfsFault(what=f"get {path}", cause=f"{target} exists already")
        with _writing(path, target):
            await where.parent.mkdir(parents=True, exist_ok=True)
            half = where.with_name(f".{target.name}.{secrets.token_hex(4)}")
            try:
                size = await self._written(path, half)
                await half.rename(where)
            finally:
                with anyio.CancelScope(shield=True):
                    await anyio.to_thread.run_sync(_remove, Path(half))
        return size

    async def block(self, cid: str) -> bytes:
        """Return a block as it is."""
        async with self._post("block/get", f"read block {cid}", {"arg": cid}, about=cid) as answer:
            return await answer.read()

    async def _written(self, path: str, target: anyio.Path) -> int:
        try:
            return await self._file(path, target)
        except IpfsFault as fault:
            if _FOLDER not in fault.cause:
                raise
        await target.mkdir()
        size = 0
        for entry in await self.ls(path):
            if entry.name in (".", "..") or "/" in entry.name or "\0" in entry.name:
                raise IpfsFault(what=f"get {path}", cause=f'"{entry.name}" is no name of a file')
            write = self._file if entry.kind == "file" else self._written
            size += await write(entry.cid, target / entry.name)
        return size

    async def _file(self, path: str, target: anyio.Path) -> int:
        size = 0
        async with self.stream(path) as pieces, await target.open("xb") as file:
            async for piece in pieces:
                size += await file.write(piece)
        return size

    # ── pins ─────────────────────────────────────────────────────────────────────────────────────

    async def pin(self, path: str) -> None:
        """Keep content, and all that it reaches, from garbage collection."""
        await self._one("pin/add", f"pin {path}", {"arg": path}, about=path)

    async def unpin(self, path: str) -> None:
        """Keep content no longer.

        Raises:
            ContentNotFound: it was not pinned by itself.
        """
        try:
            await self._one("pin/rm", f"unpin {path}", {"arg": path}, about=path)
        except IpfsFault as fault:
            if "not pinned" not in fault.cause:
                raise
            raise ContentNotFound(what=f"a pin of {path}", cause=fault.cause) from fault

    async def pins(self) -> dict[str, str]:
        """Return how each pinned CID is kept: `recursive` or `direct`."""
        found: dict[str, str] = {}
        for kind in ("recursive", "direct"):  # all of them would be every block of every file
            told = await self._one("pin/ls", "list pins", {"type": kind})
            found |= {cid: pin["Type"] for cid, pin in (told.get("Keys") or {}).items()}
        return found

    # ── requests ─────────────────────────────────────────────────────────────────────────────────

    async def _one(
        self, method: str, what: str, params: Params | None = None, *, about: str = ""
    ) -> dict[str, Any]:
        async with self._post(method, what, params, about=about) as answer:
            lines = self._lines(await answer.read())
        if not lines:
            raise Unreachable(url=self.url, cause=f"the answer to {method} is empty")
        return lines[-1]

    @asynccontextmanager
    async def _post(
        self,
        method: str,
        what: str,
        params: Params | None = None,
        upload: Upload | None = None,
        *,
        about: str = "",
    ) -> AsyncIterator[Streamed]:
        async with AsyncExitStack() as stack:
            content = headers = None
            if upload is not None:
                # Closed here: a body of which only a part was sent would keep its file open.
                content = await stack.enter_async_context(aclosing(upload.pieces()))
                headers = {"content-type": upload.content_type}
            answer = await stack.enter_async_context(
                self._http.stream(
                    "POST", f"/api/v0/{method}", params=params, content=content, headers=headers
                )
            )
            if answer.status != _OK:
                raise self._fault(what, about, answer.status, await answer.read())
            yield answer

    def _fault(self, what: str, about: str, status: int, body: bytes) -> GraphError:
        try:
            message = str(json.loads(body)["Message"])
        except (ValueError, LookupError, TypeError):
            text = body.decode("utf-8", "replace")[:_EXCERPT].strip()
            cause = f"status {status}, and no answer of Kubo's: {text or 'an empty body'}"
            return Unreachable(url=self.url, cause=cause)
        lower = message.lower()
        if about and any(words in lower for words in _NO_CID):
            return InvalidCid(text=about, cause=message.rpartition("invalid cid: ")[2])
        if about and any(words in lower for words in _NOT_THERE):
            return ContentNotFound(what=about, cause=message)
        return IpfsFault(what=what, cause=message)

    def _lines(self, body: bytes) -> list[dict[str, Any]]:
        try:
            lines = [json.loads(line) for line in body.splitlines() if line.strip()]
        except ValueError as error:
            raise Unreachable(url=self.url, cause="the answer is not one of Kubo's") from error
        for line in lines:
            if not isinstance(line, dict):
                raise Unreachable(url=self.url, cause="the answer is not one of Kubo's")
            if line.get("Type") == "error":  # it went wrong when the answer had begun
                raise IpfsFault(what="add it", cause=str(line.get("Message")))
        return lines


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise IpfsFault(what=f"add {path}", cause=error.strerror or str(error)) from error


@contextmanager
def _writing(path: str, target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        cause = f"{error.filename or target}: {error.strerror or error}"
        raise IpfsFault(what=f"get {path}", cause=cause) from error


def _remove(half: Path) -> None:
    if half.is_dir():
        shutil.rmtree(half, ignore_errors=True)
    else:
        half.unlink(missing_ok=True)
