"""Values against types, by pydantic, and what does not fit in our words.

For the doors: what comes over the wire, and the parameters of actions. A type's adapter is made
when it is first needed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

__all__ = ["ValidationError", "adapter", "problems", "validated"]


def adapter(of: Any) -> TypeAdapter[Any]:
    """Return the validator of a type."""
    return _adapter(of)


@cache
def _adapter(of: Any) -> TypeAdapter[Any]:
    return TypeAdapter(of)


def validated(of: Any, values: Mapping[str, Any]) -> Any:
    """Return JSON values as a type; strictly: no number for a text, no text for a number.

    Only from JSON text is an array strictly a tuple and an object a dataclass. That reader refuses
    lone surrogates, which stand for bytes of an environment that are no UTF-8; then the lenient way
    is taken.

    Raises:
        ValidationError: they do not fit; `problems` makes words of it.
    """
    validator = adapter(of)
    try:
        return validator.validate_json(json.dumps(values), strict=True)
    except ValidationError as error:
        if error.errors(include_url=False)[0]["type"] != "json_invalid":
            raise
    return validator.validate_python(values)


def problems(error: ValidationError) -> list[dict[str, str]]:
    """Return what did not fit, each with `path` and `message`; never the values, which are private.

    A path is empty when the value as a whole is meant.
    """
    return [
        {"path": _path(problem["loc"]), "message": _message(problem["type"], problem["msg"])}
        for problem in error.errors(include_url=False, include_context=False)
    ]


def _path(location: tuple[int | str, ...]) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def _message(kind: str, message: str) -> str:
    if kind in ("unexpected_keyword_argument", "extra_forbidden"):
        return "unknown parameter"
    if kind in ("missing", "missing_argument", "missing_keyword_only_argument"):
        return "missing"
    message = message.removeprefix("Value error, ")
    return message[:1].lower() + message[1:]
