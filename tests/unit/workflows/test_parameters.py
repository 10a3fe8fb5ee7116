"""The parameters of a workflow: their schema, and what a run is given."""

from __future__ import annotations

from typing import Any

import pytest

from harness.cli.action_arguments import shape
from harness.errors import ConfigSchemaError, InvalidParameters
from harness.workflows.parameters import missing_parameters, parameters_schema, read_parameters

from .running import workflow

OF = workflow(
    parameters={
        "n": {"type": "integer", "choices": [1, 2], "default": 1, "description": "how many"},
        "who": {"type": "string", "default": None},
        "names": {"type": "list", "default": ["a"]},
        "must": {"type": "boolean"},
    },
    steps=[],
)


def test_what_is_left_out_has_its_default_and_no_two_runs_share_it() -> None:
    read = read_parameters(OF, {"must": True})
    assert read == {"n": 1, "who": None, "names": ["a"], "must": True}
    read["names"].append("b")
    assert read_parameters(OF, {"must": True, "who": None})["names"] == ["a"]


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({}, "must: "),
        ({"must": True, "n": 3}, "n: "),
        ({"must": True, "n": None}, "n: "),
        ({"must": True, "who": 5}, "who: "),
        ({"must": "yes"}, "must: "),
        ({"must": True, "nmes": []}, "nmes: "),
    ],
)
def test_what_does_not_fit_is_named_by_its_path(given: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidParameters) as failure:
        read_parameters(OF, given)
    assert f"cannot run workflow w: {path}" in str(failure.value)


def test_what_is_missing_can_be_left_out_to_look_at_the_rest() -> None:
    assert missing_parameters(OF, {"must": False}) == ()
    missing = missing_parameters(OF, {"n": 2})
    assert missing == ("must",)
    assert read_parameters(OF, {"n": 2}, without=missing)["n"] == 2
    with pytest.raises(InvalidParameters, match="n: "):
        read_parameters(OF, {"n": 3}, without=missing)


def test_the_schema_says_all_of_it() -> None:
    schema = parameters_schema(OF)
    assert (schema["required"], schema["additionalProperties"]) == (["must"], False)
    number = schema["properties"]["n"]
    assert (number["enum"], number["default"], number["description"]) == ([1, 2], 1, "how many")
    assert schema["properties"]["names"]["default"] == ["a"]
    assert {"type": "null"} in schema["properties"]["who"]["anyOf"]


def test_a_duration_is_given_as_everywhere_and_read_as_seconds() -> None:
    of = workflow(
        parameters={
            "limit": {"type": "duration", "description": "how long"},
            "rest": {"type": "duration", "default": "1m30s"},
            "none": {"type": "duration", "default": None},
            "one": {"type": "duration", "choices": ["10s", "1m"], "default": "10s"},
        },
        steps=[],
    )
    read = read_parameters(of, {"limit": "500ms", "none": 2, "one": "1m"})
    assert read == {"limit": 0.5, "rest": 90.0, "none": 2.0, "one": 60.0}
    assert read_parameters(of, {"limit": "7"}) == {
        "limit": 7.0, "rest": 90.0, "none": None, "one": 10.0,
    }  # fmt: skip
    schema = parameters_schema(of)
    kinds = [shape(schema["properties"][name], schema) for name in ("limit", "rest", "none", "one")]
    assert kinds == ["duration", "duration", "duration or nothing", "10s|1m"]
    assert schema["properties"]["rest"]["default"] == "1m30s"
    assert schema["properties"]["limit"]["description"] == "how long"
    with pytest.raises(InvalidParameters, match="limit: input should be seconds, or text") as told:
        read_parameters(of, {"limit": "my password"})
    assert "password" not in str(told.value)
    for given in ({"limit": -1}, {"limit": True}, {"limit": None}, {"limit": 1, "one": "2m"}):
        with pytest.raises(InvalidParameters):
            read_parameters(of, given)


@pytest.mark.parametrize("default", ["10 seconds", -1, [1], True])
def test_a_default_that_is_no_duration_is_refused(default: Any) -> None:
    with pytest.raises(ConfigSchemaError, match="is no duration"):
        workflow(parameters={"t": {"type": "duration", "default": default}}, steps=[])


def test_a_list_of_paths_is_one_for_whoever_makes_them_absolute() -> None:
    of = workflow(parameters={"dirs": {"type": "paths"}}, steps=[])
    assert parameters_schema(of)["properties"]["dirs"]["items"] == {
        "type": "string",
        "format": "path",
    }
    assert read_parameters(of, {"dirs": ["/a", "/b"]}) == {"dirs": ["/a", "/b"]}
    with pytest.raises(InvalidParameters, match="dirs: "):
        read_parameters(of, {"dirs": "/a"})
