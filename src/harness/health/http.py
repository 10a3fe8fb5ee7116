"""Checks over HTTP: http, jsonrpc and graphql; how an answer is judged."""

from __future__ import annotations

import json
import ssl
from typing import Any

from harness.model import GraphqlCheck, HttpCheck, JsonRpcCheck
from harness.patterns import PatternError, compile_pattern

from .http_exchange import Answer, Request, exchange
from .result import Outcome, excerpt

__all__ = ["HttpProber"]

_JSON_HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}


class HttpProber:
    """Runs the checks that speak HTTP; they share one TLS context, made at the first https check.

    Certificates are verified against the machine's trusted ones.
    """

    def __init__(self) -> None:
        self._context: ssl.SSLContext | None = None

    async def check_http(self, check: HttpCheck) -> Outcome:
        """Send the request; status, headers and body are judged in this order."""
        request = Request(
            url=check.url,
            method=check.method,
            headers=check.request_headers,
            read_body=check.body is not None,
        )
        answer = await exchange(request, tls=self._tls)
        return (False, answer) if isinstance(answer, str) else await _judge_http(check, answer)

    async def check_jsonrpc(self, check: JsonRpcCheck) -> Outcome:
        """Call the method; the answer's `error` is the failure's message."""
        try:
            params = json.loads(check.params)
        except ValueError:
            return False, f"the parameters are not JSON: {excerpt(check.params)}"
        call = {"jsonrpc": "2.0", "id": 1, "method": check.method, "params": params}
        answer = await self._post(check.url, call)
        return (False, answer) if isinstance(answer, str) else await _judge_jsonrpc(check, answer)

    async def check_graphql(self, check: GraphqlCheck) -> Outcome:
        """Send the query; the first of the answer's `errors` is the failure's message."""
        answer = await self._post(check.url, {"query": check.query})
        return (False, answer) if isinstance(answer, str) else await _judge_graphql(check, answer)

    async def _post(self, url: str, document: object) -> Answer | str:
        content = json.dumps(document).encode()
        request = Request(url=url, method="POST", headers=_JSON_HEADERS, content=content)
        return await exchange(request, tls=self._tls)

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = ssl.create_default_context()
        return self._context


async def _judge_http(check: HttpCheck, answer: Answer) -> Outcome:
    status = answer.status
    accepted = status in check.status if check.status else 200 <= status < 400
    if not accepted:
        wanted = ", ".join(map(str, check.status)) or "200 to 399"
        return False, f"status {status}, wanted {wanted}{_quoted(answer.body)}"
    for name, pattern in check.headers.items():
        value = answer.headers.get(name.lower())
        if value is None:
            return False, f"status {status}, but no header {name}"
        if (problem := await _mismatch(pattern, value, f"header {name}")) is not None:
            return False, f"{problem}: {excerpt(value)}"
    if check.body is not None:
        text = answer.body.decode("utf-8", "replace")
        if (problem := await _mismatch(check.body, text, "body")) is not None:
            return False, f"{problem}{_quoted(answer.body)}"
    return True, f"status {status}"


async def _judge_jsonrpc(check: JsonRpcCheck, answer: Answer) -> Outcome:
    document = _document(answer)
    if not isinstance(document, dict) or not document.keys() & {"result", "error"}:
        return False, f"status {answer.status}, not a JSON-RPC answer{_quoted(answer.body)}"
    error = document.get("error")
    if error is not None:
        return False, f"{check.method} answered {_rpc_error(error)}"
    return await _judge_json(check.result, document.get("result"), "result")


async def _judge_graphql(check: GraphqlCheck, answer: Answer) -> Outcome:
    document = _document(answer)
    if not isinstance(document, dict) or not document.keys() & {"data", "errors"}:
        return False, f"status {answer.status}, not a GraphQL answer{_quoted(answer.body)}"
    errors = document.get("errors")
    if errors:
        first = errors[0] if isinstance(errors, list) else errors
        message = first.get("message") if isinstance(first, dict) else first
        return False, f"the query answered an error: {excerpt(str(message))}"
    return await _judge_json(check.data, document.get("data"), "data")


def _document(answer: Answer) -> Any:
    """Return the body as JSON, or None if it is none."""
    try:
        return json.loads(answer.body)
    except ValueError:
        return None


async def _judge_json(pattern: str | None, value: object, noun: str) -> Outcome:
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    if pattern is not None and (problem := await _mismatch(pattern, text, noun)) is not None:
        return False, f"{problem}: {excerpt(text)}"
    return True, f"{noun} {excerpt(text, 80)}"


def _rpc_error(error: object) -> str:
    if not isinstance(error, dict):
        return f"an error: {excerpt(str(error))}"
    return f"error {error.get('code')}: {excerpt(str(error.get('message')))}"


async def _mismatch(pattern: str, text: str, noun: str) -> str | None:
    """Return None if `pattern` is found in `text`, else the failure's message."""
    try:
        found = await compile_pattern(pattern).is_found(text)
    except PatternError as error:
        return f"/{excerpt(pattern)}/ {error}"
    return None if found else f"no match for /{excerpt(pattern)}/ in {noun}"


def _quoted(body: bytes) -> str:
    text = excerpt(body)
    return f" (first {min(len(body), 200)} bytes: {text})" if text else ""
