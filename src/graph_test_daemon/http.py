"""HTTP to one service: kept connections, a deadline for everything, errors in our own words.

Source: httpx2, which runs on asyncio and trio. It is loaded with the first request.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import Unreachable

if TYPE_CHECKING:
    import httpx2

__all__ = ["Answer", "Http", "Params", "Streamed"]

Params = Mapping[str, str | list[str]]

_CONNECT_S = 5.0
_EXCERPT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A response: header names in lower case, the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text; what is not UTF-8 is replaced."""
        return self.body.decode("utf-8", "replace")

    @property
    def excerpt(self) -> str:
        """The beginning of the body, on one line, for messages."""
        return " ".join(self.text.split())[:_EXCERPT]


@dataclass(frozen=True, slots=True)
class Streamed:
    """A response whose body is still coming; `pieces` of it can be read once."""

    status: int
    pieces: AsyncIterator[bytes]

    async def read(self) -> bytes:
        """Return what is left of the body."""
        return b"".join([piece async for piece in self.pieces])


class Http:
    """One service over HTTP.

    Args:
        url: where it is; paths are added to it.
        timeout_s: how long an answer may take.
    """

    def __init__(self, url: str, *, timeout_s: float = 30.0) -> None:
        self.url = url.rstrip("/")
        self._timeout_s = timeout_s
        self._client: httpx2.AsyncClient | None = None

    async def request(
        self,
        method: str,
        path: str = "",
        *,
        json: Any = None,
        content: bytes | None = None,
        files: Any = None,
        params: Params | None = None,
        timeout_s: float | None = None,
    ) -> Answer:
        """Send a request and return the answer, whatever its status is.

        Args:
            method: of HTTP.
            path: begins with a slash, or is empty.
            json: a document to send; `content` or `files` are given in its place.
            content: bytes to send.
            files: as httpx2 takes them, for a multipart form.
            params: of the query.
            timeout_s: how long the answer may take, instead of the usual.

        Raises:
            Unreachable: there was no answer.
        """
        sent: dict[str, Any] = {"params": params}
        if json is not None:
            sent["json"] = json
        elif files is not None:
            sent["files"] = files
        elif content is not None:
            sent["content"] = content
        async with self._mapped(timeout_s) as (client, timeout):
            response = await client.request(method, self.url + path, timeout=timeout, **sent)
        return Answer(
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=response.content,
        )

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        path: str = "",
        *,
        content: AsyncIterable[bytes] | None = None,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> AsyncIterator[Streamed]:
        """Send a request, and give its answer as it comes, whatever its status is.

        Args:
            method: of HTTP.
            path: begins with a slash, or is empty.
            content: what to send, a piece at a time.
            params: of the query.
            headers: besides the usual ones.
            timeout_s: how long each piece may take, instead of the usual.

        Raises:
            Unreachable: there was no answer, or it ended too early.
        """
        async with (
            self._mapped(timeout_s) as (client, timeout),
            client.stream(
                method,
                self.url + path,
                content=content,
                params=params,
                headers=headers,
                timeout=timeout,
            ) as response,
            aclosing(response.aiter_bytes()) as pieces,
        ):
            yield Streamed(response.status_code, pieces)

    async def aclose(self) -> None:
        """Close its connections; it may be used again."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    @asynccontextmanager
    async def _mapped(
        self, timeout_s: float | None
    ) -> AsyncIterator[tuple[httpx2.AsyncClient, httpx2.Timeout]]:
        import httpx2

        if self._client is None:
            logger = logging.getLogger("httpx2")
            if logger.level == logging.NOTSET:  # each request would be a line of a daemon's log
                logger.setLevel(logging.WARNING)
            # The services are on this machine or named by the stack file: no proxy is in between.
            self._client = httpx2.AsyncClient(trust_env=False)
        limit_s = self._timeout_s if timeout_s is None else timeout_s
        timeout = httpx2.Timeout(limit_s, connect=min(_CONNECT_S, limit_s))
        try:
            yield self._client, timeout
        except httpx2.TimeoutException as error:
            raise Unreachable(url=self.url, cause=f"no answer within {limit_s:g} s") from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise Unreachable(url=self.url, cause=str(error) or type(error).__name__) from error
