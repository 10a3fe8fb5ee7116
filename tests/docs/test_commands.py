"""Every page with commands is done as it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.requirements import graph_tool

from .blocks import ROOT, Command, File, blocks, hand_written_pages, steps
from .shown import is_shown
from .terminal import follow

PAGES = {str(page.relative_to(ROOT)): list(steps(page)) for page in hand_written_pages()}
# What is launched, and the program that has to be installed for it.
LAUNCHED = {"anvil": "anvil", "graph-node": "gnd", "postgres": "postgres"}
WITH_COMMANDS = [
    name for name, does in PAGES.items() if any(isinstance(step, Command) for step in does)
]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", WITH_COMMANDS)
def test_page_is_true(name: str, tmp_path: Path):
    for program in re.findall(r"graph_test_daemon\.launch, ([\w-]+)", (ROOT / name).read_text()):
        if program in LAUNCHED:
            graph_tool(LAUNCHED[program])
    text = (ROOT / name).read_text()
    if "graph-test-daemon up" in text or "--template graph" in text:
        graph_tool("gnd")
    assert follow(ROOT / name, tmp_path) > 0


@pytest.mark.parametrize("name", sorted(PAGES))
def test_file_on_a_page_is_used(name: str):
    waiting: set[str] = set()
    for step in PAGES[name]:
        if isinstance(step, File):
            assert step.name not in waiting, f"{step.name} is replaced before a command"
            waiting.add(step.name)
        else:
            waiting.clear()
    assert not waiting, "no command follows"


@pytest.mark.parametrize("name", sorted(PAGES))
def test_stack_file_on_a_page_has_a_name(name: str):
    files = [step.text for step in PAGES[name] if isinstance(step, File)]
    assert [
        block.text
        for block in blocks(ROOT / name)
        if block.language == "yaml" and block.text not in files
    ] == []


def test_all_guides_and_the_tutorial_have_commands():
    names = {
        str(page.relative_to(ROOT))
        for page in hand_written_pages()
        if page.parent.name in ("how-to", "tutorial") and page.name != "index.md"
    }
    assert names <= {*WITH_COMMANDS}


# ── the runner itself ────────────────────────────────────────────────────────────────────────────


def page_with(tmp_path: Path, commands: str) -> Path:
    page = tmp_path / "page.md"
    page.write_text(f"# A page\n\n```yaml\n# note.yaml\na: 1\n```\n\n```console\n{commands}```\n")
    return page


@pytest.mark.parametrize(
    "commands",
    [
        pytest.param("$ cat note.yaml\n# note.yaml\na: 1\n", id="a file and output as shown"),
        pytest.param("$ ls\n$ ls\nnote.yaml\n", id="output that is not shown"),
        pytest.param("$ echo a; exit 3   # it exits with 3\na\n", id="a status"),
        pytest.param("$ echo a; exec sleep 1000\na\n^C\n", id="Ctrl-C"),
        pytest.param("$ test -t 0 && test -t 1 && test -t 2\n", id="a terminal"),
    ],
)
def test_true_page_passes(commands: str, tmp_path: Path):
    assert follow(page_with(tmp_path, commands), tmp_path) > 0


@pytest.mark.parametrize(
    "commands",
    [
        pytest.param("$ echo a\nb\n", id="another output"),
        pytest.param("$ echo a; echo b\na\n", id="more output"),
        pytest.param("$ exit 3\n", id="another status"),
        pytest.param("$ harness validat\n", id="no such command"),
        pytest.param("$ harness status --al\n", id="no such option"),
        pytest.param("$ exit 0   # exits with 3\n", id="no failure"),
        pytest.param("$ echo b\na\n^C\n", id="an end before Ctrl-C"),
        pytest.param("$ sleep 1000 > log 2>&1 < log &\n", id="a process left behind"),
        pytest.param("no prompt\n", id="output of nothing"),
    ],
)
def test_untrue_page_fails(commands: str, tmp_path: Path):
    with pytest.raises(AssertionError):
        follow(page_with(tmp_path, commands), tmp_path)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("web  ready  0.2 s  http://127.0.0.1:8000", "web ready 12 s http://127.0.0.1:41234"),
        ("web  running  2m 11s  31337  0", "web running 0.31 s 412 0"),
        ("why (since 12:04:31)", "why (since 2026-01-31 09:10:11)"),
        ("a\n...\nd", "a\nb\nc\nd"),
        ("a\n...\nd", "a\nd"),
        ("there is no file .../a.txt", "there is no file /tmp/b/a.txt"),
        ("connection refused (7 tries)", "connection refused (12 tries)"),
    ],
)
def test_what_varies_is_tolerated(shown: str, printed: str):
    assert is_shown(shown, printed)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("web  ready  0.2 s", "web failed 0.2 s"),
        ("exit status 1", "exit status 2"),
        ("RESTARTS 1", "RESTARTS 2"),
        ("a\n...\nd", "a\nb"),
        ("outputs: version=7", "outputs: version=8"),
    ],
)
def test_what_matters_is_compared(shown: str, printed: str):
    assert not is_shown(shown, printed)
