"""One shape for every unit: the older spellings are rewritten here, before anything is merged.

`dependencies` becomes `depends_on`; a `target` block's keys move beside the unit's other keys; a
repeated `name` must be the unit's own; an `env` that is a list becomes a map. What cannot be
rewritten without a guess is a problem.
"""

from __future__ import annotations

from dataclasses import replace

from .nodes import Entry, Map, Node, Scalar, Seq
from .problems import Site

__all__ = ["UNIT_GROUPS", "normalise"]

UNIT_GROUPS = ("templates", "services", "tasks")


def normalise(root: Map, site: Site) -> Map:
    """Return one file's tree with its units rewritten."""
    for group in UNIT_GROUPS:
        entry = root.entries.get(group)
        if entry is None or not isinstance(entry.node, Map):
            continue
        units = {
            name: replace(unit, node=_unit(name, unit.node, site.at(group, name)))
            for name, unit in entry.node.entries.items()
        }
        root = root.with_entry(group, replace(entry, node=replace(entry.node, entries=units)))
    return root


def _unit(name: str, node: Node, site: Site) -> Node:
    if not isinstance(node, Map):
        return node
    node = _lift_target(node, site)
    node = _rename(node, "dependencies", "depends_on", site)
    node = _env_map(node, site.at("env"))
    own = node.get("name")
    if isinstance(own, Scalar):
        if own.text != name:
            site.at("name").report(
                "config-value",
                f'the unit is called "{name}" here, not "{own.text}"',
                "rename the key, or leave `name` out",
            )
        node = node.without("name")
    return node


def _env_map(node: Map, site: Site) -> Map:
    """Make a map of an `env` that is a list of NAME=value."""
    entry = node.entries.get("env")
    if entry is None or not isinstance(entry.node, Seq):
        return node
    entries: dict[str, Entry] = {}
    for index, item in enumerate(entry.node.items):
        place = site.at(index)
        if not isinstance(item, Scalar) or "=" not in item.text:
            place.report("config-value", "must be NAME=value", "or write `env` as a map")
            continue
        name, _, value = item.text.partition("=")
        if name in entries:
            message = f'"{name}" is there already, in line {entries[name].key.line}'
            place.report("config-duplicate-key", message)
            continue
        column = None if item.column is None else item.column + len(name) + 1
        scalar = Scalar(text=value, value=value, mark=item.mark, column=column)
        entries[name] = Entry(key=item.mark, node=scalar)
    return node.with_entry("env", replace(entry, node=Map(mark=entry.node.mark, entries=entries)))


def _rename(node: Map, old: str, new: str, site: Site) -> Map:
    entry = node.entries.get(old)
    if entry is None:
        return node
    if new in node.entries:
        site.at(old).report_key("config-value", f"`{old}` and `{new}` mean the same", "keep one")
        return node.without(old)
    entries = {new if key == old else key: value for key, value in node.entries.items()}
    return replace(node, entries=entries)


def _lift_target(node: Map, site: Site) -> Map:
    target = node.get("target")
    if target is None:
        return node
    if not isinstance(target, Map):
        site.at("target").report("config-type", "must be a map with `type` and its options")
        return node.without("target")
    entries: dict[str, Entry] = {}
    for key, entry in node.entries.items():
        if key != "target":
            entries[key] = entry
            continue
        for inner, value in target.entries.items():
            if inner in node.entries:
                site.at("target", inner).report_key(
                    "config-value", f"`{inner}` is there beside `target` already", "keep one"
                )
            else:
                entries[inner] = value
    return replace(node, entries=entries)
