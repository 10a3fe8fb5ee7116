"""The gateway: content by GET and HEAD, parts of it, and single blocks.

Source: path and trustless gateway specifications of IPFS; RFC 9110 §14 on ranges.
"""

from __future__ import annotations

import html
import mimetypes
import re
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)

from graph_test_daemon.errors import GraphError
from graph_test_daemon.ipfs.errors import ContentNotFound, InvalidCid

from .paths import Found, Paths

__all__ = ["Gateway"]

_RAW = "application/vnd.ipld.raw"
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_FOR_EVER = "public, max-age=29030400, immutable"
_STATUSES: tuple[tuple[type[GraphError], int], ...] = (
    (ContentNotFound, 404),
    (InvalidCid, 400),
    (GraphError, 500),
)


class Gateway:
    """Serves `/ipfs/…`.

    Args:
        paths: into the content.
    """

    def __init__(self, paths: Paths) -> None:
        self._paths = paths

    async def __call__(self, request: Request) -> Response:
        """Answer a request."""
        path = request.path_params["path"]
        try:
            found = self._paths.find(path)
            tag = f'"{found.cid}"'
            if request.headers.get("if-none-match") in (tag, "*"):
                return Response(status_code=304, headers={"etag": tag})
            return self._answer(request, path, found, tag)
        except GraphError as error:
            status = next(number for of, number in _STATUSES if isinstance(error, of))
            return PlainTextResponse(f"{error}\n", status_code=status)

    def _answer(self, request: Request, path: str, found: Found, tag: str) -> Response:
        headers = {
            "etag": tag,
            "cache-control": _FOR_EVER,
            "x-ipfs-path": quote(f"/ipfs/{path}"),
            "x-content-type-options": "nosniff",
        }
        wanted = request.query_params.get("format", "")
        if wanted == "raw" or _RAW in request.headers.get("accept", ""):
            return Response(found.block, media_type=_RAW, headers=headers)
        if wanted:
            return PlainTextResponse(
                f'the format "{wanted}" is not supported; it is raw\n', status_code=400
            )
        if found.is_directory:
            if not path.endswith("/"):
                return RedirectResponse(quote(f"/ipfs/{path}/"), status_code=301)
            try:
                found = self._paths.child(found, "index.html")
            except ContentNotFound:
                return HTMLResponse(_listing(path, found), headers=headers)
        return self._file(request, found, headers)

    def _file(self, request: Request, found: Found, headers: dict[str, str]) -> Response:
        self._paths.check(found)
        size = found.size
        start, stop = 0, size
        status = 200
        if asked := _range(request.headers.get("range"), size):
            start, stop = asked
            if start >= size:
                headers = {"content-range": f"bytes */{size}"}
                return Response(status_code=416, headers=headers)
            status = 206
            headers["content-range"] = f"bytes {start}-{stop - 1}/{size}"
        headers["content-length"] = str(stop - start)
        headers["accept-ranges"] = "bytes"
        kind = mimetypes.guess_type(found.name)[0] or "application/octet-stream"
        if request.method == "HEAD" or start == stop:
            return Response(status_code=status, media_type=kind, headers=headers)
        content = self._paths.content(found, start=start, stop=stop)
        return StreamingResponse(content, status_code=status, media_type=kind, headers=headers)


def _range(header: str | None, size: int) -> tuple[int, int] | None:
    """Return the part that is asked for; None: all, or several, which may be answered by all."""
    asked = _RANGE.fullmatch(header or "")
    if asked is None or not (asked[1] or asked[2]):
        return None
    if not asked[1]:
        return max(0, size - int(asked[2])), size
    start = int(asked[1])
    if not asked[2]:
        return start, size
    stop = int(asked[2]) + 1
    return None if stop <= start else (start, min(stop, size))


def _listing(path: str, found: Found) -> str:
    entries = "".join(
        f'<li><a href="{quote(link.name)}">{html.escape(link.name)}</a> {link.cid}</li>\n'
        for link in found.links
    )
    title = html.escape(f"/ipfs/{path}")
    return f"<!doctype html><title>{title}</title>\n<h1>{title}</h1>\n<ul>\n{entries}</ul>\n"
