"""A stack's graph as text, as Graphviz' dot, as Mermaid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["as_dot", "as_mermaid", "as_text"]

Graph = Mapping[str, Any]


def as_text(graph: Graph) -> list[str]:
    """Return one line a unit in file order, below it what it waits for."""
    lines = []
    for node in graph["nodes"]:
        lines.append(f"{node['name']}  ({_kind(node)})")
        lines += [
            f"  ← {edge['to']}  {_label(edge)}"
            for edge in graph["edges"]
            if edge["from"] == node["name"]
        ]
    return lines


def as_dot(graph: Graph) -> list[str]:
    """Return a digraph; an edge goes from the unit that waits to what it waits for."""
    lines = [f"digraph {_quoted(graph['project'])} {{", "  rankdir=LR;"]
    for node in graph["nodes"]:
        shape = "box" if node["kind"] == "service" else "ellipse"
        lines.append(f"  {_quoted(node['name'])} [shape={shape}];")
    for edge in graph["edges"]:
        style = ", style=dashed" if edge["implicit"] else ""
        arrow = f"{_quoted(edge['from'])} -> {_quoted(edge['to'])}"
        lines.append(f"  {arrow} [label={_quoted(_label(edge))}{style}];")
    return [*lines, "}"]


def as_mermaid(graph: Graph) -> list[str]:
    """Return a flowchart; nodes are numbered, since Mermaid reserves some words."""
    ids = {node["name"]: f"n{index}" for index, node in enumerate(graph["nodes"])}
    lines = ["flowchart LR"]
    for node in graph["nodes"]:
        left, right = ("[", "]") if node["kind"] == "service" else ("([", "])")
        lines.append(f'  {ids[node["name"]]}{left}"{node["name"]}"{right}')
    for edge in graph["edges"]:
        arrow = "-.->" if edge["implicit"] else "-->"
        lines.append(f"  {ids[edge['from']]} {arrow}|{_label(edge)}| {ids[edge['to']]}")
    return lines


def _kind(node: Mapping[str, Any]) -> str:
    return node["type"] if node["kind"] == "service" else f"task, {node['type']}"


def _label(edge: Mapping[str, Any]) -> str:
    stage = f" {edge['stage']}" if edge["stage"] else ""
    return f"{edge['condition']}{stage}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
