"""A subgraph's manifest, typed: what it follows, with which handlers, from which files.

It is read leniently, so that everything that is wrong can be told of at once; `checks` does that.

Source: graph-node, docs/subgraph-manifest.md; spec versions up to 1.4.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from .document import Document, Place, read_document
from .document import Path as Way
from .problems import Problem

__all__ = [
    "HANDLERS",
    "MANIFEST",
    "DataSource",
    "Graft",
    "Handler",
    "HandlerKind",
    "Manifest",
    "SourceKind",
    "read_manifest",
    "spec_version",
]

MANIFEST = "subgraph.yaml"


class SourceKind(StrEnum):
    """What a data source follows."""

    CHAIN = "chain"
    SUBGRAPH = "subgraph"
    FILE = "file"
    OTHER = "other"


class HandlerKind(StrEnum):
    """What a handler is called for."""

    EVENT = "event"
    CALL = "call"
    BLOCK = "block"
    ENTITY = "entity"
    FILE = "file"


HANDLERS: Mapping[str, tuple[HandlerKind, str | None]] = {
    "eventHandlers": (HandlerKind.EVENT, "event"),
    "callHandlers": (HandlerKind.CALL, "function"),
    "blockHandlers": (HandlerKind.BLOCK, None),
    "handlers": (HandlerKind.ENTITY, "entity"),
}
"""Key in a mapping → the kind of handlers there, and the key that says what each is called for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """One handler.

    Attributes:
        kind: what it is called for.
        name: of the function; empty where none is given.
        trigger: signature of the event or function, or name of the entity; None: has none.
        options: everything that is written about it.
        path: the way to it in the manifest.
    """

    kind: HandlerKind
    name: str
    trigger: str | None
    options: Mapping[str, Any]
    path: Way


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSource:
    """One data source, or template of one.

    Attributes:
        name: of it.
        kind: what it follows.
        network: the chain's name as graph-node knows it, or None.
        address: of the contract, or the id of the deployment that it follows; None: any, or given
            when a template is used.
        abi: name of the contract's own ABI, or None.
        start_block: the first block that is looked at; 0 where none is given.
        abis: name → path of the file, relative to the manifest.
        file: path of the mapping's source, relative to the manifest; None where none is given.
        handlers: all, in the order of the manifest.
        is_template: mappings start it.
        path: the way to it in the manifest.
    """

    name: str
    kind: SourceKind
    network: str | None
    address: str | None
    abi: str | None
    start_block: int
    abis: Mapping[str, str]
    file: str | None
    handlers: tuple[Handler, ...]
    is_template: bool
    path: Way


@dataclass(frozen=True, slots=True, kw_only=True)
class Graft:
    """Whose data a subgraph begins with, and up to which block."""

    base: str
    block: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A manifest.

    Attributes:
        directory: that holds it; paths in it start there.
        document: as it is written, with places.
        spec_version: as it is written, such as `1.3.0`; empty where none is given.
        schema: path of the schema, relative to the directory; None where none is given.
        features: as declared.
        graft: whose data it begins with, or None.
        data_sources: in the order of the manifest.
        templates: likewise.
    """

    directory: Path
    document: Document
    spec_version: str
    schema: str | None
    features: tuple[str, ...]
    graft: Graft | None
    data_sources: tuple[DataSource, ...]
    templates: tuple[DataSource, ...]

    @property
    def sources(self) -> tuple[DataSource, ...]:
        """Data sources and templates."""
        return self.data_sources + self.templates

    @property
    def networks(self) -> tuple[str, ...]:
        """The networks that it names, each once."""
        return tuple(dict.fromkeys(source.network for source in self.sources if source.network))

    def place(self, *path: str | int) -> Place:
        """Return where something is written."""
        return self.document.place(*path)


def read_manifest(
    directory: Path, name: str = MANIFEST, *, text: str | None = None
) -> Manifest | Problem:
    """Read a manifest; what is no manifest at all comes back as the problem it is.

    Args:
        directory: that holds it, and that paths in it start at.
        name: of the file.
        text: to read in place of what is in the file.
    """
    path = directory / name
    try:
        text = path.read_text("utf-8") if text is None else text
    except FileNotFoundError:
        return Problem(
            message="there is no such file",
            file=str(path),
            hint="name the directory that holds the subgraph's manifest",
        )
    except (OSError, ValueError) as error:
        return Problem(message=f"it cannot be read: {error}", file=str(path))
    document = read_document(text, name)
    if isinstance(document, Problem):
        return document
    if not isinstance(document.data, dict):
        return Problem(message="it holds no mapping of keys to values", file=name)
    return _manifest(directory, document)


def spec_version(text: str) -> tuple[int, ...] | None:
    """Return the numbers of a version such as `1.3.0`, or None where it is none."""
    parts = text.split(".")
    return tuple(map(int, parts)) if len(parts) == 3 and all(map(str.isdigit, parts)) else None


def _manifest(directory: Path, document: Document) -> Manifest:
    base, block = document.at("graft", "base"), document.at("graft", "block")
    features = document.at("features")
    return Manifest(
        directory=directory,
        document=document,
        spec_version=_text(document.at("specVersion")) or "",
        schema=_text(document.at("schema", "file")),
        features=tuple(map(str, features)) if isinstance(features, list) else (),
        graft=Graft(base=str(base), block=block) if base and isinstance(block, int) else None,
        data_sources=_sources(document, "dataSources"),
        templates=_sources(document, "templates"),
    )


def _sources(
    document: Document, key: Literal["dataSources", "templates"]
) -> tuple[DataSource, ...]:
    items = document.at(key)
    return tuple(
        _source(document, (key, at))
        for at in range(len(items) if isinstance(items, list) else 0)
        if isinstance(document.at(key, at), dict)
    )


def _source(document: Document, path: Way) -> DataSource:
    start = document.at(*path, "source", "startBlock")
    abis = document.at(*path, "mapping", "abis")
    return DataSource(
        name=_text(document.at(*path, "name")) or "",
        kind=_kind(_text(document.at(*path, "kind")) or ""),
        network=_text(document.at(*path, "network")),
        address=_text(document.at(*path, "source", "address")),
        abi=_text(document.at(*path, "source", "abi")),
        start_block=start if isinstance(start, int) else 0,
        abis={
            str(abi.get("name")): str(abi.get("file"))
            for abi in (abis if isinstance(abis, list) else [])
            if isinstance(abi, dict)
        },
        file=_text(document.at(*path, "mapping", "file")),
        handlers=_handlers(document, (*path, "mapping")),
        is_template=path[0] == "templates",
        path=path,
    )


def _handlers(document: Document, path: Way) -> tuple[Handler, ...]:
    found = []
    for key, (kind, trigger) in HANDLERS.items():
        items = document.at(*path, key)
        for at, options in enumerate(items if isinstance(items, list) else []):
            if isinstance(options, dict):
                found.append(
                    Handler(
                        kind=kind,
                        name=_text(options.get("handler")) or "",
                        trigger=_text(options.get(trigger)) if trigger else None,
                        options=options,
                        path=(*path, key, at),
                    )
                )
    if (name := _text(document.at(*path, "handler"))) is not None:
        options = {"handler": name}
        kind = HandlerKind.FILE
        found.append(Handler(kind=kind, name=name, trigger=None, options=options, path=path))
    return tuple(found)


def _kind(kind: str) -> SourceKind:
    if kind in ("ethereum", "ethereum/contract"):
        return SourceKind.CHAIN
    if kind == "subgraph":
        return SourceKind.SUBGRAPH
    return SourceKind.FILE if kind.startswith("file/") else SourceKind.OTHER


def _text(value: Any) -> str | None:
    return None if value is None or isinstance(value, dict | list) else str(value)
