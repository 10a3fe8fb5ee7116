"""Is every byte of the output kept, and is every process of a service ended."""

from __future__ import annotations

import sys

from bench.processes import is_alive, wait_until
from bench.programs.fidelity import OUTPUT
from bench.tools import Service, Tool, ToolFailed

from .base import PROGRAMS, Context, Line, Row, attempt

__all__ = ["ROWS"]

_CHECKS = {
    "lines": "20,000 lines, then an immediate exit",
    "long": "one line of 1,000,000 bytes",
    "tail": "a last line without newline",
    "bytes": "bytes that are not UTF-8",
    "stubborn": "after stop: a child that ignores TERM",
    "escaped": "after stop: a child with a session of its own",
}
_TREE = ("parent", "stubborn", "escaped")


def _services(tool: Tool) -> list[Service]:
    program = str(PROGRAMS / "fidelity.py")
    printers = [Service(name=name, argv=(sys.executable, program, name)) for name in OUTPUT]
    tree = ("/bin/sh", str(PROGRAMS / "tree.sh"), str(tool.stamps.path))
    return [*printers, Service(name="tree", argv=tree)]


def _check(kind: type[Tool]) -> dict[str, str]:
    """Return a word or two for each check."""
    with kind() as tool:
        tool.write(_services(tool))
        tool.up()
        tree = tool.stamps.wait_for(_TREE, timeout_s=30.0)
        tool.finish_up()
        if len(tree) < len(_TREE):
            raise ToolFailed("the tree of processes did not start within 30 s")
        found = {name: _kept(tool, name, data) for name, data in OUTPUT.items()}
        tool.stop_one("tree")
        for name in _TREE[1:]:
            pid = tree[name].pid
            gone = wait_until(lambda pid=pid: not is_alive(pid), timeout_s=3.0)
            found[name] = "ended" if gone else "alive"
    return found


def _kept(tool: Tool, name: str, wanted: bytes) -> str:
    wait_until(lambda: tool.output(name) == wanted, timeout_s=8.0, every_s=0.3)
    kept = tool.output(name)
    if kept == wanted:
        return "exact"
    if len(kept) < len(wanted):
        return f"{len(kept):,} of {len(wanted):,} bytes"
    return "altered"


def measure_fidelity(context: Context) -> list[Line]:
    """One line for each check."""
    found = {
        name: attempt(context, f"{name}: fidelity", _check, kind)
        for name, kind in context.tools.items()
        if name != "compose"
    }
    lines = []
    for check, what in _CHECKS.items():
        values = {
            name: words if isinstance(words, str) else words[check] for name, words in found.items()
        }
        wanted = "ended" if check in _TREE else "exact"
        lines.append(
            Line(
                what=what,
                unit="",
                target=wanted,
                values=values,
                met=values["harness"] == wanted if "harness" in values else None,
            )
        )
    return lines


ROWS = (Row(name="fidelity", measure=measure_fidelity, limit_s=400),)
