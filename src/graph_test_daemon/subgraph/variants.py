"""What of a manifest no compiler looks at, so that variants of a subgraph are compiled once.

The same mappings at another address, on another network or grafted onto another base are the same
program: only the manifest differs. Here is decided what belongs to the program, and the manifest
of a variant is made from what the tools wrote for another one. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from .document import FLOAT, INT, WORDS, Path

__all__ = ["dump", "file_paths", "program", "variant"]

_TOP = ("description", "repository", "graft", "indexerHints", "prune")
_SOURCE = ("network", "context")
_WHERE = ("address", "startBlock", "endBlock")
_LISTS = ("dataSources", "templates")
_GRAFTING = "grafting"


def program(data: Mapping[str, Any]) -> str:
    """Return what of a manifest the tools look at, as one text."""
    left = {key: value for key, value in data.items() if key not in _TOP}
    if isinstance(features := left.pop("features", None), list):
        left["features"] = [each for each in features if each != _GRAFTING]
    for key in _LISTS:
        if key in left:
            left[key] = [_program_of_source(each) for each in left[key] or ()]
    return json.dumps(left, sort_keys=True)


def variant(built: Mapping[str, Any], source: Mapping[str, Any]) -> dict[str, Any]:
    """Return the manifest to upload.

    Args:
        built: what the tools wrote for a manifest of the same program.
        source: the manifest of the variant. Its keys' order counts, so the result does not depend
            on which variant was built first.
    """
    made = _take(built, source, (*_TOP, "features"))
    for key in _LISTS:
        if source.get(key):
            pairs = zip(built[key], source[key], strict=True)
            made[key] = [_variant_of_source(old, new) for old, new in pairs]
    return made


def file_paths(data: Mapping[str, Any]) -> Iterator[Path]:
    """Yield the way to each name of a file in a manifest that was built."""
    yield "schema", "file"
    for key in _LISTS:
        for at, source in enumerate(data.get(key) or ()):
            for which in range(len(source["mapping"].get("abis") or ())):
                yield key, at, "mapping", "abis", which, "file"
            yield key, at, "mapping", "file"


def dump(data: Mapping[str, Any]) -> str:
    """Write a manifest as gnd writes it, so that the same gets the same id."""
    text: str = yaml.dump(
        dict(data), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=2**31
    )
    return text


def _program_of_source(source: Mapping[str, Any]) -> dict[str, Any]:
    left = {key: value for key, value in source.items() if key not in _SOURCE}
    where = left.get("source")
    if isinstance(where, dict):
        left["source"] = {key: value for key, value in where.items() if key not in _free(source)}
    return left


def _variant_of_source(built: Mapping[str, Any], source: Mapping[str, Any]) -> dict[str, Any]:
    made = _take(built, source, _SOURCE)
    if isinstance(source.get("source"), dict):
        made["source"] = _take(built["source"], source["source"], _free(source))
    return made


def _free(source: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what may vary of where a data source is: code is generated from a subgraph's id."""
    return _WHERE[1:] if source.get("kind") == "subgraph" else _WHERE


def _take(
    built: Mapping[str, Any], source: Mapping[str, Any], keys: tuple[str, ...]
) -> dict[str, Any]:
    """Return `built` with some keys of `source` in place of its own, in the order of `source`."""
    order = dict.fromkeys((*source, *built))
    chosen = {key: source.get(key) if key in keys else built.get(key) for key in order}
    return {
        key: value for key, value in chosen.items() if key in (source if key in keys else built)
    }


class _Dumper(yaml.SafeDumper):
    """Quotes what would be read as something else than a text, and nothing more."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own way

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_implicit_resolver("tag:yaml.org,2002:int", INT, list("-+0123456789"))
_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", FLOAT, list("-+.0123456789"))
# A small enough number for gnd's YAML library, which such an address would be to it.
_Dumper.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"0x0*[0-9a-fA-F]{1,32}$"), ["0"])
for _word, _value in WORDS.items():
    _Dumper.add_implicit_resolver(
        f"tag:yaml.org,2002:{'null' if _value is None else 'bool'}",
        re.compile(f"{re.escape(_word)}$"),
        [_word[:1]],
    )
