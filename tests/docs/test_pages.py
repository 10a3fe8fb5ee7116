"""The pages are complete: references are current, every command and every guide has its place."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from typing import Any

import click
import pytest

from harness.cli.root import harness

from .blocks import DOCS, hand_written_pages


def _loaded(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


generate = _loaded("generate")
client_results = _loaded("client_results")

PAGES = hand_written_pages()
GENERATED = generate.pages()


def test_the_types_of_what_a_client_gets_are_current() -> None:
    current = client_results.TARGET.read_text(encoding="utf-8")
    assert current == client_results.text(), "run: python docs/generate.py"


@pytest.mark.parametrize("name", sorted(GENERATED))
def test_generated_page_is_current(name):
    current = (DOCS / "reference" / name).read_text(encoding="utf-8")
    assert current == GENERATED[name].rstrip() + "\n", "run: python docs/generate.py"


def command_names(command: click.Command, path: str = "harness") -> Iterator[str]:
    children = command.commands.values() if isinstance(command, click.Group) else ()
    if not children:
        yield path
    for child in children:
        yield from command_names(child, f"{path} {child.name}")


@pytest.mark.parametrize("name", list(command_names(harness)))
def test_command_is_on_a_page(name: str):
    options = r"(-\S+ (\S+ )?)*"
    words = re.compile(name.replace("harness ", rf"harness {options}", 1) + r"\b")
    assert any(words.search(page.read_text(encoding="utf-8")) for page in PAGES)


def test_guides_are_in_their_index():
    guides = [page.stem for page in (DOCS / "how-to").glob("*.md") if page.name != "index.md"]
    lines = (DOCS / "how-to" / "index.md").read_text(encoding="utf-8").splitlines()
    assert [name for name in guides if name not in lines] == []
