"""A bundle as one HTML file: opens without a server and without a network, shows nothing unescaped.

A policy in the page itself forbids it to load anything. Its only script hides and shows lines.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

from harness.explanations import describe

__all__ = ["bundle_page", "printable"]

Bundle = Mapping[str, Any]

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

_STYLE = """
:root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif }
body { max-width: 72rem; margin: 1.5rem auto; padding: 0 1rem }
h1 { font-size: 1.3rem } h2 { font-size: 1.1rem; margin: 1.6rem 0 .4rem }
table { border-collapse: collapse; width: 100% }
td, th { text-align: left; padding: .15rem .8rem .15rem 0; vertical-align: top }
pre, td, .log { font: 13px/1.4 ui-monospace, monospace }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: .3rem 0 }
summary { cursor: pointer; font-weight: 600; padding: .2rem 0 }
.bad { color: #c62828 } .good { color: #2e7d32 } .dim { opacity: .65 }
.log div { white-space: pre-wrap; overflow-wrap: anywhere }
.log b { font-weight: 600 } .before { opacity: .65 } .stderr { background: #c6282818 }
.off { display: none }
"""

_SCRIPT = """
for (const box of document.querySelectorAll("input[data-unit]"))
  box.addEventListener("change", () => {
    const lines = box.closest("section").querySelectorAll(".log > div");
    for (const line of lines)
      if (line.dataset.unit === box.dataset.unit) line.classList.toggle("off", !box.checked);
  });
"""


def printable(text: str) -> str:
    """Return text without terminal escapes; other characters that cannot be seen are replaced."""
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", _ESCAPES.sub("", text))


def bundle_page(bundle: Bundle) -> str:
    """Return the page of a bundle.

    Args:
        bundle: {made_at, test, versions, projects, daemon_log}; `test` is {id, phase, started_at,
            traceback, sections} or None, `projects` are what `gather_project` returned, and
            `daemon_log` are lines, or it is not there.
    """
    title = bundle["test"]["id"] if bundle["test"] else _names(bundle)
    body = [f"<h1>{_text(title)}</h1>", *_test(bundle["test"])]
    for project in bundle["projects"]:
        body += _project(project)
    if log := bundle.get("daemon_log"):
        body.append(f"<details><summary>The daemon's log, {len(log)} lines</summary>")
        body.append(f"<pre>{_text(chr(10).join(log))}</pre></details>")
    body += _versions(bundle)
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            f"<title>{_text(title)}</title><style>{_STYLE}</style></head><body>",
            *body,
            f"<script>{_SCRIPT}</script></body></html>\n",
        ]
    )


def _names(bundle: Bundle) -> str:
    return ", ".join(project["project"] for project in bundle["projects"])


def _test(test: Mapping[str, Any] | None) -> Iterator[str]:
    if test is None:
        return
    yield f'<p class="dim">failed in {_text(test["phase"])}, began {_text(test["started_at"])}</p>'
    yield f"<pre>{_text(test['traceback'])}</pre>"
    for name, content in test["sections"]:
        yield f"<details><summary>{_text(name)}</summary><pre>{_text(content)}</pre></details>"


def _project(project: Mapping[str, Any]) -> Iterator[str]:
    yield f"<section><h2>Project {_text(project['project'])}</h2>"
    for problem in project["problems"]:
        yield f'<p class="bad">{_text(problem["part"])}: {_text(problem["problem"])}</p>'
    yield from _services(project["services"])
    if project["why"]:
        yield "<h2>Why</h2>"
        for explanation in project["why"].values():
            yield f"<pre>{_text(chr(10).join(describe(explanation)))}</pre>"
    yield from _logs(project)
    yield from _events(project["events"])
    yield from _folded("Health checks", project["health"])
    yield from _processes(project["processes"])
    yield from _folded("Plan", project["plan"])
    yield from _folded("Environment", project["environment"])
    yield "</section>"


def _services(services: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    yield "<table><tr><th>unit<th>state<th>health<th>pid<th>exit<th>restarts<th>addresses</tr>"
    for unit in services:
        mark = "good" if unit["ready"] else "bad"
        urls = ", ".join(
            str(address["url"] or f"{address['host']}:{address['port']}")
            for address in unit["endpoints"].values()
        )
        cells = [unit["health"], unit["pid"], unit["exit_code"], unit["restarts"], urls]
        rest = "".join(f"<td>{_text('-' if cell is None else cell)}" for cell in cells)
        yield f'<tr><td>{_text(unit["name"])}<td class="{mark}">{_text(unit["state"])}{rest}</tr>'
    yield "</table>"


def _logs(project: Mapping[str, Any]) -> Iterator[str]:
    lines = project["logs"]
    yield f"<h2>Output, {len(lines)} lines</h2>"
    units = list(dict.fromkeys(line["unit"] for line in lines))
    for unit in units:
        note = " (earlier lines are left out)" if unit in project["lost"] else ""
        yield (
            f'<label><input type="checkbox" checked data-unit="{_text(unit)}"> '
            f"{_text(unit)}{note}</label> "
        )
    yield '<div class="log">'
    width = max(map(len, units), default=0)
    since = project.get("since")
    for line in lines:
        moment = (line["at"] or "")[11:23]
        before = " before" if since and (line["at"] or "") < since else ""
        yield (
            f'<div data-unit="{_text(line["unit"])}" class="{_text(line["stream"])}{before}">'
            f'<span class="dim">{_text(moment)}</span> '
            f"<b>{_text(line['unit'].ljust(width))}</b> {_text(line['text'])}</div>"
        )
    yield "</div>"


def _events(events: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    rows = [
        f"<tr><td>{_text(event['at'][11:23])}<td>{_text(event['kind'])}"
        f"<td>{_text(event['unit'] or '-')}<td>{_text(_facts(event['data']))}</tr>"
        for event in events
    ]
    yield f"<details><summary>Events, {len(rows)}</summary><table>"
    yield from rows
    yield "</table></details>"


def _processes(units: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    rows = []
    for name, unit in units.items():
        depths: dict[int, int] = {}
        for process in _tree_order(unit.get("tree", ())):
            depth = depths[process["pid"]] = depths.get(process["parent"], -1) + 1
            rows.append(
                f"<tr><td>{_text(name)}<td>{_text(process['pid'])}"
                f"<td>{_text(process['rss_bytes'] // 2**20)} MiB"
                f"<td>{process['cpu_s']:.2f} s"
                f'<td style="padding-left: {depth * 1.5}rem">{_text(process["command"])}</tr>'
            )
    if rows:
        yield f"<details><summary>Processes, {len(rows)}</summary><table>"
        yield "<tr><th>unit<th>pid<th>memory<th>processor<th>command</tr>"
        yield from rows
        yield "</table></details>"
    yield from _folded(
        "Runs", {name: unit["handle"] for name, unit in units.items() if "handle" in unit}
    )


def _tree_order(processes: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield each process before its children, and these before its siblings."""
    known = {process["pid"] for process in processes}
    children: dict[int, list[Mapping[str, Any]]] = {}
    for process in processes:
        parent = process["parent"] if process["parent"] in known else 0
        children.setdefault(parent, []).append(process)
    waiting = children.get(0, [])[::-1]
    while waiting:
        yield (process := waiting.pop())
        waiting += children.get(process["pid"], [])[::-1]


def _facts(data: Mapping[str, Any]) -> str:
    return "  ".join(f"{key}={_plain(value)}" for key, value in data.items() if value is not None)


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _versions(bundle: Bundle) -> Iterator[str]:
    yield from _folded("Versions", bundle["versions"])
    yield f'<p class="dim">gathered {_text(bundle["made_at"])}</p>'


def _folded(name: str, value: object) -> Iterator[str]:
    if value:
        text = json.dumps(value, indent=1, ensure_ascii=False)
        yield f"<details><summary>{name}</summary><pre>{_text(text)}</pre></details>"


def _text(value: object) -> str:
    return escape(printable(str(value)))
