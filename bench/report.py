"""The results as a table, as JSON, and as the page of the documentation."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .install import HERE, PROJECT
from .rows import Line, Value

__all__ = ["BASELINE", "PAGE", "document", "markdown", "table", "write_page"]

BASELINE = HERE / "baseline.json"
PAGE = PROJECT / "docs" / "explanation" / "benchmarks.md"

_VERSION = 1
_BEGIN, _END = "<!-- results: begin -->", "<!-- results: end -->"
_MET = {True: "met", False: "MISSED", None: ""}


def document(
    lines: Sequence[tuple[str, Line]], versions: Mapping[str, str], *, load: float
) -> dict[str, Any]:
    """Return everything measured as JSON values.

    Args:
        lines: pairs of row and line.
        versions: tool → its version.
        load: the machine's load average before the run.
    """
    return {
        "version": _VERSION,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "cores": os.cpu_count(),
            "load": round(load, 1),
            "system": platform.platform(),
            "python": platform.python_version(),
        },
        "tools": dict(versions),
        "rows": [{"row": name, **asdict(line)} for name, line in lines],
    }


def table(results: Mapping[str, Any]) -> str:
    """Return the results as text in columns, a note under the line it belongs to."""
    columns = _columns(results)
    cells = [["what", *columns, "ratio", "target", ""]]
    notes: list[str] = [""]
    for row in results["rows"]:
        cells.append(_cells(row, columns))
        notes.append(row["note"])
    widths = [max(len(line[at]) for line in cells) for at in range(len(cells[0]))]
    text = []
    for line, note in zip(cells, notes, strict=True):
        text.append("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)))
        if note:
            text.append(f"    {note}")
    return "\n".join(part.rstrip() for part in text)


def markdown(results: Mapping[str, Any]) -> str:
    """Return the results as Markdown."""
    columns = _columns(results)
    machine = results["machine"]
    tools = ", ".join(f"{name} {version}" for name, version in results["tools"].items())
    head = ["what", *columns, "ratio", "target", ""]
    where = (
        f"{machine['cores']} cores with a load of {machine['load']} before the run, "
        f"{machine['system']}, Python {machine['python']}"
    )
    text = [
        f"Measured {results['measured_at'][:10]} on {where}: {tools}.",
        "",
        f"| {' | '.join(head)} |",
        f"|{'---|' * len(head)}",
    ]
    text += [f"| {' | '.join(_cells(row, columns))} |" for row in results["rows"]]
    notes = [f"- {row['what']}: {row['note']}." for row in results["rows"] if row["note"]]
    return "\n".join([*text, "", "Notes:", "", *notes] if notes else text)


def write_page(page: Path = PAGE, baseline: Path = BASELINE) -> str:
    """Put the committed results into the page; return its new text."""
    before, _, rest = page.read_text().partition(_BEGIN)
    _, _, after = rest.partition(_END)
    results = json.loads(baseline.read_text())
    text = f"{before}{_BEGIN}\n\n{markdown(results)}\n\n{_END}{after}"
    page.write_text(text)
    return text


def _columns(results: Mapping[str, Any]) -> list[str]:
    names = dict.fromkeys(results["tools"])
    for row in results["rows"]:
        names.update(dict.fromkeys(row["values"]))
    return list(names)


def _cells(row: Mapping[str, Any], columns: Sequence[str]) -> list[str]:
    unit = f", {row['unit']}" if row["unit"] else ""
    ratio = f"{row['ratio']:.2f} of {row['ratio_to']}" if row["ratio"] is not None else ""
    values = [_shown(row["values"].get(column)) for column in columns]
    return [f"{row['what']}{unit}", *values, ratio, row["target"], _met(row)]


def _met(row: Mapping[str, Any]) -> str:
    """Return the mark of a row; one in which the harness failed is missed too."""
    failed = str(row["values"].get("harness", "")).startswith("failed")
    return _MET[False if failed else row["met"]]


def _shown(value: Value | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
