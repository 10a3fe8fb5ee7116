"""The door: JSON values become parameter dataclasses, and results are read as their types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from harness.errors import InvalidParameters
from harness.validation import ValidationError, adapter, problems, validated

from .params import Params

__all__ = ["adapter", "parse_params", "parse_result"]

P = TypeVar("P", bound=Params)


def parse_params(of: type[P], params: Mapping[str, Any], *, method: str) -> P:
    """Return a call's parameters.

    Raises:
        InvalidParameters: they do not fit; the message has every path, and so have the details:
            `problems`, a list of {path, message}.
    """
    try:
        # The cast is what the adapter of this type returns.
        return cast("P", validated(of, params))
    except ValidationError as error:
        found = [{**problem, "path": problem["path"] or "params"} for problem in problems(error)]
    text = "; ".join(f"{problem['path']}: {problem['message']}" for problem in found)
    # Raised outside of the handler: pydantic's error would keep the values, environment included.
    raise InvalidParameters(
        f"cannot call {method}: {text}", details={"method": method, "problems": found}
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
