from __future__ import annotations

import json
from typing import Any

import jsonschema

from harness.protocol import METHODS, NOTIFICATIONS, openrpc_document

_DOCUMENT = openrpc_document(version="1.2.3")


def _method(name: str) -> dict[str, Any]:
    return next(method for method in _DOCUMENT["methods"] if method["name"] == name)


def test_every_method_and_notification_is_described():
    assert [method["name"] for method in _DOCUMENT["methods"]] == list(METHODS)
    assert [n["name"] for n in _DOCUMENT["x-notifications"]] == list(NOTIFICATIONS)
    assert _DOCUMENT["info"]["version"] == "1.2.3"


def test_parameters_come_with_their_descriptions_and_whether_they_are_required():
    source, units, *_ = _method("services.up")["params"]
    assert (source["name"], source["required"]) == ("source", True)
    assert (units["name"], units["required"]) == ("units", False)
    assert units["description"] == "Units to bring up; empty: all."


def test_methods_say_whether_they_change_anything():
    assert _method("services.up")["x-changes"]
    assert not _method("services.status")["x-changes"]


def test_every_reference_leads_to_a_schema():
    text = json.dumps(_DOCUMENT)
    schemas = _DOCUMENT["components"]["schemas"]
    for part in text.split('"$ref": "')[1:]:
        reference = part.split('"', 1)[0]
        assert reference.removeprefix("#/components/schemas/") in schemas


def test_schemas_are_json_schema_and_fit_what_is_sent():
    schemas = _DOCUMENT["components"]["schemas"]
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    schema = {"$ref": "#/components/schemas/Source", "components": {"schemas": schemas}}
    jsonschema.validate({"directory": "/", "files": ["/a"]}, schema)


def test_the_document_is_plain_json():
    assert json.loads(json.dumps(_DOCUMENT)) == _DOCUMENT
