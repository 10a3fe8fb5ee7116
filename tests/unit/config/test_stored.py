"""A stack survives being stored as JSON."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import harness.config
from harness.config import StackCodec
from harness.errors import StorageError
from tests.unit.config.stacks import EXECUTORS, stack
from tests.unit.config.test_schema import CASES, GOOD

ONE = "services: {a: {type: process, command: a}}\n"


@pytest.mark.parametrize("case", GOOD)
def test_stored_stack_is_the_same_when_it_is_read_again(case: str, tmp_path: Path) -> None:
    shutil.copy(CASES / f"{case}.yaml", tmp_path / "harness.yaml")
    expected = json.loads((CASES / f"{case}.json").read_text())
    spec = stack(tmp_path, env=expected.get("env", {}))
    codec = StackCodec(EXECUTORS)

    assert codec.decode(json.loads(json.dumps(codec.encode(spec)))) == spec


def test_stored_stack_of_a_type_that_is_gone_is_refused(tmp_path: Path) -> None:
    value = StackCodec(EXECUTORS).encode(stack(tmp_path, ONE))

    with pytest.raises(StorageError, match="has the type process, which this installation"):
        StackCodec({}).decode(value)


@pytest.mark.parametrize("damage", [{"name": 5}, {"units": [{"kind": "service", "type": "box"}]}])
def test_stored_stack_that_is_damaged_is_refused(tmp_path: Path, damage: dict[str, object]) -> None:
    codec = StackCodec(EXECUTORS)
    value = codec.encode(stack(tmp_path, ONE))
    for key, item in damage.items():
        unit = value["units"][0]
        value[key] = [{**unit, **part} for part in item] if isinstance(item, list) else item

    with pytest.raises(StorageError, match="cannot read a stored stack"):
        codec.decode(value)


def test_package_has_no_other_names() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = harness.config.nothing  # type: ignore[attr-defined]
