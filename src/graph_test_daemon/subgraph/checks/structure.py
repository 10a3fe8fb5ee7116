"""The shape of a manifest: which keys there are, versions, features, grafts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from graph_test_daemon.subgraph.document import Path
from graph_test_daemon.subgraph.manifest import HANDLERS, SourceKind, spec_version
from harness.suggestions import did_you_mean

from .subject import Subject

__all__ = ["DEPLOYMENT_ID", "check_structure"]

DEPLOYMENT_ID = re.compile(r"Qm[1-9A-HJ-NP-Za-km-z]{44}")

FEATURES = (
    *("nonFatalErrors", "fullTextSearch", "grafting", "ipfsOnEthereumContracts"),
    *("declaredEthereumCalls", "immutableEntities", "bytesAsIds", "aggregations"),
)
_NEWEST = (1, 5, 0)
_API_VERSION = re.compile(r"0\.0\.[1-9]")

_TOP = (
    *("specVersion", "description", "repository", "features", "graft", "schema", "dataSources"),
    *("templates", "indexerHints", "prune", "usesCalls"),
)
_SOURCE = ("kind", "name", "network", "source", "mapping", "context")
_WHERE = ("address", "abi", "startBlock", "endBlock")
_MAPPING = ("kind", "apiVersion", "language", "entities", "abis", "file", "handler", *HANDLERS)
_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "": ("kind", "name", "mapping"),
    "mapping": ("apiVersion", "language", "entities", "file"),
    "mapping of a contract": ("apiVersion", "language", "entities", "abis", "file"),
}
_OPTIONS: Mapping[str, tuple[tuple[int, ...], str]] = {
    "receipt": ((0, 0, 5), "a receipt"),
    "calls": ((1, 2, 0), "a declared call"),
    **{f"topic{number}": ((1, 2, 0), "a topic filter") for number in (1, 2, 3)},
}
"""Option of a handler → the spec version that it needs, and what it is."""


def check_structure(subject: Subject) -> None:
    """Tell of keys that are missing, doubled or unknown, and of versions and features."""
    document = subject.manifest.document
    for path in document.doubled:
        subject.error(f'"{path[-1]}" is there twice', *path, hint="the later one would count")
    _keys(subject, (), _TOP, required=("specVersion", "schema", "dataSources"))
    for source in subject.manifest.sources:
        _keys(subject, source.path, _SOURCE, required=_REQUIRED[""])
        _keys(subject, (*source.path, "source"), _WHERE)
        mapping = (*source.path, "mapping")
        contract = source.kind is SourceKind.CHAIN
        required = _REQUIRED["mapping of a contract" if contract else "mapping"]
        _keys(subject, mapping, _MAPPING, required=required)
    if document.at("dataSources") == []:
        subject.error("there is no data source", "dataSources")
    _api_versions(subject)
    _names(subject)
    _versions(subject)
    _features(subject)
    _graft(subject)


def _keys(subject: Subject, path: Path, known: Iterable[str], required: Iterable[str] = ()) -> None:
    """Compare the keys of a mapping with those that count; graph-node ignores others."""
    found: Any = subject.manifest.document.at(*path)
    if not isinstance(found, dict):
        if path and required and found is not None:
            subject.error(f'"{path[-1]}" must hold keys and values', *path)
        return
    unknown = [key for key in found if key not in known and not key.startswith("x-")]
    missing = [key for key in required if found.get(key) is None]
    for key in unknown:
        hint = did_you_mean(key, missing or known)
        subject.warning(f'"{key}" is not known here, and ignored', *path, key, hint=hint)
    for key in missing:
        subject.error(f'"{key}" is missing', *path, hint=f"add {key}: …")


def _api_versions(subject: Subject) -> None:
    """Tell of versions of the mappings' interface that are none, or not the same in all."""
    document = subject.manifest.document
    first: str | None = None
    for source in subject.manifest.sources:
        where = (*source.path, "mapping", "apiVersion")
        if (written := document.at(*where)) is None:
            continue
        version = str(written)
        if not _API_VERSION.fullmatch(version):
            subject.error(f"there is no API version {version}", *where, hint="0.0.9 is the newest")
        elif version != (first := first or version):
            message = f"the API version is {version}, but {first} in another mapping"
            subject.error(message, *where, hint=f"write {first} in all")


def _names(subject: Subject) -> None:
    for sources in (subject.manifest.data_sources, subject.manifest.templates):
        seen: set[str] = set()
        for source in sources:
            if source.name in seen:
                message = f'there are two with the name "{source.name}"'
                subject.error(message, *source.path, "name", hint="rename one: their files collide")
            seen.add(source.name)


def _versions(subject: Subject) -> None:
    manifest = subject.manifest
    if not manifest.spec_version:
        return
    version = spec_version(manifest.spec_version)
    if version is None or version > _NEWEST or version < (0, 0, 1):
        message = f'there is no specVersion "{manifest.spec_version}"'
        subject.error(message, "specVersion", hint="1.3.0 has all that is common")
        return
    for needs, what, path in _used(subject):
        if version < needs:
            least = ".".join(map(str, needs))
            subject.error(
                f"{what} needs specVersion {least} or later; it is {manifest.spec_version}",
                *path,
                hint=f"set specVersion: {least}",
            )


def _used(subject: Subject) -> Iterable[tuple[tuple[int, ...], str, Path]]:
    """Yield what is used: the version it needs, what it is, where it is."""
    document = subject.manifest.document
    if (prune := document.at("indexerHints")) is not None and prune:
        yield (1, 0, 0), "indexerHints", ("indexerHints",)
    for source in subject.manifest.sources:
        if document.at(*source.path, "source", "endBlock") is not None:
            yield (0, 0, 9), "endBlock", (*source.path, "source", "endBlock")
        if source.kind is SourceKind.SUBGRAPH:
            yield (1, 3, 0), "a data source from another subgraph", (*source.path, "kind")
        for handler in source.handlers:
            filters = handler.options.get("filter")
            kind = filters.get("kind") if isinstance(filters, dict) else None
            if kind in ("polling", "once"):
                yield (0, 0, 8), f"a {kind} block handler", (*handler.path, "filter")
            for option, (needs, what) in _OPTIONS.items():
                if handler.options.get(option):
                    yield needs, what, (*handler.path, option)


def _features(subject: Subject) -> None:
    written = subject.manifest.document.at("features")
    if written is not None and not isinstance(written, list):
        subject.error("features must be a list", "features")
        return
    for at, feature in enumerate(subject.manifest.features):
        if feature not in FEATURES:
            subject.unknown(f'there is no feature "{feature}"', feature, FEATURES, "features", at)


def _graft(subject: Subject) -> None:
    manifest = subject.manifest
    written = manifest.document.at("graft")
    if written is None:
        return
    if "grafting" not in manifest.features:
        message = "it is grafted, but does not declare the feature `grafting`"
        subject.error(message, "graft", hint="add `grafting` to features")
    if manifest.graft is None:
        subject.error("a graft has a base and a block", "graft", hint="base: Qm…, block: a number")
        return
    if not DEPLOYMENT_ID.fullmatch(manifest.graft.base):
        message = f'"{manifest.graft.base}" is no id of a deployment'
        subject.error(message, "graft", "base", hint="46 characters that begin with Qm")
    if manifest.graft.block < 0:
        subject.error("there is no block below 0", "graft", "block")
