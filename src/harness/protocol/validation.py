"""The door: JSON values become parameter dataclasses, results become JSON values.

The only place that knows pydantic. A type's adapter is made when it is first needed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from harness.errors import InvalidParameters

from .params import Params

__all__ = ["adapter", "parse_params", "parse_result"]

P = TypeVar("P", bound=Params)


def adapter(of: Any) -> TypeAdapter[Any]:
    """Return the validator of a type."""
    return _adapter(of)


@cache
def _adapter(of: Any) -> TypeAdapter[Any]:
    return TypeAdapter(of)


def parse_params(of: type[P], params: Mapping[str, Any], *, method: str) -> P:
    """Return a call's parameters.

    Raises:
        InvalidParameters: they do not fit; the message has every path, and so have the details:
            `problems`, a list of {path, message}.
    """
    try:
        # The cast is what the adapter of this type returns.
        return cast("P", _validated(adapter(of), params))
    except ValidationError as error:
        problems = [
            {"path": _path(problem["loc"]), "message": _message(problem["type"], problem["msg"])}
            for problem in error.errors(include_url=False, include_context=False)
        ]
    text = "; ".join(f"{problem['path']}: {problem['message']}" for problem in problems)
    # Raised outside of the handler: pydantic's error would keep the values, environment included.
    raise InvalidParameters(
        f"cannot call {method}: {text}", details={"method": method, "problems": problems}
    )


def parse_result(of: Any, value: Any) -> Any:
    """Return the result of a call as its type; for typed clients and tests.

    Raises:
        InvalidParameters: it does not fit.
    """
    try:
        return adapter(of).validate_python(value)
    except ValidationError as error:
        raise InvalidParameters(f"cannot read the result: {error}") from error


def _validated(of: TypeAdapter[Any], params: Mapping[str, Any]) -> Any:
    """Validate strictly: no number for a text, no text for a number.

    Only from JSON text is an array strictly a tuple and an object a dataclass. That reader refuses
    lone surrogates, which stand for bytes of an environment that are no UTF-8; then the lenient way
    is taken.
    """
    try:
        return of.validate_json(json.dumps(params), strict=True)
    except ValidationError as error:
        if error.errors(include_url=False)[0]["type"] != "json_invalid":
            raise
    return of.validate_python(params)


def _path(location: tuple[int | str, ...]) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".") or "params"


def _message(kind: str, message: str) -> str:
    if kind in ("unexpected_keyword_argument", "extra_forbidden"):
        return "unknown parameter"
    if kind in ("missing", "missing_argument", "missing_keyword_only_argument"):
        return "missing"
    return message[:1].lower() + message[1:]
