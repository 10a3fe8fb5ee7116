"""Fenced blocks of Markdown pages, and what the blocks of a page ask for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "DOCS",
    "ROOT",
    "Block",
    "Command",
    "File",
    "blocks",
    "hand_written_pages",
    "steps",
]

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TITLE = re.compile(r"(?:#|//) ([\w./-]+\.\w+)\n")
_STATUS = re.compile(r"# .*\bexits with (\d+)")
_PROMPT, _INTERRUPT = "$ ", "^C"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block: its language and its text."""

    language: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file that the page wants written.

    Attributes:
        name: its path in the reader's folder.
        text: what is in it.
    """

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A line that the page wants typed.

    Attributes:
        line: for a shell.
        shown: what the page shows below it; empty if it shows nothing.
        status: what the line exits with.
        interrupted: Ctrl-C ends it, once it has shown all that.
    """

    line: str
    shown: str
    status: int
    interrupted: bool


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    return [
        Block(language=match[1], text=match[2])
        for match in _FENCE.finditer(page.read_text(encoding="utf-8"))
    ]


def steps(page: Path) -> Iterator[File | Command]:
    """Return what a reader of the page does, in order."""
    for block in blocks(page):
        if block.language == "console":
            yield from _commands(block.text)
        elif title := _TITLE.match(block.text):
            yield File(name=title[1], text=block.text)


def _commands(text: str) -> Iterator[Command]:
    for part in re.split(r"^(?=\$ )", text, flags=re.MULTILINE):
        line, _, shown = part.partition("\n")
        assert line.startswith(_PROMPT) or not part, f"not below a command: {part}"
        if not part:
            continue
        status = _STATUS.search(line)
        lines = shown.splitlines()
        interrupted = lines[-1:] == [_INTERRUPT]
        yield Command(
            line=line.removeprefix(_PROMPT),
            shown="\n".join(lines[:-1] if interrupted else lines),
            status=int(status[1]) if status else 0,
            interrupted=interrupted,
        )


def hand_written_pages() -> list[Path]:
    """Return every page a person wrote, the README included."""
    pages = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
    return [
        page
        for page in pages
        if "_build" not in page.parts and ("reference" not in page.parts or page.name == "index.md")
    ]
