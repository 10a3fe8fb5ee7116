"""Check nodes against dataclasses by pydantic, and say what is wrong in the user's words.

Two repairs come before a complaint. Where text is wanted and the file has a number or a boolean,
the text as written is taken. Where something else is wanted and the file has a `${NAME}`, it is
resolved and read again: such fields are needed before any unit runs.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import types
import typing
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, TypeVar, Union

from pydantic import TypeAdapter, ValidationError

from harness.model import InvalidOption
from harness.suggestions import nearest

from .nodes import Map, Node, Path, Scalar, Seq, find, plain, put
from .problems import Site, did_you_mean
from .static import StaticLookup, resolve_scalar

__all__ = ["adapter", "check", "field_names"]

T = TypeVar("T")
Error = Mapping[str, Any]

_ROUNDS = 5
_MISSING = ("missing", "missing_keyword_only_argument")
_UNKNOWN = ("unexpected_keyword_argument", "extra_forbidden")
_BLOCKS = ("health_check", "readiness", "liveness", "stages")
_SHAPES = {
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "dataclass_type": "a map",
    "dict_type": "a map",
    "mapping_type": "a map",
    "tuple_type": "a list",
    "list_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "none_required": "empty",
}


@functools.cache
def adapter(type_: Hashable, *, described: bool = False) -> TypeAdapter[Any]:
    """Return a validator that forbids unknown keys in the dataclass and in those inside it.

    The key of a field such as `if_`, whose name Python does not take, is `if`. `described` makes
    attribute docstrings part of its JSON Schema, which costs a tenth of a second.
    """
    config = {
        "extra": "forbid",
        "use_attribute_docstrings": described,
        "alias_generator": _key,
    }
    holder = dataclasses.make_dataclass(
        "Holder", [("value", type_)], namespace={"__pydantic_config__": config}
    )
    return TypeAdapter(holder)


def field_names(type_: Any) -> tuple[str, ...]:
    """Return the keys a dataclass takes; a field of the name `if_` takes `if`."""
    return tuple(_key(field.name) for field in dataclasses.fields(type_) if field.init)


def _key(field: str) -> str:
    return field.rstrip("_")


def check(type_: type[T], node: Node, site: Site, lookup: StaticLookup) -> T | None:
    """Return `node` as an instance of a dataclass; what is wrong is reported.

    What is wrong is left out of the result, so that what follows can find more; None when nothing
    usable is left.
    """
    refused: set[Path] = set()
    validator = adapter(typing.cast("Hashable", type_))  # classes are; the checker cannot know
    value, node, errors = _repaired(validator, node, site, lookup, refused)
    _report({p: e for p, e in errors.items() if p not in refused}, type_, node, site)
    for _ in range(_ROUNDS):
        if value is not None:
            break
        for path, group in errors.items():
            node = _pruned(node, path, group)
        value, node, errors = _repaired(validator, node, site, lookup, refused)
        late = _options_in(errors)
        _report({p: e for p, e in late.items() if p not in refused}, type_, node, site)
    return typing.cast("T | None", value)  # the validator is this type's


def _repaired(
    validator: TypeAdapter[Any], node: Node, site: Site, lookup: StaticLookup, refused: set[Path]
) -> tuple[Any | None, Node, dict[Path, list[Error]]]:
    """Validate, repair and validate again; return the value, the node it is of, and what is left.

    Paths of what cannot be resolved, which is reported, are added to `refused`.
    """
    value, errors = _validated(validator, node)
    for _ in range(_ROUNDS):
        repaired = _repair(node, errors, site, lookup, refused)
        if repaired is node:
            break
        node = repaired
        value, errors = _validated(validator, node)
    return value, node, errors


def _validated(
    validator: TypeAdapter[Any], node: Node
) -> tuple[Any | None, dict[Path, list[Error]]]:
    try:
        text = json.dumps({"value": plain(node)})
        return validator.validate_json(text, strict=True).value, {}
    except ValidationError as failure:
        return None, _located(failure.errors(include_url=False), node)


def _pruned(node: Node, path: Path, group: list[Error]) -> Node:
    """Leave out what is wrong: its key, or, where the rest would mean less, the block it is in."""
    kinds = {error["type"] for error in group}
    whole = bool(kinds & {*_SHAPES, *_MISSING}) or (kinds & {*_UNKNOWN} and path[0] in _BLOCKS)
    end = 1 if whole else max((i for i, s in enumerate(path) if isinstance(s, str)), default=0) + 1
    parent, key = path[: end - 1], path[end - 1 : end]
    holder = find(node, parent)
    if key and isinstance(holder, Map):
        return put(node, parent, holder.without(str(key[0])))
    return node


# ── locating ─────────────────────────────────────────────────────────────────────────────────────


def _located(errors: Iterable[Any], node: Node) -> dict[Path, list[Error]]:
    """Group errors by their place in the file; drop those of a union's arms that do not fit."""
    grouped: dict[Path, list[Error]] = {}
    for error in errors:
        grouped.setdefault(_real_path(error, node), []).append(error)
    return {
        path: kept for path, group in grouped.items() if (kept := _fitting(path, group, grouped))
    }


def _real_path(error: Error, node: Node) -> Path:
    """Return the error's place without the names of union arms in it."""
    cause = _cause(error)
    steps = [*error["loc"][1:], *(cause.path if isinstance(cause, InvalidOption) else ())]
    keeps_last = error["type"] in _MISSING
    path: list[str | int] = []
    current: Node | None = node
    for index, step in enumerate(steps):
        below = find(current, (step,)) if current is not None else None
        if below is not None:
            current = below
            path.append(step)
        elif keeps_last and index == len(steps) - 1:
            path.append(step)
    return tuple(path)


def _cause(error: Error) -> object:
    """Return what a dataclass raised when it looked at itself, or None."""
    return error.get("ctx", {}).get("error")


def _options_in(errors: Mapping[Path, list[Error]]) -> dict[Path, list[Error]]:
    """Return the errors of options that stand in the file.

    A dataclass raises for one option at a time, and for none before every type is right, so they
    show one after the other as what is wrong is left out. The rest may come of what was left out.
    """
    return {
        path: group
        for path, group in errors.items()
        if path and isinstance(_cause(group[0]), InvalidOption)
    }


def _fitting(path: Path, group: list[Error], grouped: Mapping[Path, object]) -> list[Error]:
    """Drop shape errors where another arm of the union got further."""
    deeper = any(len(other) > len(path) and other[: len(path)] == path for other in grouped)
    others = [error for error in group if error["type"] not in _SHAPES]
    if others:
        return others
    return [] if deeper else group


# ── repairing ────────────────────────────────────────────────────────────────────────────────────


def _repair(
    node: Node,
    errors: Mapping[Path, list[Error]],
    site: Site,
    lookup: StaticLookup,
    refused: set[Path],
) -> Node:
    for path, group in errors.items():
        scalar = find(node, path)
        if not isinstance(scalar, Scalar) or path in refused:
            continue
        value = scalar.value
        if isinstance(value, str):
            if "${" in value:
                resolved = resolve_scalar(scalar, site.at(*path), lookup)
                if resolved is None:
                    refused.add(path)
                else:
                    node = put(node, path, resolved)
        elif value is not None and any(error["type"] == "string_type" for error in group):
            node = put(node, path, dataclasses.replace(scalar, value=scalar.text))
    return node


# ── reporting ────────────────────────────────────────────────────────────────────────────────────


def _report(errors: Mapping[Path, list[Error]], type_: Any, node: Node, site: Site) -> None:
    for path, group in errors.items():
        place = site.at(*path)
        error = group[0]
        kind = error["type"]
        match kind:
            case _ if kind in _MISSING:
                place.report("config-missing-key", "is missing")
            case _ if kind in _UNKNOWN:
                hint = did_you_mean(str(path[-1]), _keys_at(type_, path[:-1]))
                place.report_key("config-unknown-key", "unknown key", hint)
            case "literal_error" | "enum":
                known = [word.strip("' ") for word in _words(error["ctx"]["expected"])]
                close = nearest(str(plain(found)), known) if (found := find(node, path)) else None
                hint = f'did you mean "{close}"?' if close else None
                place.report("config-value", f"must be one of {', '.join(known)}", hint)
            case "value_error" | "assertion_error":
                _report_cause(_cause(error), place)
            case _ if kind in _SHAPES:
                wanted = list(dict.fromkeys(_SHAPES[e["type"]] for e in group))
                found = find(node, path)
                place.report("config-type", f"must be {' or '.join(wanted)}, not {_name(found)}")
            case _:
                message = str(error["msg"])
                place.report("config-value", message[:1].lower() + message[1:])


def _report_cause(cause: object, place: Site) -> None:
    if isinstance(cause, InvalidOption) and cause.known:
        hint = did_you_mean(str(cause.path[-1]), cause.known, cutoff=0.7)
        place.report_key("config-unknown-key", str(cause), hint)
    else:
        place.report("config-value", str(cause))


def _words(expected: str) -> list[str]:
    return expected.replace(" or ", ",").split(",")


def _name(node: Node | None) -> str:
    if isinstance(node, Map):
        return "a map"
    if isinstance(node, Seq):
        return "a list"
    if node is None or node.value is None:
        return "empty"
    return json.dumps(node.value)


def _keys_at(type_: Any, path: Path) -> tuple[str, ...]:
    """Return the keys that the dataclasses at a place of the schema take."""
    found = set(_arms(type_))
    for step in path:
        below: set[Any] = set()
        for arm in found:
            below.update(_below(arm, step))
        found = below
    names: dict[str, None] = {}
    for arm in found:
        if dataclasses.is_dataclass(arm):
            names.update(dict.fromkeys(field_names(arm)))
    return tuple(names)


def _below(arm: Any, step: str | int) -> Iterable[Any]:
    if dataclasses.is_dataclass(arm):
        hints = typing.get_type_hints(arm)
        own = step if step in hints else f"{step}_"
        return _arms(hints[own]) if own in hints else ()
    arguments = [a for a in typing.get_args(arm) if a is not Ellipsis]
    wanted: Callable[[Any], bool] = (
        (lambda origin: isinstance(origin, type) and issubclass(origin, Mapping))
        if isinstance(step, str)
        else (lambda origin: origin in (tuple, list))
    )
    return _arms(arguments[-1]) if arguments and wanted(typing.get_origin(arm)) else ()


def _arms(type_: Any) -> tuple[Any, ...]:
    """Return a union's members; anything else alone."""
    origin = typing.get_origin(type_)
    if origin in (Union, types.UnionType):
        return tuple(arm for part in typing.get_args(type_) for arm in _arms(part))
    return (type_,)
