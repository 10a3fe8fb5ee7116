"""Kubo's methods besides `add`: what each answers to a request.

Each is a function of the request, the query and the service; what it raises becomes Kubo's error.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from graph_test_daemon.ipfs.blocks import Kind, Link
from graph_test_daemon.ipfs.cid import DAG_PB, RAW, Cid
from graph_test_daemon.ipfs.dag import unixfs
from graph_test_daemon.ipfs.errors import IpfsFault
from graph_test_daemon.ipfs.store import Pin, Store

from . import multipart, tar
from .faults import BadRequest
from .identity import Identity
from .paths import Found, Paths
from .query import Query, content_path, encoder

__all__ = ["METHODS", "Method", "Methods"]

_KUBO = "0.40.0"
"""Whose methods these are."""

_REPO_VERSION = "18"
_LARGEST_BLOCK = 2 << 20
_CODECS = {"raw": RAW, "dag-pb": DAG_PB, "protobuf": DAG_PB, "dag-cbor": 0x71, "cbor": 0x71}


class Methods:
    """What the methods work on.

    Args:
        store: of the content.
        identity: of this server.
    """

    def __init__(self, store: Store, identity: Identity) -> None:
        self.store = store
        self.identity = identity
        self.paths = Paths(store)

    # ── the server ───────────────────────────────────────────────────────────────────────────────

    async def version(self, request: Request, query: Query) -> Response:
        """Tell what this is."""
        return JSONResponse(
            {
                "Version": _KUBO,
                "Commit": "graph-test-daemon",
                "Repo": _REPO_VERSION,
                "System": f"{platform.machine()}/{sys.platform}",
                "Golang": "",
            }
        )

    async def id(self, request: Request, query: Query) -> Response:
        """Tell who this is; it has no peers, so it has no addresses."""
        return JSONResponse(
            {
                "ID": self.identity.peer_id,
                "PublicKey": self.identity.public_key,
                "Addresses": [],
                "AgentVersion": f"kubo/{_KUBO}/graph-test-daemon",
                "Protocols": [],
            }
        )

    async def repo_stat(self, request: Request, query: Query) -> Response:
        """Tell how much there is."""
        count, size = self.store.stat()
        return JSONResponse(
            {
                "RepoSize": size,
                "StorageMax": 0,
                "NumObjects": count,
                "RepoPath": str(self.store.root),
                "Version": f"fs-repo@{_REPO_VERSION}",
            }
        )

    async def repo_gc(self, request: Request, query: Query) -> Response:
        """Remove what no pin keeps."""
        return _lines({"Key": {"/": str(cid)}} for cid in self.store.collect_garbage())

    # ── content ──────────────────────────────────────────────────────────────────────────────────

    async def cat(self, request: Request, query: Query) -> Response:
        """Send the content of a file, or a part of it."""
        found = self.paths.find(query.only("ipfs-path"))
        self.paths.check(found)
        start = query.number("offset", 0)
        length = query.number("length", found.size)
        if start < 0 or length < 0:
            raise BadRequest(f"cannot specify negative {'offset' if start < 0 else 'length'}")
        stop = min(found.size, start + length)
        size = max(0, stop - start)
        headers = {"content-length": str(size), "x-content-length": str(size)}
        content = self.paths.content(found, start=start, stop=start + size)
        return StreamingResponse(content, media_type="text/plain", headers=headers)

    async def get(self, request: Request, query: Query) -> Response:
        """Send a file or a folder as a tar archive."""
        if query.flag("compress"):
            raise BadRequest('the option "compress" is not supported')
        found = self.paths.find(query.only("ipfs-path"))
        self.store.check(found.cid)
        return StreamingResponse(tar.archive(self.paths, found), media_type="application/x-tar")

    async def ls(self, request: Request, query: Query) -> Response:
        """Tell what is in folders."""
        paths = query.arguments or [query.argument("ipfs-path")]
        written = encoder(query)
        objects = []
        for path in paths:
            found = self.paths.find(path)
            links = [self._listed(link, written) for link in _entries(found)]
            objects.append({"Hash": path, "Links": links})
        if not query.flag("stream"):
            return JSONResponse({"Objects": objects})
        return _lines(
            {"Objects": [{"Hash": listed["Hash"], "Links": [link]}]}
            for listed in objects
            for link in listed["Links"]
        )

    def _listed(self, link: Link, written: Callable[[Cid], str]) -> dict[str, Any]:
        data = unixfs(link.cid, self.store.block(link.cid))[1]
        kind = Kind.FILE if data.kind is Kind.RAW else data.kind
        return {
            "Name": link.name,
            "Hash": written(link.cid),
            "Size": data.size or 0,
            "Type": int(kind),
            "Target": data.data.decode("utf-8", "replace") if kind is Kind.SYMLINK else "",
        }

    # ── blocks ───────────────────────────────────────────────────────────────────────────────────

    async def block_get(self, request: Request, query: Query) -> Response:
        """Send a block as it is."""
        found = self.paths.find(query.only("cid"))
        return Response(found.block, media_type="application/octet-stream")

    async def block_stat(self, request: Request, query: Query) -> Response:
        """Tell how large a block is."""
        found = self.paths.find(query.only("cid"))
        return JSONResponse({"Key": encoder(query)(found.cid), "Size": len(found.block)})

    async def block_put(self, request: Request, query: Query) -> Response:
        """Keep blocks, and tell their names."""
        name = query.text("format") or query.text("cid-codec", "raw")
        if query.text("mhtype", "sha2-256") != "sha2-256":
            raise BadRequest(f"unrecognized multihash function: {query.text('mhtype')}")
        if name != "v0" and name not in _CODECS:
            raise BadRequest(f'unknown codec "{name}"; it is one of {", ".join(_CODECS)}')
        form = multipart.Form(request.headers.get("content-type", ""))
        told = []
        with self.store.session() as session:
            async for block in _parts(request, form):
                codec, version = (DAG_PB, 0) if name == "v0" else (_CODECS[name], 1)
                cid = Cid.of(block, codec=codec, version=version)
                session.put(cid, block)
                if query.flag("pin"):
                    self.store.pin(cid, Pin("recursive"))
                told.append({"Key": encoder(query)(cid), "Size": len(block)})
        return _lines(told)

    # ── pins ─────────────────────────────────────────────────────────────────────────────────────

    async def pin_add(self, request: Request, query: Query) -> Response:
        """Keep content from garbage collection."""
        query.argument("ipfs-path")
        recursive = query.flag("recursive", default=True)
        pin = Pin("recursive" if recursive else "direct", query.text("name"))
        pinned = []
        for path in query.arguments:
            cid = self.paths.find(path).cid
            self.store.pin(cid, pin)
            pinned.append(encoder(query)(cid))
        return _lines([{"Pins": pinned}])

    async def pin_rm(self, request: Request, query: Query) -> Response:
        """Keep content no longer."""
        query.argument("ipfs-path")
        recursive = query.flag("recursive", default=True)
        unpinned = []
        pins = self.store.pins()
        for path in query.arguments:
            cid = self.paths.find(path).cid if "/" in path.strip("/") else content_path(path)[0]
            pin = pins.get(str(cid))
            if pin is not None and pin.type == "recursive" and not recursive:
                raise IpfsFault(what=f"unpin {cid}", cause=f"{cid} is pinned recursively")
            self.store.unpin(cid)
            unpinned.append(encoder(query)(cid))
        return _lines([{"Pins": unpinned}])

    async def pin_ls(self, request: Request, query: Query) -> Response:
        """Tell what is kept, and how."""
        wanted = query.text("type", "all")
        if wanted not in ("direct", "indirect", "recursive", "all"):
            raise BadRequest(
                f"invalid type '{wanted}', must be one of {{direct, indirect, recursive, all}}"
            )
        found = self._pinned(wanted, query)
        part = query.text("name")
        if part:
            found = {cid: pin for cid, pin in found.items() if part in pin["Name"]}
        if not (part or query.flag("names")):
            found = {cid: {**pin, "Name": ""} for cid, pin in found.items()}
        if query.flag("stream"):
            return _lines({"Cid": cid, **pin} for cid, pin in found.items())
        return JSONResponse({"Keys": found})

    def _pinned(self, wanted: str, query: Query) -> Mapping[str, dict[str, str]]:
        written = encoder(query)
        pins = self.store.pins()
        known = {
            name: {"Type": pin.type, "Name": pin.name}
            for name, pin in pins.items()
            if wanted in ("all", pin.type)
        }
        if query.arguments or wanted in ("all", "indirect"):
            for name, root in self.store.indirect().items():
                how = f"indirect through {root}" if query.arguments else "indirect"
                if wanted in ("all", "indirect"):
                    known[name] = {"Type": how, "Name": ""}
        if query.arguments:
            asked = {path: str(self.paths.find(path).cid) for path in query.arguments}
            for path, name in asked.items():
                if name not in known:
                    raise IpfsFault(what="list pins", cause=f"path '{path}' is not pinned")
            known = {name: known[name] for name in asked.values()}
        return {written(Cid.parse(name)): pin for name, pin in known.items()}

    # ── identifiers ──────────────────────────────────────────────────────────────────────────────

    async def cid_format(self, request: Request, query: Query) -> Response:
        """Write identifiers in other forms."""
        query.argument("cid")
        if query.text("f", "%s") != "%s":
            raise BadRequest("the only format that is supported is %s")
        return _lines(_formatted(text, query) for text in query.arguments)


def _formatted(text: str, query: Query) -> dict[str, str]:
    cid = Cid.parse(text)
    codec = query.text("mc")
    if codec:
        if codec not in _CODECS:
            raise BadRequest(f'unknown codec "{codec}"; it is one of {", ".join(_CODECS)}')
        cid = Cid(cid.version, _CODECS[codec], cid.hash_code, cid.digest)
    if query.text("v"):
        cid = cid.as_version(query.number("v", 0))
    base = query.text("b")
    if base and base != "base58btc":
        cid = cid.as_version(1)
    named = query.having("cid-base", base) if base else query
    return {"CidStr": text, "Formatted": encoder(named)(cid), "ErrorMsg": ""}


Method = Callable[[Methods, Request, Query], Awaitable[Response]]

METHODS: Mapping[str, Method] = {
    "block/get": Methods.block_get,
    "block/put": Methods.block_put,
    "block/stat": Methods.block_stat,
    "cat": Methods.cat,
    "cid/format": Methods.cid_format,
    "get": Methods.get,
    "id": Methods.id,
    "ls": Methods.ls,
    "pin/add": Methods.pin_add,
    "pin/ls": Methods.pin_ls,
    "pin/rm": Methods.pin_rm,
    "repo/gc": Methods.repo_gc,
    "repo/stat": Methods.repo_stat,
    "version": Methods.version,
}
"""By their paths below `/api/v0`."""


def _entries(found: Found) -> tuple[Link, ...]:
    kind = unixfs(found.cid, found.block)[1].kind
    if kind is Kind.SHARDED_DIRECTORY:
        raise IpfsFault(what=f"list {found.cid}", cause="folders of many blocks are unsupported")
    return found.links if kind is Kind.DIRECTORY else ()


async def _parts(request: Request, form: multipart.Form) -> AsyncIterator[bytes]:
    """Return the parts of a form, each whole."""
    part = bytearray()
    async for data in request.stream():
        for found in form.feed(data):
            if isinstance(found, bytes):
                part += found
            if isinstance(found, multipart.PartEnd):
                yield bytes(part)
                part.clear()
            if len(part) > _LARGEST_BLOCK:
                raise BadRequest(
                    "produced block is over 2MiB: big blocks can't be exchanged with other peers"
                )
    form.finish()


def _lines(documents: Iterable[Mapping[str, Any]]) -> Response:
    lines = (json.dumps(document, separators=(",", ":")) + "\n" for document in documents)
    return Response("".join(lines), media_type="application/json")
