"""The aggregator over HTTP: JSON-RPC 2.0 on `POST /`, counts on `GET /metrics`.

Whatever is sent, its sender gets an error and the next one an answer.
Source: JSON-RPC 2.0 §4 to §6.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any, NoReturn

import anyio
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from .aggregator import Aggregator
from .methods import CallRefused, Methods

__all__ = ["LARGEST_BATCH", "LARGEST_REQUEST_BYTES", "application"]

logger = logging.getLogger(__name__)

LARGEST_REQUEST_BYTES = 10 * 1024 * 1024
LARGEST_BATCH = 100
"""Calls in one request."""

_SENT_WITHIN_S = 30.0
_NOT_JSON = -32700
_NO_REQUEST = -32600
_INTERNAL = -32603


class _Refused(Exception):
    """A request is answered with a status and an error, before any call is made."""

    def __init__(self, status: int, code: int, message: str) -> None:
        self.status = status
        self.document = _error(None, code, message)
        super().__init__(message)


def application(
    aggregator: Aggregator, *, largest_request_bytes: int = LARGEST_REQUEST_BYTES
) -> Starlette:
    """Return the application that a server runs.

    Args:
        aggregator: signs vouchers.
        largest_request_bytes: what is larger is refused with status 413.
    """
    methods = Methods(aggregator)

    async def rpc(request: Request) -> Response:
        try:
            document = _parsed(await _body(request, largest_request_bytes))
        except _Refused as refused:
            return _response(refused.document, refused.status)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        answer = await _answered(methods, document)
        return Response(status_code=204) if answer is None else _response(answer)

    async def metrics(_: Request) -> Response:
        return PlainTextResponse(methods.counts.text())

    return Starlette(
        routes=[
            Route("/", rpc, methods=["POST"]),
            Route("/metrics", metrics, methods=["GET"]),
        ]
    )


async def _body(request: Request, largest: int) -> bytes:
    body = bytearray()
    try:
        with anyio.fail_after(_SENT_WITHIN_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > largest:
                    raise _Refused(413, _NO_REQUEST, f"the request has more than {largest} bytes")
    except TimeoutError:
        raise _Refused(408, _NO_REQUEST, f"it took longer than {_SENT_WITHIN_S:g} s") from None
    return bytes(body)


def _parsed(body: bytes) -> Any:
    try:
        # A number of thousands of digits, and what is nested too deep, is refused here, too.
        return json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise _Refused(200, _NOT_JSON, f"the request is no JSON: {error}") from error


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


async def _answered(methods: Methods, document: Any) -> Any:
    """Return the answer to a request or to a batch; None: there is none to be sent."""
    if not isinstance(document, list):
        return await _answered_call(methods, document)
    if not document:
        return _error(None, _NO_REQUEST, "the batch is empty")
    if len(document) > LARGEST_BATCH:
        return _error(None, _NO_REQUEST, f"the batch has more than {LARGEST_BATCH} calls")
    answers = [await _answered_call(methods, call) for call in document]
    return [answer for answer in answers if answer is not None] or None


async def _answered_call(methods: Methods, call: Any) -> Any:
    match call:
        case {"jsonrpc": "2.0", "method": str(method)}:
            params, number = call.get("params", []), call.get("id")
        case _:
            return _error(None, _NO_REQUEST, "it is no call of JSON-RPC 2.0")
    if not isinstance(number, (str, int, type(None))) or isinstance(number, bool):
        return _error(None, _NO_REQUEST, "an id is a text, a whole number or null")
    if not isinstance(params, (list, Mapping)):
        return _error(number, _NO_REQUEST, "params is a list or an object")
    answer = await _outcome(methods, method, params, number)
    return answer if "id" in call else None


async def _outcome(methods: Methods, method: str, params: Any, number: Any) -> Any:
    try:
        result = await methods.call(method, params)
    except CallRefused as refused:
        return _error(number, refused.code, refused.message, refused.data)
    except Exception:
        # One call must not end the server; its cause is in the log.
        logger.exception("Cannot answer a call of %s", method[:80])
        return _error(number, _INTERNAL, "internal error")
    return {"jsonrpc": "2.0", "id": number, "result": result}


def _error(number: Any, code: int, message: str, data: Any = None) -> dict[str, Any]:
    error = {"code": code, "message": message} | ({} if data is None else {"data": data})
    return {"jsonrpc": "2.0", "id": number, "error": error}


def _response(document: Any, status: int = 200) -> Response:
    # Other than Starlette's own, this has only ASCII: half a surrogate can be sent back.
    return Response(json.dumps(document), status, media_type="application/json")
