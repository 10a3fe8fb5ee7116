"""Checks over HTTP: http, jsonrpc and graphql.

Every try opens a new connection and closes it: what is asked is whether the service takes new
clients, and a kept connection would delay its graceful stop. Proxies from the environment are
ignored. Redirects are not followed, no cookie is kept.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio
from anyio import to_thread

from harness.model import GraphqlCheck, HttpCheck, JsonRpcCheck

from .causes import cause_of
from .result import Outcome, excerpt

if TYPE_CHECKING:
    import ssl

    import httpx2

__all__ = ["MAX_BODY_BYTES", "HttpProber"]

MAX_BODY_BYTES = 1024 * 1024
_DRAIN_BYTES = 64 * 1024
_DRAIN_S = 0.05
_JSON_HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """A response, its body cut off after `MAX_BODY_BYTES`."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def document(self) -> Any:
        """Return the body as JSON.

        Raises:
            ValueError: it is none.
        """
        return json.loads(self.body)


class HttpProber:
    """Runs the checks that speak HTTP over one transport, made at the first of them.

    An exception of the HTTP library never leaves this class: it becomes the check's message.
    """

    def __init__(self) -> None:
        self._transport: httpx2.AsyncHTTPTransport | None = None
        self._lock = anyio.Lock()

    async def aclose(self) -> None:
        """Close the transport; the next check would make a new one."""
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.aclose()

    async def check_http(self, check: HttpCheck) -> Outcome:
        """Send the request; status, headers and body are judged in this order."""
        answer = await self._exchange(
            check.method, check.url, headers=check.request_headers, body=check.body is not None
        )
        return (False, answer) if isinstance(answer, str) else _judge_http(check, answer)

    async def check_jsonrpc(self, check: JsonRpcCheck) -> Outcome:
        """Call the method; the answer's `error` is the failure's message."""
        try:
            params = json.loads(check.params)
        except ValueError:
            return False, f"the parameters are not JSON: {excerpt(check.params)}"
        call = {"jsonrpc": "2.0", "id": 1, "method": check.method, "params": params}
        answer = await self._exchange(
            "POST", check.url, headers=_JSON_HEADERS, content=json.dumps(call).encode()
        )
        return (False, answer) if isinstance(answer, str) else _judge_jsonrpc(check, answer)

    async def check_graphql(self, check: GraphqlCheck) -> Outcome:
        """Send the query; the first of the answer's `errors` is the failure's message."""
        content = json.dumps({"query": check.query}).encode()
        answer = await self._exchange("POST", check.url, headers=_JSON_HEADERS, content=content)
        return (False, answer) if isinstance(answer, str) else _judge_graphql(check, answer)

    async def _exchange(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes | None = None,
        body: bool = True,
    ) -> _Answer | str:
        """Return the answer, or in words why there is none."""
        transport = await self._ready_transport()
        import httpx2  # 100 ms to import; by now the transport has loaded it

        try:
            fields = httpx2.Headers({"Accept": "*/*", "Accept-Encoding": "identity"})
            fields.update(headers)
            request = httpx2.Request(method, url, headers=fields, content=content)
            if request.url.scheme in ("http", "https") and not request.url.host:
                return f'"{excerpt(url)}" is not a URL: it has no host'
            if request.url.userinfo and "Authorization" not in request.headers:
                credentials = f"{request.url.username}:{request.url.password}".encode()
                request.headers["Authorization"] = f"Basic {b64encode(credentials).decode()}"
            response = await transport.handle_async_request(request)
            try:
                data = await (_read(response) if body else _drain(response))
            finally:
                await response.aclose()
        except httpx2.InvalidURL as error:
            return f'"{excerpt(url)}" is not a URL: {error}'
        except httpx2.UnsupportedProtocol:
            return f'"{excerpt(url)}" is not an http or https URL'
        except httpx2.RemoteProtocolError as error:
            return f"no HTTP answer: {excerpt(str(error))}"
        except httpx2.HTTPError as error:
            return cause_of(error)
        except ValueError as error:
            return f"the request cannot be sent: {excerpt(str(error))}"
        return _Answer(status=response.status_code, headers=response.headers, body=data)

    async def _ready_transport(self) -> httpx2.AsyncHTTPTransport:
        if self._transport is None:
            async with self._lock:
                if self._transport is None:
                    context = await to_thread.run_sync(_load)
                    self._transport = _transport(context)
        return self._transport


def _load() -> ssl.SSLContext:
    """Import the library and read the trusted certificates: slow, so not in the event loop."""
    import httpx2  # see above

    return httpx2.create_ssl_context(trust_env=False)


def _transport(context: ssl.SSLContext) -> httpx2.AsyncHTTPTransport:
    import httpx2  # see above

    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=0)
    return httpx2.AsyncHTTPTransport(verify=context, limits=limits, trust_env=False)


async def _read(response: httpx2.Response) -> bytes:
    """Return the body, or its first `MAX_BODY_BYTES`."""
    data = bytearray()
    with anyio.CancelScope() as scope:
        await _take(response.aiter_bytes(), data, MAX_BODY_BYTES, scope)
    return bytes(data[:MAX_BODY_BYTES])


async def _drain(response: httpx2.Response) -> bytes:
    """Take a small body nobody asked for, so that the service sees an ordinary end.

    A body that has no end, such as a stream of events, is left after a moment; how it ends does
    not matter.
    """
    import httpx2  # see above

    data = bytearray()
    with anyio.move_on_after(_DRAIN_S) as scope, suppress(httpx2.HTTPError):
        await _take(response.aiter_raw(), data, _DRAIN_BYTES, scope)
    return bytes(data)


async def _take(
    chunks: AsyncIterator[bytes], data: bytearray, limit: int, scope: anyio.CancelScope
) -> None:
    """Append chunks to `data` up to about `limit`, then cancel `scope`.

    The library's iterators are nested generators; leaving the loop would not close the inner ones.
    """
    async for chunk in chunks:
        data += chunk
        if len(data) >= limit:
            scope.cancel()


def _judge_http(check: HttpCheck, answer: _Answer) -> Outcome:
    status = answer.status
    accepted = status in check.status if check.status else 200 <= status < 400
    if not accepted:
        wanted = ", ".join(map(str, check.status)) or "200 to 399"
        return False, f"status {status}, wanted {wanted}{_quoted(answer.body)}"
    for name, pattern in check.headers.items():
        value = answer.headers.get(name)
        if value is None:
            return False, f"status {status}, but no header {name}"
        if (problem := _mismatch(pattern, value, f"header {name}")) is not None:
            return False, f"{problem}: {excerpt(value)}"
    if check.body is not None:
        text = answer.body.decode("utf-8", "replace")
        if (problem := _mismatch(check.body, text, "body")) is not None:
            return False, f"{problem}{_quoted(answer.body)}"
    return True, f"status {status}"


def _judge_jsonrpc(check: JsonRpcCheck, answer: _Answer) -> Outcome:
    try:
        document = answer.document()
    except ValueError:
        document = None
    if not isinstance(document, dict) or not document.keys() & {"result", "error"}:
        return False, f"status {answer.status}, not a JSON-RPC answer{_quoted(answer.body)}"
    error = document.get("error")
    if error is not None:
        return False, f"{check.method} answered {_rpc_error(error)}"
    return _judge_json(check.result, document.get("result"), "result")


def _judge_graphql(check: GraphqlCheck, answer: _Answer) -> Outcome:
    try:
        document = answer.document()
    except ValueError:
        document = None
    if not isinstance(document, dict) or not document.keys() & {"data", "errors"}:
        return False, f"status {answer.status}, not a GraphQL answer{_quoted(answer.body)}"
    errors = document.get("errors")
    if errors:
        first = errors[0] if isinstance(errors, list) else errors
        message = first.get("message") if isinstance(first, dict) else first
        return False, f"the query answered an error: {excerpt(str(message))}"
    return _judge_json(check.data, document.get("data"), "data")


def _judge_json(pattern: str | None, value: object, noun: str) -> Outcome:
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    if pattern is not None and (problem := _mismatch(pattern, text, noun)) is not None:
        return False, f"{problem}: {excerpt(text)}"
    return True, f"{noun} {excerpt(text, 80)}"


def _rpc_error(error: object) -> str:
    if not isinstance(error, dict):
        return f"an error: {excerpt(str(error))}"
    return f"error {error.get('code')}: {excerpt(str(error.get('message')))}"


def _mismatch(pattern: str, text: str, noun: str) -> str | None:
    """Return None if `pattern` is found in `text`, else the failure's message."""
    try:
        found = re.search(pattern, text)
    except re.error as error:
        return f"/{excerpt(pattern)}/ is not a regular expression ({error})"
    return None if found else f"no match for /{excerpt(pattern)}/ in {noun}"


def _quoted(body: bytes) -> str:
    text = excerpt(body)
    return f" (first {min(len(body), 200)} bytes: {text})" if text else ""
