"""Keys that pages of the documentation name in running text exist."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from harness.config import schema_health, schema_raw, schema_workflow
from harness.config.nodes import Map
from harness.config.yaml12 import parse_yaml
from harness.executors import option_types
from tests.docs.blocks import ROOT, hand_written_pages
from tests.unit.config.stacks import source

_SPAN = re.compile(r"`([a-z_]+:\s[^`]+)`")
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def inline() -> list[Any]:
    found = []
    for page in hand_written_pages():
        text = _FENCED.sub("", page.read_text(encoding="utf-8"))
        name = page.relative_to(ROOT)
        found += [pytest.param(span, id=f"{name} {span}") for span in _SPAN.findall(text)]
    return found


def keys_of(module: Any) -> set[str]:
    kinds = [getattr(module, name) for name in module.__all__]
    return {f.name for kind in kinds if dataclasses.is_dataclass(kind) for f in fields(kind)}


def fields(kind: Any) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(kind)


KEYS = keys_of(schema_raw) | keys_of(schema_health) | keys_of(schema_workflow)
KEYS |= {f.name for kind in option_types().values() for f in fields(kind)}


@pytest.mark.parametrize("span", inline())
def test_key_in_running_text_exists(span: str, tmp_path: Path) -> None:
    tree, _ = parse_yaml(re.sub(r"\s+", " ", span), file="page")
    assert isinstance(tree, Map)
    assert set(tree.entries) <= KEYS


@pytest.mark.parametrize("span", [p for p in inline() if str(p.values[0]).startswith("settings:")])
def test_settings_in_running_text_are_taken(span: str, tmp_path: Path) -> None:
    from harness.config import validate

    text = f"services: {{a: {{type: process, command: a}}}}\n{span}\n"

    assert not validate(source(tmp_path, text), executors=option_types()).problems
