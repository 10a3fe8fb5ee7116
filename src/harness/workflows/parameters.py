"""The parameters of a workflow as a type: their JSON Schema, and what a run is given checked."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from copy import deepcopy
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from harness.actions import Duration
from harness.config import parse_duration
from harness.errors import InvalidParameters
from harness.model import Parameter, Workflow
from harness.validation import ValidationError, adapter, problems, validated

__all__ = ["missing_parameters", "parameters_schema", "read_parameters"]

_PATH = Annotated[str, WithJsonSchema({"type": "string", "format": "path"})]

_TYPES: Mapping[str, Any] = {
    "string": str,
    "path": _PATH,
    "paths": list[_PATH],
    "integer": int,
    "number": float,
    "duration": Duration,
    "boolean": bool,
    "list": list[Any],
    "object": dict[str, Any],
}


def parameters_schema(workflow: Workflow) -> dict[str, Any]:
    """Return the JSON Schema of the parameters, an object."""
    return adapter(_type(workflow)).json_schema()


def missing_parameters(workflow: Workflow, given: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of parameters that a run must be given and is not."""
    return tuple(p.name for p in workflow.parameters.values() if p.required and p.name not in given)


def read_parameters(
    workflow: Workflow, given: Mapping[str, Any], *, without: Collection[str] = ()
) -> dict[str, Any]:
    """Return every parameter's value, JSON values.

    Args:
        workflow: what they are of.
        given: values by name.
        without: names of those that are left out.

    Raises:
        InvalidParameters: they do not fit; every path is named.
    """
    try:
        read = validated(_type(workflow, without), given)
    except ValidationError as error:
        found = problems(error)
        text = "; ".join(f"{p['path']}: {p['message']}" for p in found)
        raise InvalidParameters(
            f"cannot run workflow {workflow.name}: {text}",
            hint=f"`harness workflow info {workflow.name}` shows what it takes",
            details={"workflow": workflow.name, "problems": found},
        ) from None
    return dataclasses.asdict(read)


def _type(workflow: Workflow, without: Collection[str] = ()) -> type:
    shown = (p for p in workflow.parameters.values() if p.name not in without)
    fields = [(p.name, _hint(p), _default(p)) for p in shown]
    return dataclasses.make_dataclass(
        "Parameters",
        fields,
        kw_only=True,
        frozen=True,
        namespace={"__pydantic_config__": {"extra": "forbid"}},
    )


def _hint(parameter: Parameter) -> Any:
    hint = _TYPES[parameter.type]
    if parameter.choices:
        hint = Literal[parameter.choices]
        if parameter.type == "duration":
            hint = Annotated[hint, AfterValidator(parse_duration)]
    if not parameter.required and parameter.default is None:
        hint = hint | None
    # What is made anew for each run is not in a schema by itself.
    shown: Any = {"default": parameter.default} if _is_made(parameter) else None
    return Annotated[hint, Field(description=parameter.description, json_schema_extra=shown)]


def _default(parameter: Parameter) -> Any:
    if parameter.required:
        return dataclasses.field()
    if not _is_made(parameter):
        return dataclasses.field(default=parameter.default)
    make = parse_duration if parameter.type == "duration" else deepcopy
    return dataclasses.field(default_factory=partial(make, parameter.default))


def _is_made(parameter: Parameter) -> bool:
    """Tell whether its default is not the very value that was written."""
    default = parameter.default
    return isinstance(default, list | dict) or (
        parameter.type == "duration" and default is not None
    )
