"""The reference of the Graph's service types and task types, from their declarations.

What has no text is no blank cell: it ends the generator, with all places that lack one.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, get_args

from graph_test_daemon import daemon
from harness.actions import Action, ServiceType, TaskType
from harness.cli.action_arguments import shape
from harness.cli.facts import json_text
from harness.validation import adapter

__all__ = ["Undocumented", "graph_actions"]

_HEAD = """# Actions, tasks and events of The Graph

What can be asked of a service, by its `service_type`, and what a task takes, by its `task_type`. `action list`, `action info` and `task info` show the same
of a stack. An action is called by the service's name there, such as `chain.mine`. Parameters are options on the command line, with `-` in place of `_`;
events are told while it runs. The default `-` is nothing.
"""
_FIELD = re.compile(r"^    (\w+): (.*)$")


class Undocumented(ValueError):
    """Something that users see has no text."""


class _Texts:
    """Collects what lacks a text."""

    def __init__(self) -> None:
        self.missing: list[str] = []
        self.shown: set[type] = set()
        """Dataclasses whose fields are in the section already."""

    def of(self, where: str, text: str | None) -> str:
        """Return a text for a page; note that it is not there."""
        if not text or not text.strip():
            self.missing.append(where)
            return ""
        return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")

    def of_class(self, of: type, where: str) -> str:
        """Return the text of a class; what dataclasses write themselves is none."""
        own = of.__dict__.get("__doc__") or ""
        made = dataclasses.is_dataclass(of) and own.startswith(f"{of.__name__}(")
        text = inspect.cleandoc(own).split("\n\nAttributes:")[0].split("\n\nArgs:")[0]
        return self.of(f"{where}: {of.__name__}", "" if made else text)


def graph_actions(
    service_types: Iterable[type[ServiceType]] | None = None,
    task_types: Iterable[type[TaskType]] | None = None,
) -> str:
    """Return the page.

    Args:
        service_types: all that are registered unless given.
        task_types: likewise.

    Raises:
        Undocumented: something has no text; all of it is named.
    """
    services = list(daemon.harness_service_types() if service_types is None else service_types)
    tasks = list(daemon.harness_task_types() if task_types is None else task_types)
    texts = _Texts()
    parts = [_HEAD]
    for of in sorted(services, key=lambda one: one.name):
        parts += _service(of, texts)
    if tasks:
        parts.append("## Tasks\n")
    for task in sorted(tasks, key=lambda one: one.name):
        parts += _task(task, texts)
    if texts.missing:
        raise Undocumented("cannot describe, there is no text: " + "; ".join(texts.missing))
    return "\n".join(parts)


def _service(of: type[ServiceType], texts: _Texts) -> Iterator[str]:
    yield f"## Services of the type {of.name}\n\n{texts.of_class(of, of.name)}\n"
    actions = of.declared()
    texts.shown.clear()
    for action in actions.values():
        yield from _action(action, f"{of.name}.{action.name}", texts)
    told = {name: event for action in actions.values() for name, event in action.events.items()}
    yield from _events(told, of.name, texts)


def _task(of: type[TaskType], texts: _Texts) -> Iterator[str]:
    texts.shown.clear()
    declared = of.declared()
    yield f"### {of.name}\n\n{_prose(declared, of.name, texts)}\n"
    yield from _parameters(declared, of.name, texts, header="config")
    yield from _result(declared.result, of.name, texts, verb="Outputs")
    yield from _events(declared.events, of.name, texts)


def _action(action: Action, title: str, texts: _Texts) -> Iterator[str]:
    yield f"### {title}\n\n{_prose(action, title, texts)}\n"
    yield from _parameters(action, title, texts, header="parameter")
    yield from _result(action.result, title, texts, verb="Returns")
    if action.events:
        yield f"Tells {', '.join(f'`{name}`' for name in action.events)}.\n"


def _prose(action: Action, where: str, texts: _Texts) -> str:
    parts = [texts.of(where, action.summary)]
    parts += [
        " ".join(paragraph.split()).replace("<", "&lt;")
        for paragraph in action.description.split("\n\n")
        if paragraph.strip()
    ]
    return "\n\n".join(parts)


def _parameters(action: Action, where: str, texts: _Texts, *, header: str) -> Iterator[str]:
    schema = action.parameters_schema()
    properties: Mapping[str, Any] = schema.get("properties", {})
    if not properties:
        return
    described = _fields_described(action.parameters)
    rows = [f"| {header} | type | default | |", "|---|---|---|---|"]
    for name, own in properties.items():
        is_required = name in schema.get("required", ())
        default = "required" if is_required else _default(own.get("default"))
        text = texts.of(f"{where}, {name}", own.get("description") or described.get(name))
        rows.append(f"| `{name}` | {_escaped(shape(own, schema))} | {default} | {text} |")
    yield "\n".join(rows) + "\n"


def _default(value: Any) -> str:
    return "-" if value in (None, [], {}, "") else f"`{json_text(value)}`"


def _result(result: Any, where: str, texts: _Texts, *, verb: str) -> Iterator[str]:
    if result in (None, type(None)):
        return
    schema = adapter(result).json_schema(mode="serialization")
    found = list(_dataclasses_in(result))
    if len(found) != 1:
        yield f"{verb} {_escaped(shape(schema, schema))}.\n"
        return
    (of,) = found
    many = "a list of " if schema.get("type") == "array" else ""
    or_nothing = ", or nothing" if type(None) in get_args(result) else ""
    text = texts.of_class(of, where)
    yield f"{verb} {many}`{of.__name__}`{or_nothing}: {text}\n"
    if of not in texts.shown:
        texts.shown.add(of)
        yield _fields(of)


def _events(told: Mapping[str, type], where: str, texts: _Texts) -> Iterator[str]:
    if not told:
        return
    yield f"Events of {where}:\n"
    rows = ["| event | | fields |", "|---|---|---|"]
    for name in sorted(told):
        text = texts.of_class(told[name], where)
        schema = adapter(told[name]).json_schema(mode="serialization")
        fields = (
            f"`{key}` {_escaped(shape(own, schema))}"
            for key, own in schema.get("properties", {}).items()
        )
        rows.append(f"| `{name}` | {text} | {', '.join(fields) or '-'} |")
    yield "\n".join(rows) + "\n"


def _fields(of: type) -> str:
    """Return a table of a dataclass's fields."""
    schema = adapter(of).json_schema(mode="serialization")
    described = _fields_described(of)
    rows = ["| field | type | |", "|---|---|---|"]
    for name, own in schema.get("properties", {}).items():
        text = " ".join((own.get("description") or described.get(name) or "").split())
        rows.append(f"| `{name}` | {_escaped(shape(own, schema))} | {_escaped(text)} |")
    return "\n".join(rows) + "\n"


def _fields_described(of: type) -> dict[str, str]:
    """Return what the part `Attributes:` of a class's docstring says of its fields."""
    found: dict[str, str] = {}
    for base in reversed(of.__mro__):
        _, _, section = inspect.cleandoc(base.__dict__.get("__doc__") or "").partition(
            "Attributes:\n"
        )
        last = ""
        for line in section.splitlines():
            if match := _FIELD.match(line):
                last = match[1]
                found[last] = match[2]
            elif last and line.startswith("     "):
                found[last] += f" {line.strip()}"
    return found


def _dataclasses_in(hint: Any) -> Sequence[type]:
    """Return the dataclasses of a type, such as of a list of one, or of one or nothing."""
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return (hint,)
    return tuple(of for part in get_args(hint) for of in _dataclasses_in(part))


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
