"""The OpenRPC document, made from the types that calls are validated with.

Source: OpenRPC specification 1.3.2. Notifications have no place there and stand under
`x-notifications`, in the same form as methods.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import TypeAdapter

from .methods import METHODS
from .notifications import NOTIFICATIONS
from .validation import adapter

__all__ = ["OPENRPC_VERSION", "openrpc_document"]

OPENRPC_VERSION = "1.3.2"

_REF = "#/components/schemas/{model}"


def openrpc_document(*, version: str) -> dict[str, Any]:
    """Describe every method and notification; `version` is the daemon's."""
    inputs: list[tuple[str, Literal["validation", "serialization"], TypeAdapter[Any]]] = []
    for name, method in METHODS.items():
        inputs.append((f"{name} params", "validation", adapter(method.params)))
        inputs.append((f"{name} result", "validation", adapter(method.result)))
    for name, (_, params) in NOTIFICATIONS.items():
        inputs.append((f"{name} params", "validation", adapter(params)))
    schemas, shared = TypeAdapter.json_schemas(inputs, ref_template=_REF)
    definitions: dict[str, Any] = shared.get("$defs", {})
    found = {name: schema for (name, _), schema in schemas.items()}
    return {
        "openrpc": OPENRPC_VERSION,
        "info": {"title": "Graph Network Harness daemon", "version": version},
        "methods": [
            {
                "name": name,
                "summary": method.summary,
                "paramStructure": "by-name",
                "params": _parameters(found[f"{name} params"], definitions),
                "result": {"name": "result", "schema": found[f"{name} result"]},
                "x-changes": method.changes,
                "x-role": method.role.value,
            }
            for name, method in METHODS.items()
        ],
        "components": {"schemas": definitions},
        "x-notifications": [
            {
                "name": name,
                "summary": summary,
                "params": _parameters(found[f"{name} params"], definitions),
            }
            for name, (summary, _) in NOTIFICATIONS.items()
        ],
    }


def _parameters(schema: dict[str, Any], definitions: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the properties of an object's schema as content descriptors, in order."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rsplit("/", 1)[1]]
    required = schema.get("required", ())
    descriptors: list[dict[str, Any]] = []
    for name, property_schema in schema.get("properties", {}).items():
        descriptor = {"name": name, "required": name in required, "schema": property_schema}
        if "description" in property_schema:
            descriptor["description"] = property_schema["description"]
        descriptors.append(descriptor)
    return descriptors
