"""The JSON Schema for editors agrees with what loads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness.config import schema, template
from harness.config.nodes import plain
from harness.config.yaml12 import parse_yaml
from tests.unit.config.stacks import EXECUTORS, stack

CASES = Path(__file__).parents[2] / "cases" / "config"
GOOD = sorted(
    path.stem
    for path in CASES.glob("*.json")
    if "problems" not in json.loads(path.read_text())
    # These have a type in capitals or one that is not here, which the schema does not take.
    and path.stem not in ("dialect-b", "profiles")
)


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    made = schema(EXECUTORS)
    jsonschema.Draft202012Validator.check_schema(made)
    return jsonschema.Draft202012Validator(made)


def document(text: str) -> Any:
    node, _ = parse_yaml(text, file="f")
    assert node is not None
    return plain(node)


@pytest.mark.parametrize("case", GOOD)
def test_stack_that_loads_fits_the_schema(
    case: str, validator: jsonschema.Draft202012Validator
) -> None:
    validator.validate(document((CASES / f"{case}.yaml").read_text()))


@pytest.mark.parametrize(
    "text",
    [
        "typo: 1",
        "services: {a: {type: process, command: a, typo: 1}}",
        "services: {a: {type: nothing}}",
        "services: {a: {type: process, image: a}}",
        "services: {a: {type: box, command: a}}",
        "services: {a: {type: process, health_check: {htp: x}}}",
        "services: {a: {type: process, nice: abc}}",
        "services: {a: {type: process, depends_on: [{sevice: x}]}}",
        "tasks: {a: {command: a, outputs: 5}}",
        "workflows: {a: {description: no steps}}",
        "workflows: {a: {steps: [{sleep: 1, timeot: 3}]}}",
        "workflows: {a: {steps: [{exec: {service: x, comand: x}}]}}",
        "workflows: {a: {steps: [], finally: {sleep: 1}}}",
        "workflows: {a: {steps: [{parallel: {most: 1, steps: []}}]}}",
        "workflows: {a: {steps: [{if: x, then: [{strat: y}]}]}}",
        "workflows: {a: {steps: [], parameters: {n: {type: int}}}}",
        "workflows: {a: text}",
    ],
)
def test_stack_that_does_not_load_does_not_fit_the_schema(
    text: str, validator: jsonschema.Draft202012Validator
) -> None:
    assert not validator.is_valid(document(text))


def test_descriptions_come_from_the_dataclasses() -> None:
    definitions = schema(EXECUTORS)["$defs"]

    assert definitions["RawHttp"]["properties"]["url"]["description"] == "Absolute URL."
    assert "process.ProcessOptions" in definitions
    inherited = definitions["RawHealth"]["properties"]["start_period"]["description"]
    assert inherited == "Failures this soon after the start do not count."


def test_written_stack_file_loads_and_fits(
    tmp_path: Path, validator: jsonschema.Draft202012Validator
) -> None:
    spec = stack(tmp_path, template("first-stack"), project=None)

    assert spec.name == "first-stack"
    assert list(spec.units) == ["web", "greet"]
    assert [edge.on for edge in spec.units["greet"].depends_on] == ["web"]
    validator.validate(document(template()))
