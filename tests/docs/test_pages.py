"""The pages say what is true: references are current, examples load, commands exist."""

from __future__ import annotations

import importlib.util
import shlex
from pathlib import Path

import click
import pytest

from harness.cli.root import harness
from harness.cli.session import Session
from harness.config import Source, validate
from harness.executors import option_types

from .blocks import DOCS, blocks, hand_written_pages

_spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
assert _spec is not None
assert _spec.loader is not None
generate = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(generate)

PAGES = hand_written_pages()
GENERATED = generate.pages()


@pytest.mark.parametrize("name", sorted(GENERATED))
def test_generated_page_is_current(name):
    current = (DOCS / "reference" / name).read_text(encoding="utf-8")
    assert current == GENERATED[name].rstrip() + "\n", "run: python docs/generate.py"


def stack_files() -> list[tuple[str, str]]:
    return [
        (f"{page.relative_to(DOCS.parent)}:{number}", block.text)
        for page in PAGES
        for number, block in enumerate(blocks(page))
        if block.language == "yaml"
    ]


@pytest.mark.parametrize("text", [pytest.param(t, id=name) for name, t in stack_files()])
def test_stack_file_on_a_page_is_valid(text: str, tmp_path: Path):
    path = tmp_path / "harness.yaml"
    path.write_text(text, encoding="utf-8")
    source = Source(files=(str(path),), directory=str(tmp_path), env={})
    report = validate(source, executors=option_types())
    assert not report.problems, "\n".join(map(str, report.problems))


def command_lines() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        for number, block in enumerate(blocks(page)):
            if block.language not in ("console", "sh"):
                continue
            for line in block.text.splitlines():
                if line.startswith("$ harness"):
                    place = f"{page.relative_to(DOCS.parent)}:{number}"
                    found.append((f"{place} {line}", line))
    return found


@pytest.mark.parametrize("line", [pytest.param(t, id=name) for name, t in command_lines()])
def test_command_on_a_page_exists_with_its_options(line: str):
    for part in line.removeprefix("$ ").replace("&&", ";").split(";"):
        words = shlex.split(part.split("#")[0].split("|")[0], comments=True)
        if words[:1] == ["harness"]:
            _parse(harness, words[1:], None)


def _parse(command: click.Command, words: list[str], parent: click.Context | None) -> None:
    session = Session() if parent is None else None
    context = command.make_context(command.name, list(words), parent=parent, obj=session)
    if isinstance(command, click.Group):
        rest = [*context._protected_args, *context.args]
        name, found, rest = command.resolve_command(context, rest)
        assert found is not None, name
        _parse(found, rest, context)
