"""The plugin as a whole."""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from graph_test_daemon import daemon


def test_it_is_whole() -> None:
    daemon.validate()


def test_importing_it_imports_no_service_and_no_library() -> None:
    # The command imports it whatever it is asked for, and so does every daemon of its environment.
    program = (
        "import sys; before = {*sys.modules}\n"
        "import graph_test_daemon.plugin\n"
        "known = {*sys.stdlib_module_names, 'harness', 'pluggy'}\n"
        "roots = {name.partition('.')[0] for name in {*sys.modules} - before}\n"
        "print(roots - known, [n for n in sys.modules if n.startswith('graph_test_daemon')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    own = ["graph_test_daemon", "graph_test_daemon.plugin"]
    assert (done.stdout, done.stderr) == (f"{{'graph_test_daemon'}} {own}\n", "")


def test_launching_loads_the_standard_library_only() -> None:
    program = (
        "import sys, graph_test_daemon.launch, graph_test_daemon.tools.places\n"
        "own = {*sys.stdlib_module_names, 'graph_test_daemon', 'harness', '__main__'}\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} - own))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", program],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(Path(__file__).parents[3] / "src")},
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_keys_leave_the_recursion_limit_as_it_is() -> None:
    program = "import sys, graph_test_daemon.eth; print(sys.getrecursionlimit())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "1000\n"


def test_without_the_extra_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("graph_test_daemon.plugin")
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "psycopg" else found(name)
    )
    with pytest.raises(ImportError, match=r"needs psycopg: pip install .*\[graph\]"):
        importlib.reload(module)
