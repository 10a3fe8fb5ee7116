"""`add`: a form of files and folders becomes blocks while it comes.

Without `progress` the answer is sent when all is stored, so that its status tells how it went. With
it each line is sent as it is known; a failure then ends the connection, after a last line on it.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Generator, Iterator
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from graph_test_daemon.ipfs.cid import Cid
from graph_test_daemon.ipfs.dag import CHUNK_SIZE, Added, FileWriter, directory
from graph_test_daemon.ipfs.store import FileSink, Pin, Session, Store

from . import multipart
from .faults import REFUSED, BadRequest, refusal, refusal_document
from .options import Options
from .query import Query

__all__ = ["Add"]

Event = dict[str, Any]
Folder = dict[str, "Added | Folder"]


class Add:
    """The method `add`, an ASGI application.

    Args:
        store: that content goes into.
        max_size: bytes that a request may have; None: any number.
    """

    def __init__(self, store: Store, *, max_size: int | None) -> None:
        self._store = store
        self._max_size = max_size

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        request = Request(scope, receive)
        query = Query(request.query_params)
        try:
            options = Options(query)
            form = multipart.Form(request.headers.get("content-type", ""))
            events = self._events(request, options, form)
            if options.shows_progress:
                await _send_as_they_come(events, send)
                return
            lines = [_line(event) async for event in events]
            response = Response(b"".join(lines), media_type="application/json")
        except ClientDisconnect:
            return
        except REFUSED as error:
            await _drain(request)
            response = refusal(error)
        await response(scope, receive, send)

    async def _events(
        self, request: Request, options: Options, form: multipart.Form
    ) -> AsyncIterator[Event]:
        size = 0
        with self._store.session() as session:
            adding = _Adding(self._store, session, options)
            async for data in request.stream():
                size += len(data)
                if self._max_size is not None and size > self._max_size:
                    raise BadRequest(f"a request may have {self._max_size} bytes at most")
                for found in form.feed(data):
                    for event in adding.take(found):
                        yield event
            form.finish()
            for event in adding.finish():
                yield event


class _Adding:
    """The files and folders of one request."""

    def __init__(self, store: Store, session: Session, options: Options) -> None:
        self._store = store
        self._session = session
        self._options = options
        self._put = session.put if options.stores else _nowhere
        self._top: Folder = {}
        self._count = 0
        self._path: tuple[str, ...] = ()
        self._sink: FileSink | FileWriter | None = None
        self._size = 0

    def take(self, found: multipart.Part | bytes | multipart.PartEnd) -> Iterator[Event]:
        """Take a piece of the form; return what there is to tell."""
        if isinstance(found, multipart.Part):
            self._begin(found)
        elif self._sink is None:
            return  # a folder has no content
        elif isinstance(found, bytes):
            self._sink.write(found)
            before, self._size = self._size, self._size + len(found)
            if before // CHUNK_SIZE != self._size // CHUNK_SIZE:
                yield from self._progress()
        else:
            if self._size % CHUNK_SIZE:
                yield from self._progress()
            yield from self._end(self._sink.finish())

    def finish(self) -> Iterator[Event]:
        """Make folders of what was added, and pin what is not inside another."""
        if not self._count:
            raise BadRequest("expected a file argument")
        if self._options.wraps:
            self._pin((yield from self._folder("", self._top)).cid)
            return
        for name in sorted(self._top, key=str.encode):
            inside = self._top[name]
            if isinstance(inside, dict):
                self._pin((yield from self._folder(name, inside)).cid)

    def _begin(self, part: multipart.Part) -> None:
        self._count += 1
        self._path = part.path
        self._size = 0
        self._sink = None
        if part.is_directory:
            self._inside(part.path)
        elif self._options.stores:
            self._sink = self._session.file(self._options.form)
        else:
            self._sink = FileWriter(_nowhere, self._options.form)

    def _end(self, added: Added) -> Iterator[Event]:
        self._sink = None
        path = self._path or (str(added.cid),)
        if len(path) == 1 and not self._options.wraps:
            self._pin(added.cid)
        else:
            folder = self._inside(path[:-1])
            if path[-1] in folder:
                raise BadRequest(f'directory already has entry by that name: "{"/".join(path)}"')
            folder[path[-1]] = added
        yield from self._told("/".join(path), added)

    def _inside(self, path: tuple[str, ...]) -> Folder:
        folder = self._top
        for name in path:
            inside = folder.setdefault(name, {})
            if not isinstance(inside, dict):
                raise BadRequest(f'"{"/".join(path)}" is a file, and there is something in it')
            folder = inside
        return folder

    def _folder(self, path: str, folder: Folder) -> Generator[Event, None, Added]:
        """Make a folder, the ones within it before; its root is what the generator returns."""
        entries: dict[str, Added] = {}
        for name in sorted(folder, key=str.encode):
            inside = folder[name]
            if isinstance(inside, dict):
                inside = yield from self._folder(f"{path}/{name}".strip("/"), inside)
            entries[name] = inside
        made = directory(self._put, entries, version=self._options.form.version)
        yield from self._told(path, made)
        return made

    def _pin(self, cid: Cid) -> None:
        if self._options.pins:
            self._store.keep(cid, Pin("recursive", self._options.pin_name))

    def _told(self, name: str, added: Added) -> Iterator[Event]:
        if not self._options.is_silent:
            yield {
                "Name": name,
                "Hash": self._options.written(added.cid),
                "Size": str(added.total),  # a text: Kubo's clients refuse a number
            }

    def _progress(self) -> Iterator[Event]:
        if self._options.shows_progress:
            yield {"Name": "/".join(self._path), "Bytes": self._size}


def _nowhere(cid: Cid, block: bytes) -> None:
    """Keep nothing."""


async def _send_as_they_come(events: AsyncIterator[Event], send: Send) -> None:
    headers = [(b"content-type", b"application/json"), (b"x-chunked-output", b"1")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    try:
        async for event in events:
            await send({"type": "http.response.body", "body": _line(event), "more_body": True})
    except ClientDisconnect:
        return
    except REFUSED as error:
        line = _line(refusal_document(error))
        await send({"type": "http.response.body", "body": line, "more_body": True})
        return  # without an end of the body, so that the connection ends with it
    await send({"type": "http.response.body", "body": b""})


async def _drain(request: Request) -> None:
    """Let the client finish sending: many read no answer before."""
    try:
        async for _ in request.stream():
            pass
    except (ClientDisconnect, RuntimeError):  # gone; or all of it was read before
        pass


def _line(event: Event) -> bytes:
    return json.dumps(event, separators=(",", ":")).encode() + b"\n"
