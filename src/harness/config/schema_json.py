"""The JSON Schema of a stack file, made from the dataclasses that check it."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from . import schema_health, schema_raw
from .schema_check import adapter
from .schema_raw import RawService, RawStack, RawTask
from .schema_workflow import RawWorkflow

__all__ = ["stack_schema"]

Schema = dict[str, Any]

_SUBSTITUTED = {"type": "string", "pattern": r"\$\{"}


def stack_schema(executors: Mapping[str, type], checks: Mapping[str, type]) -> Schema:
    """Return the schema, draft 2020-12.

    It accepts what `load` accepts, but for names of types, which it wants in lower case, and for
    what no schema can say: references, names and conditions between units.
    """
    definitions: Schema = {}
    stack = _definition(RawStack, "", definitions)
    own = {type_: _definition(cls, f"{type_}.", definitions) for type_, cls in executors.items()}
    own_checks = {n: _definition(cls, f"{n}.", definitions) for n, cls in checks.items()}
    for name, raw in (("service", RawService), ("task", RawTask)):
        definitions[name] = _unit(name, _definition(raw, "", definitions), own)
        definitions.pop(raw.__name__, None)
    definitions["template"] = {
        "type": "object",
        "properties": {
            **definitions["task"]["properties"],
            **definitions["service"]["properties"],
        },
    }
    definitions.pop(RawStack.__name__, None)
    for name in ("RawCheck", "RawProbe", "RawHealth"):
        _add_checks(definitions[name]["properties"]["custom"], own_checks)
    definitions["workflow"] = _definition(RawWorkflow, "", definitions)
    definitions["workflow"]["required"] = ["steps"]
    definitions.pop(RawWorkflow.__name__, None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Stack file",
        **{key: value for key, value in stack.items() if key != "title"},
        "properties": {
            **stack["properties"],
            "templates": _named("template", "Blocks that units extend."),
            "services": _named("service", "Units that are to keep running."),
            "tasks": _named("task", "Units that are to end with success once."),
            "workflows": _named("workflow", "What `harness workflow run` does, by name."),
        },
        "patternProperties": {"^x-": {}},
        "$defs": definitions,
    }


def _definition(type_: type, prefix: str, definitions: Schema) -> Schema:
    """Return a dataclass's schema; put it and those inside it into `definitions`."""
    made = adapter(type_, described=True).json_schema(ref_template=f"#/$defs/{prefix}{{model}}")
    parts: Schema = made.get("$defs", {})
    value = made["properties"]["value"]
    name = value["$ref"].rsplit("/", 1)[1].removeprefix(prefix) if "$ref" in value else None
    for key, part in parts.items():
        definitions[prefix + key] = _relaxed(_described(part, key))
    schema: Schema = definitions[prefix + name] if name else _relaxed(value)
    return schema


def _described(schema: Schema, name: str) -> Schema:
    """Add the docstrings of inherited fields, which pydantic does not look for.

    They stand above what a field's type says of itself, as those of the class's own fields do.
    """
    kind = getattr(schema_raw, name, None) or getattr(schema_health, name, None)
    bases = [base for base in kind.__mro__ if base is not object] if kind else []
    texts: dict[str, str] = {}
    for base in reversed(bases):
        texts |= _docstrings(base)
    for field, text in texts.items():
        if field in schema.get("properties", {}):
            schema["properties"][field]["description"] = text
    return schema


def _docstrings(of: type) -> dict[str, str]:
    """Return field → the docstring under it, as they stand in a class's source."""
    body = ast.parse(inspect.getsource(of)).body[0]
    found: dict[str, str] = {}
    for field, after in pairwise(body.body if isinstance(body, ast.ClassDef) else ()):
        if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
            continue
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            found[field.target.id] = inspect.cleandoc(str(after.value.value))
    return found


def _named(definition: str, description: str) -> Schema:
    return {
        "type": "object",
        "description": description,
        "additionalProperties": {"$ref": f"#/$defs/{definition}"},
    }


def _unit(name: str, common: Schema, own: Mapping[str, Schema]) -> Schema:
    """Return a unit's schema: the common keys, and those of the type it names."""
    properties = dict(common["properties"])
    properties["type"] = {
        "description": "Which executor runs it.",
        "anyOf": [{"enum": sorted(own)}, _SUBSTITUTED],
    }
    properties["dependencies"] = {
        **properties["depends_on"],
        "description": "The same as depends_on.",
    }
    properties["env"] = {
        "description": f"{properties['env'].get('description', '')} A map, or NAME=value lines.",
        "anyOf": [
            {k: v for k, v in properties["env"].items() if k != "description"},
            {"type": "array", "items": {"type": "string", "pattern": "="}},
        ],
    }
    properties["name"] = {"type": "string", "description": "The unit's own name, if repeated."}
    properties["target"] = {
        "$ref": f"#/$defs/{name}",
        "description": "`type` and its options in a block of their own.",
    }
    by_type: dict[str, Schema] = {}
    for type_, schema in own.items():
        by_type[type_] = dict(schema.get("properties", {}))
        if "limits" in by_type[type_]:
            by_type[type_].setdefault("resources", by_type[type_]["limits"])
    every = {key: True for keys in by_type.values() for key in keys}
    return {
        "type": "object",
        "description": common.get("description", ""),
        "properties": properties,
        "allOf": [
            {
                "if": {"properties": {"type": {"const": type_}}, "required": ["type"]},
                "then": {"properties": keys},
            }
            for type_, keys in by_type.items()
        ],
        "if": {"properties": {"type": {"enum": sorted(own)}}, "required": ["type"]},
        "else": {"properties": every},
        "unevaluatedProperties": False,
    }


def _add_checks(custom: Schema, own: Mapping[str, Schema]) -> None:
    """Say which checks plugins bring, and what options each takes."""
    custom["anyOf"] = [
        {"enum": sorted(own)},
        _SUBSTITUTED,
        {
            "type": "object",
            "properties": {name: {"anyOf": [kind, {"type": "null"}]} for name, kind in own.items()},
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
        },
        {"type": "null"},
    ]


def _relaxed(schema: Any) -> Any:
    """Allow what loading repairs: `${NAME}` where no text is wanted, numbers where text is."""
    if isinstance(schema, list):
        return [_relaxed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kind = schema.get("type")
    if "enum" in schema or "const" in schema or kind in ("integer", "number", "boolean"):
        described = {key: schema[key] for key in ("description", "default") if key in schema}
        inner = {key: value for key, value in schema.items() if key not in described}
        return {**described, "anyOf": [inner, _SUBSTITUTED]}
    if kind == "string":
        return {**schema, "type": ["string", "number", "boolean"]}
    result = dict(schema)
    for key in ("items", "additionalProperties", "anyOf", "oneOf"):
        if key in result:
            result[key] = _relaxed(result[key])
    if isinstance(result.get("additionalProperties"), dict):  # null takes an inherited key away
        result["additionalProperties"] = {
            "anyOf": [result["additionalProperties"], {"type": "null"}]
        }
    if "properties" in result:
        result["properties"] = {k: _relaxed(v) for k, v in result["properties"].items()}
    return result
