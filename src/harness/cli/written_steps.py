"""The steps of a workflow in words: as they are written, one row each, or as a dry run has them.

A written step is the JSON value that a stack file or a plugin has of it, so every way of writing
one is read here.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from .facts import json_text

__all__ = ["planned_text", "short", "step_rows"]

Step = Mapping[str, Any]

_LONGEST = 60
_LONGEST_COMMAND = 120
_INDENT = "  "


def short(value: Any, longest: int = _LONGEST) -> str:
    """Return a JSON value on one line, cut where it is long."""
    text = " ".join(json_text(value).split())
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def step_rows(steps: Sequence[Step], *, indent: str = "") -> Iterator[tuple[str, str]]:
    """Return number and name of each step, and what it does, in the order of the file."""
    for number, step in enumerate(steps, start=1):
        name = f" {step['name']}" if step.get("name") else ""
        yield f"{indent}{number}.{name}", _text(step)
        yield from _inner_rows(step, indent + _INDENT)


def planned_text(kind: str, inputs: Mapping[str, Any]) -> str:
    """Return what a step of a dry run would do, without what is in it.

    Args:
        kind: of the step.
        inputs: its options by name, as far as they are known.
    """
    if kind == "if":
        return f"if {short(inputs.get('condition'))}"
    if kind not in _DOES:
        return _joined(kind, _values(inputs))
    only = _ONLY.get(kind)
    return _DOES[kind](inputs if only is None else inputs.get(only))


def _inner_rows(step: Step, indent: str) -> Iterator[tuple[str, str]]:
    parallel, each = step.get("parallel"), step.get("for_each")
    for inner in (
        step.get("sequence"),
        parallel["steps"] if isinstance(parallel, Mapping) else parallel,
        each["steps"] if each else None,
        step.get("then"),
    ):
        yield from step_rows(inner or (), indent=indent)
    for key, inner in (("else", step.get("else")), ("undone by", step.get("compensate"))):
        if inner:
            yield f"{indent}{key}", ""
            yield from step_rows(inner, indent=indent + _INDENT)


def _text(step: Step) -> str:
    """Return what a step does, when, how often, and how long it may take."""
    kind = next((kind for kind in _DOES if step.get(kind) is not None), None)
    does = f"if {short(step.get('if'))}" if kind is None else _DOES[kind](step[kind])
    if kind == "uses":
        does = _joined(does, _values(step.get("with") or {}))
    remarks = []
    if kind is not None and step.get("if") is not None:
        remarks.append(f"if {json_text(step['if'])}")
    retry, limit = step.get("retry"), step.get("timeout")
    if retry is not None:
        attempts = retry.get("attempts", 3) if isinstance(retry, Mapping) else retry
        remarks.append(f"at most {attempts} attempts")
    if limit is not None:
        remarks.append(f"{'each ' if retry is not None else ''}at most {_time(limit)}")
    return f"{does}   ({'; '.join(remarks)})" if remarks else does


def _units(verb: str) -> Callable[[Any], str]:
    return lambda units: f"{verb} {units if isinstance(units, str) else ', '.join(units)}"


def _wait(options: Step) -> str:
    rest = dict(options)
    if "service" in rest:
        what = f"for {rest.pop('service')} to be {rest.pop('state', 'healthy')}"
    elif "until" in rest:
        what = f"until {rest.pop('until')}"
    else:
        what = f"for the event {rest.pop('event', '')}"
        where = rest.pop("where", None)
        what += f" where {where}" if where else ""
    limit = rest.pop("timeout", None)
    what += f", at most {_time(limit)}" if limit is not None else ""
    return _joined(f"wait {what}", _values(rest))


def _exec(options: Step) -> str:
    rest = dict(options)
    service, command = rest.pop("service", ""), rest.pop("command", "")
    text = command if isinstance(command, str) else " ".join(map(_word, command))
    return _joined(f"exec {service}", _values(rest), "--", short(text, _LONGEST_COMMAND))


def _word(argument: Any) -> str:
    """Return an argument as it is, in quotes if it would look like several."""
    text = str(argument)
    return shlex.quote(text) if not text or re.search(r"[\s'\"]", text) else text


def _http(options: Step) -> str:
    rest = dict(options)
    has_body = "body" in rest or "json" in rest
    method = rest.pop("method", None) or ("POST" if has_body else "GET")
    return _joined("http", method, str(rest.pop("url", "")), _values(rest))


def _named(verb: str) -> Callable[[Any], str]:
    def text(options: str | Step) -> str:
        if isinstance(options, str):
            return f"{verb} {options}"
        rest = {key: value for key, value in options.items() if key not in ("name", "parameters")}
        given = options.get("parameters") or {}
        return _joined(f"{verb} {options.get('name')}", _values(given), _values(rest))

    return text


def _parallel(block: Any) -> str:
    most = block.get("max") if isinstance(block, Mapping) else None
    return "side by side" if most is None else f"side by side, at most {most} at once"


def _for_each(block: Step) -> str:
    name, most = block.get("name", "item"), block.get("max", 1)
    beside = f", at most {most} at once" if most != 1 else ""
    return f"for each {name} of {short(block.get('items'))}{beside}"


def _values(values: Step) -> str:
    return " ".join(f"{key}={short(value)}" for key, value in values.items())


def _time(value: Any) -> str:
    return f"{value:g} s" if isinstance(value, int | float) else str(value)


def _joined(*parts: str) -> str:
    return " ".join(filter(None, parts))


_DOES: Mapping[str, Callable[[Any], str]] = {
    "start": _units("start"),
    "stop": _units("stop"),
    "restart": _units("restart"),
    "wait": _wait,
    "exec": _exec,
    "http": _http,
    "action": _named("action"),
    "task": _named("task"),
    "sleep": lambda duration: f"sleep {_time(duration)}",
    "set": lambda values: f"set {_values(values)}",
    "uses": str,
    "sequence": lambda _: "in order",
    "parallel": _parallel,
    "for_each": _for_each,
}
"""Key of a step that says what it does → its words."""

_ONLY = {
    "start": "units",
    "stop": "units",
    "restart": "units",
    "sleep": "duration",
    "set": "values",
}
"""Kind → what a dry run calls the only thing that is written under it."""
