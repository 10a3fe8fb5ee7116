"""A unit's type, and the part of its block that belongs to that type's executor."""

from __future__ import annotations

import contextlib
import typing
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.suggestions import nearest

from .convert_command import split
from .duration import parse_size
from .nodes import Entry, Map, Node, Scalar, Seq
from .problems import Site, did_you_mean
from .schema_check import check, field_names
from .schema_raw import RawService, RawTask
from .static import StaticLookup

__all__ = ["Parts", "likely_type", "options", "part", "type_name"]

_REFUSED = {
    "on_node": (
        "no type of unit available here runs on another machine",
        "leave it out to run on this one",
    ),
    "user": ("this type of unit cannot run as another user", None),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A unit's block, taken apart: keys every unit has, and those of its type."""

    common: Map
    own: Map


def type_name(
    node: Map,
    site: Site,
    executors: Mapping[str, type],
    *,
    is_task: bool,
    broken: str | None = None,
) -> str | None:
    """Return the unit's type, or None when it has none that exists here, which is reported.

    Types are compared without regard to case: no two differ in it alone. A task that has a command
    and no type is a process; one that has a task_type in its place is typed. `broken` is said where
    a plugin may be why there is none.
    """
    found = node.get("type")
    if found is None:
        if is_task and "process" in executors and {"command", "binary"} & set(node.entries):
            return "process"
        if is_task and "typed" in executors and "task_type" in node.entries:
            return "typed"
        site.report("config-missing-key", "`type` is missing", _known(executors))
        return None
    if not isinstance(found, Scalar) or found.value is None:
        site.at("type").report("config-type", "must be the name of a type", _known(executors))
        return None
    for name in executors:
        if name.lower() == found.text.lower():
            return name
    close = likely_type(node, executors)
    site.at("type").report(
        "config-unknown-type",
        f'nothing here runs units of type "{found.text}"',
        f'did you mean "{close}"?' if close else broken or _known(executors),
    )
    return None


def likely_type(node: Map, executors: Mapping[str, type]) -> str | None:
    """Return the type that a unit of an unknown one was probably meant to have, or None."""
    found = node.get("type")
    return nearest(found.text, executors) if isinstance(found, Scalar) else None


def _known(executors: Mapping[str, type]) -> str:
    return f"types available here: {', '.join(sorted(executors)) or 'none'}"


def part(
    node: Map,
    site: Site,
    options_type: type | None,
    executors: Mapping[str, type],
    *,
    is_task: bool,
) -> Parts:
    """Take a block apart and report keys that belong to neither part.

    Without a type nothing is known of its keys: only those that look like a misspelt one, common
    or of any type, are reported.
    """
    own = field_names(options_type) if options_type is not None else ()
    common = tuple(
        name for name in field_names(RawTask if is_task else RawService) if name not in own
    )
    if "limits" in own and "resources" in node.entries and "resources" not in own:
        node = _resources(node, site)
    for key in node.entries:
        if key in common or key in own:
            continue
        place = site.at(key)
        if key in _REFUSED and (options_type is not None or key != "user"):
            place.report_key("config-unsupported", *_REFUSED[key])
        elif options_type is None:
            every = {
                *common,
                *(name for type_ in executors.values() for name in field_names(type_)),
            }
            close = nearest(key, every, cutoff=0.8)
            if close is not None and key not in every:
                place.report_key("config-unknown-key", "unknown key", f'did you mean "{close}"?')
        else:
            place.report_key("config-unknown-key", "unknown key", _hint(key, common, own))
    return Parts(
        common=node.without("type", *(key for key in node.entries if key not in common)),
        own=node.without(*(key for key in node.entries if key in common or key not in own)),
    )


def _hint(key: str, common: tuple[str, ...], own: tuple[str, ...]) -> str | None:
    hint = did_you_mean(key, (*common, *own))
    return hint if hint and hint.startswith("did") else None  # the whole list would hide the rest


def _resources(node: Map, site: Site) -> Map:
    if "limits" in node.entries:
        site.at("resources").report_key("config-value", "`resources` and `limits` mean the same")
        return node.without("resources")
    entry = node.entries["resources"]
    return node.without("resources").with_entry("limits", entry)


def options(own: Map, options_type: type, site: Site, lookup: StaticLookup) -> Any | None:
    """Return the type's options, or None when problems were reported."""
    if "limits" in own.entries and site.at("limits").node is None:
        site = replace(site, renamed={"limits": "resources"})
    for key in ("command", "binary", "image"):
        node = own.get(key)
        if node is not None and _is_empty(node):
            site.at(key).report("config-value", f"the {key} is empty")
            # It is reported, once; the type looks at the rest.
            own = own.with_entry(key, replace(own.entries[key], node=_stand_in(node)))
    own = _split_command(_sized_limits(own), options_type, site)
    return check(options_type, own, site, lookup)


def _stand_in(node: Node) -> Scalar:
    return Scalar(text="-", value="-", mark=node.mark)


def _is_empty(node: Node) -> bool:
    if isinstance(node, Seq):
        return not node.items or _is_empty(node.items[0])
    return isinstance(node, Scalar) and not node.text.strip()


def _sized_limits(own: Map) -> Map:
    """Read sizes such as 512MiB among the limits as numbers of bytes."""
    entry = own.entries.get("limits")
    if entry is None or not isinstance(entry.node, Map):
        return own
    limits = entry.node
    for name, limit in limits.entries.items():
        if isinstance(limit.node, Scalar) and isinstance(limit.node.value, str):
            with contextlib.suppress(ValueError):
                sized = replace(limit.node, value=parse_size(limit.node.value))
                limits = limits.with_entry(name, replace(limit, node=sized))
    return own.with_entry("limits", replace(entry, node=limits))


def _split_command(own: Map, options_type: type, site: Site) -> Map:
    """Split a command line into a list where the type takes lists, and no shell is to read it.

    It is done before substitution, so a value with spaces stays one argument.
    """
    entry = own.entries.get("command")
    if entry is None or not isinstance(entry.node, Scalar) or not _takes_list(options_type):
        return own
    shell = own.get("shell")
    if isinstance(shell, Scalar) and shell.value not in (None, False):
        return own
    words = split(entry.node.text, site.at("command"))
    if words is None:
        words = (entry.node.text,)  # it is reported, once; the type looks at the rest
    mark = entry.node.mark
    items = tuple(Scalar(text=word, value=word, mark=mark) for word in words)
    return own.with_entry("command", Entry(key=entry.key, node=Seq(items=items, mark=mark)))


def _takes_list(options_type: type) -> bool:
    hint = typing.get_type_hints(options_type).get("command")
    kinds = (hint, *typing.get_args(hint))
    return any(typing.get_origin(kind) in (tuple, list) for kind in kinds)
