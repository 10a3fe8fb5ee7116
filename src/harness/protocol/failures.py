"""Errors on the wire: every `HarnessError` becomes an error object and the same class again.

The stable thing is `data.kind`; the JSON-RPC code only says which of the protocol's own failures
it was, and is -32000 for everything of the product.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness import errors
from harness.errors import ConfigError, HarnessError, Problem, RemoteFailure

__all__ = ["INTERNAL_ERROR", "error_from_wire", "error_kinds", "error_to_wire"]

INTERNAL_ERROR = "internal-error"
"""Kind of an answer to a call that met a defect of the daemon."""

_APPLICATION_CODE = -32000
_CODES = {
    "malformed-message": -32600,
    "method-not-found": -32601,
    "invalid-parameters": -32602,
    INTERNAL_ERROR: -32603,
}


def error_kinds() -> dict[str, type[HarnessError]]:
    """Return every kind this version knows → its class."""
    found: dict[str, type[HarnessError]] = {}
    for name in errors.__all__:
        value = getattr(errors, name)
        if isinstance(value, type) and issubclass(value, HarnessError):
            found[value.kind] = value
    return found


def error_to_wire(error: HarnessError) -> dict[str, Any]:
    """Return an error as a JSON-RPC error object: code, message and data (kind, hint, details)."""
    kind = error.remote_kind if isinstance(error, RemoteFailure) else error.kind
    facts = {name: _plain(getattr(error, name, None)) for name in error.facts}
    details = {**facts, **error.details}
    if isinstance(error, ConfigError):
        details["problems"] = [_problem_to_wire(problem) for problem in error.problems]
    code = details.get("code") if kind == "malformed-message" else None
    return {
        "code": code if isinstance(code, int) else _CODES.get(kind, _APPLICATION_CODE),
        "message": str(error),
        "data": {"kind": kind, "hint": error.hint, "details": details},
    }


def error_from_wire(document: Mapping[str, Any]) -> HarnessError:
    """Return the error that an error object stands for.

    The class is found by kind and has the same message, hint, details and attributes of its own;
    an attribute that the document lacks is None. An unknown kind becomes a `RemoteFailure`.
    """
    data = document.get("data")
    data = data if isinstance(data, Mapping) else {}
    message = str(document.get("message", "the daemon gave no reason"))
    hint = data.get("hint")
    hint = hint if isinstance(hint, str) else None
    details = data.get("details")
    details = details if isinstance(details, Mapping) else {}
    kind = str(data.get("kind", f"code {document.get('code')}"))
    found = error_kinds().get(kind)
    if found is None or found is RemoteFailure:
        return RemoteFailure(message, remote_kind=kind, hint=hint, details=details)
    error = found.__new__(found)
    # The class's own constructor builds the message from facts; here the message exists already.
    HarnessError.__init__(error, message, hint=hint, details=details)
    for name in found.facts:
        value = details.get(name)
        setattr(error, name, tuple(value) if isinstance(value, list) else value)
    if isinstance(error, ConfigError):
        problems = details.get("problems", ())
        error.problems = tuple(_problem_from_wire(problem) for problem in problems)
    return error


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _problem_to_wire(problem: Problem) -> dict[str, Any]:
    return {name: getattr(problem, name) for name in Problem.__slots__}


def _problem_from_wire(document: Mapping[str, Any]) -> Problem:
    facts: dict[str, Any] = {name: document.get(name) for name in Problem.__slots__}
    return Problem(**facts)
