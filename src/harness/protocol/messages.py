"""Framing: JSON text to JSON-RPC 2.0 messages and back.

Knows nothing of methods and their parameters. Text is written as pure ASCII, so bytes that are no
UTF-8 and travel as lone surrogates (`surrogateescape`) reach the other side unchanged.

Source: JSON-RPC 2.0, sections 4 to 6. Batches are refused: calls are answered as they end anyway.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

from harness.errors import MalformedMessage

__all__ = [
    "MAX_MESSAGE_BYTES",
    "ErrorResponse",
    "Message",
    "Notification",
    "Request",
    "Response",
    "decode",
    "encode",
    "too_large",
]

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
"""The largest message either side accepts."""

_MAX_ID_LENGTH = 1_000


class Request(NamedTuple):
    """A call that wants an answer; `id` is chosen by the caller and unique among its open calls."""

    id: int | str
    method: str
    params: Mapping[str, Any]


class Notification(NamedTuple):
    """A message without an answer."""

    method: str
    params: Mapping[str, Any]


class Response(NamedTuple):
    """The result of a call; any JSON value."""

    id: int | str
    result: Any


class ErrorResponse(NamedTuple):
    """The failure of a call; `id` is None when the message could not be read far enough.

    `error` has code, message and data (kind, hint, details).
    """

    id: int | str | None
    error: Mapping[str, Any]


Message = Request | Notification | Response | ErrorResponse

_encoder = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), check_circular=False)

_DEEPEST = 10_000


def encode(message: Message) -> str:
    """Return a message as one line of ASCII.

    Raises:
        TypeError: params or result hold something JSON has no word for.
    """
    return _encoder.encode({"jsonrpc": "2.0", **message._asdict()})


def decode(text: str | bytes) -> Message:
    """Read one message.

    Raises:
        MalformedMessage: not JSON, or not JSON-RPC 2.0. Its details have the message's `id` when
            there is a usable one, and `code`, the JSON-RPC error code.
    """
    if sys.getrecursionlimit() > _DEEPEST:
        # Some library has raised it so far that nothing but brackets would overflow the stack.
        sys.setrecursionlimit(_DEEPEST)
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _malformed(f"it is not JSON: {error}", code=-32700) from None
    if isinstance(document, list):
        raise _malformed("batches are not supported; send the calls one by one")
    if not isinstance(document, dict):
        raise _malformed("it is no JSON object")
    identifier = document.get("id")
    if not _is_id(identifier):
        raise _malformed("its id is neither a string nor a whole number")
    if document.get("jsonrpc") != "2.0":
        raise _malformed('it has no "jsonrpc": "2.0"', identifier)
    if "method" in document:
        return _call(document, identifier)
    return _answer(document, identifier)


def _call(document: dict[str, Any], identifier: int | str | None) -> Request | Notification:
    method = document["method"]
    if not isinstance(method, str):
        raise _malformed("its method is no string", identifier)
    params = document.get("params", {})
    if not isinstance(params, dict):
        raise _malformed("its params are no object; name the parameters", identifier)
    if "id" not in document:
        return Notification(method, params)
    if identifier is None:
        raise _malformed("its id is null")
    return Request(identifier, method, params)


def _answer(document: dict[str, Any], identifier: int | str | None) -> Response | ErrorResponse:
    error = document.get("error")
    if isinstance(error, dict):
        return ErrorResponse(identifier, error)
    if "result" in document and identifier is not None:
        return Response(identifier, document["result"])
    raise _malformed("it is neither a call nor an answer", identifier)


def _is_id(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= _MAX_ID_LENGTH
    return value is None or (isinstance(value, int) and not isinstance(value, bool))


def _malformed(
    cause: str, identifier: int | str | None = None, *, code: int = -32600
) -> MalformedMessage:
    return MalformedMessage(
        f"cannot read the message: {cause}", details={"id": identifier, "code": code}
    )


def too_large(max_message_bytes: int) -> MalformedMessage:
    """Return the error about a message that is larger than accepted."""
    return MalformedMessage(
        f"cannot read the message: it is larger than {max_message_bytes} bytes",
        hint="send less at once",
        details={"id": None, "code": -32600},
    )
