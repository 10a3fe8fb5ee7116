"""What a step that does something was told: made regular, and checked for what it names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.model import UnitKind

from .grammar import InterpolationSyntaxError
from .nodes import Scalar, plain
from .problems import Site, did_you_mean
from .schema_workflow import RawStep
from .templates import Hole, holes, split_command
from .workflow_names import KnownNames
from .workflow_texts import Visible, check_expression, check_texts

__all__ = ["step_options"]

_SERVICES = ("start", "stop", "restart")


def step_options(raw: RawStep, kind: str, site: Site, visible: Visible) -> Mapping[str, Any]:
    """Return what a step that does something was told; check what it names."""
    place = site.at("with" if kind == "uses" else kind)
    value = plain(place.node) if place.node is not None else {}
    match kind:
        case "start" | "stop" | "restart":
            value = {"units": value}
        case "action" | "task" if isinstance(place.node, Scalar):
            # Also a name that YAML reads as something else, such as 3.
            value = {"name": place.node.text}
        case "sleep":
            value = {"duration": value}
        case "set":
            value = {"values": value}
        case "wait":
            _wait(raw, place, visible)
        case "exec":
            value = {**value, "command": _command(value["command"], place)}
        case "http" if place.at("body").node is not None and place.at("json").node is not None:
            place.at("body").report("config-value", "is there beside `json`; keep one")
        case _:
            pass
    skipped = ("until", "where") if kind == "wait" else ()
    check_texts(place, visible, without=skipped)
    _units(kind, value, place, visible.known)
    return value if isinstance(value, Mapping) else {}


def _wait(raw: RawStep, place: Site, visible: Visible) -> None:
    block = raw.wait
    assert block is not None  # noqa: S101 - it decided the kind
    given = [n for n in ("service", "until", "event") if getattr(block, n) is not None]
    if len(given) != 1:
        place.report("config-value", "must have exactly one of service, until and event")
    if block.until is not None:
        check_expression(place.at("until"), visible)
    if block.service is None and place.at("state").node is not None:
        place.at("state").report("config-value", "has a meaning beside `service` only")
    if block.where is not None:
        if block.event is None:
            place.at("where").report("config-value", "has a meaning beside `event` only")
        check_expression(place.at("where"), visible.and_names("event"))


def _command(value: Any, place: Site) -> Any:
    if not isinstance(value, str):
        if not value:
            place.at("command").report("config-value", "the command is empty")
        return value
    try:
        parts = holes(value)
        if len(parts) == 1 and isinstance(parts[0], Hole):
            return value  # a list of words, perhaps, that is known when it runs
        words = list(split_command(value))
        if not words:
            place.at("command").report("config-value", "the command is empty")
        return words
    except (ValueError, InterpolationSyntaxError) as error:
        place.at("command").report("config-value", f"cannot be split into words: {error}")
        return [value]


def _units(kind: str, value: Any, place: Site, known_names: KnownNames) -> None:
    """Report services and tasks that are not there."""
    named: list[tuple[Site, Any, UnitKind | None]] = []
    if kind in _SERVICES:
        units = value["units"]
        many = isinstance(units, list)
        named = [(place.at(i) if many else place, u, None)
                 for i, u in enumerate(units if many else [units])]  # fmt: skip
    elif kind in ("wait", "exec") and value.get("service"):
        named = [(place.at("service"), value["service"], None)]
    elif kind == "task":
        node = place if isinstance(place.node, Scalar) else place.at("name")
        named = [(node, value["name"], UnitKind.TASK)]
    elif kind == "action" and "." in str(value["name"]):
        node = place if isinstance(place.node, Scalar) else place.at("name")
        named = [(node, str(value["name"]).rpartition(".")[0], UnitKind.SERVICE)]
    for site, name, wanted in named:
        if not isinstance(name, str) or "${" in name:
            continue
        if known_names.kinds.get(name) is None or wanted not in (None, known_names.kinds[name]):
            known = known_names.of(wanted) if wanted else tuple(known_names.kinds)
            noun = wanted.value if wanted else "service or task"
            site.report("config-unknown-unit", f'no {noun} "{name}"', did_you_mean(name, known))
