"""A contract's ABI file: which events and functions it has, as a manifest writes them.

Accepted are what compilers write: the list itself, or a document that has it under `abi`
(Hardhat, Foundry, Truffle) or `compilerOutput.abi`.

Source: Solidity, contract ABI specification, JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Abi", "AbiUnreadable", "read_abi"]


class AbiUnreadable(ValueError):
    """A file is no ABI; the message says why not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Abi:
    """What a contract has.

    Attributes:
        events: signatures, such as `Moved(indexed address,(int256,string),uint256[])`.
        functions: signatures, such as `store(uint256,string)`.
    """

    events: tuple[str, ...]
    functions: tuple[str, ...]


def read_abi(path: Path) -> Abi:
    """Read a file.

    Raises:
        AbiUnreadable: it is no ABI.
        OSError: it cannot be read.
    """
    try:
        document = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise AbiUnreadable(f"it is no JSON: {error}") from error
    entries = _entries(document)
    try:
        return Abi(
            events=tuple(_signature(entry, "event") for entry in entries if _is(entry, "event")),
            functions=tuple(
                _signature(entry, "function") for entry in entries if _is(entry, "function")
            ),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise AbiUnreadable(f"an entry is not as in an ABI: {error!r}") from error


def _entries(document: Any) -> list[Any]:
    match document:
        case list(entries) | {"abi": list(entries)} | {"compilerOutput": {"abi": list(entries)}}:
            return entries
        case _:
            raise AbiUnreadable("it is neither a list nor has one under `abi`")


def _is(entry: Mapping[str, Any], kind: str) -> bool:
    return bool(entry.get("type", "function") == kind)


def _signature(entry: Mapping[str, Any], kind: str) -> str:
    inputs = [
        ("indexed " if kind == "event" and each.get("indexed") else "") + _type(each)
        for each in entry["inputs"]
    ]
    return f"{entry['name']}({','.join(inputs)})"


def _type(each: Mapping[str, Any]) -> str:
    name: str = each["type"]
    if not name.startswith("tuple"):
        return name
    parts = ",".join(_type(part) for part in each["components"])
    return f"({parts}){name.removeprefix('tuple')}"
