"""Compiled contracts in a directory, as Hardhat (`artifacts/`) and Foundry (`out/`) write them.

Source: Hardhat's artifact format `hh-sol-artifact-1`; Foundry's `out/NAME.sol/NAME.json`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.suggestions import guess

from .abi import Abi
from .errors import ArtifactsInvalid

__all__ = ["Artifact", "Artifacts", "read_artifact"]

_SKIPPED = frozenset({"build-info", "cache"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One compiled contract.

    Attributes:
        name: of the contract.
        source: the file it is written in, as the compiler names it.
        abi: what it understands.
        bytecode: that deploys it, in hex without 0x; empty for interfaces. Where libraries are
            linked in it has placeholders.
        links: library → where its address goes, in bytes from the beginning.
        path: of the artifact.
    """

    name: str
    source: str
    abi: Abi
    bytecode: str
    links: Mapping[str, tuple[int, ...]]
    path: Path

    def creation_code(self, libraries: Mapping[str, str] | None = None) -> bytes:
        """Return what deploys it, before the constructor's arguments.

        Args:
            libraries: name → address of those that it uses.

        Raises:
            ArtifactsInvalid: it has no code, or a library is not given.
        """
        if not self.bytecode:
            raise self._invalid("it has no code: an interface or an abstract contract")
        code = self.bytecode
        for library, places in self.links.items():
            address = (libraries or {}).get(library)
            if address is None:
                raise self._invalid(f"it uses the library {library}, whose address is not given")
            for start in places:
                code = (
                    code[: start * 2] + address.removeprefix("0x").lower() + code[start * 2 + 40 :]
                )
        return bytes.fromhex(code)

    def _invalid(self, cause: str) -> ArtifactsInvalid:
        return ArtifactsInvalid(path=str(self.path), cause=f"cannot deploy {self.name}: {cause}")


class Artifacts:
    """A directory of them; each is read when it is asked for, and once.

    Args:
        directory: `artifacts` of Hardhat, `out` of Foundry, or any with files of theirs.

    Raises:
        ArtifactsInvalid: there is no such directory.
    """

    def __init__(self, directory: Path) -> None:
        if not directory.is_dir():
            raise ArtifactsInvalid(
                path=str(directory),
                cause="there is no such directory of compiled contracts",
                hint="compile the project, with `npx hardhat compile` or `forge build`",
            )
        self.directory = directory
        self._read: dict[Path, Artifact] = {}

    def __contains__(self, name: str) -> bool:
        return name.rpartition(":")[2] in self._paths

    def names(self) -> list[str]:
        """Return the names of the contracts, in alphabetical order."""
        return sorted(self._paths)

    def get(self, name: str) -> Artifact:
        """Return one by its name, or by `file.sol:Name` where several have the name.

        Raises:
            ArtifactsInvalid: there is none, there are several, or it cannot be read.
        """
        source, _, contract = name.rpartition(":")
        found = [self._artifact(path) for path in self._paths.get(contract, ())]
        if source:
            found = [one for one in found if one.source == source]
        if len(found) == 1:
            return found[0]
        if not found:
            raise self._invalid(f"it has no contract {name}", guess(name, self._paths))
        names = ", ".join(f"{one.source}:{one.name}" for one in found)
        raise self._invalid(f"several contracts are called {name}", f"write one of {names}")

    @cached_property
    def _paths(self) -> dict[str, list[Path]]:
        """Name of the contract → its files. Both tools make a directory `NAME.sol` for a source."""
        found: dict[str, list[Path]] = {}
        for place, directories, files in os.walk(self.directory):
            directories[:] = sorted(name for name in directories if name not in _SKIPPED)
            for file in files:
                if file.endswith(".json") and not file.endswith((".dbg.json", ".metadata.json")):
                    found.setdefault(file.removesuffix(".json"), []).append(Path(place, file))
        return found

    def _artifact(self, path: Path) -> Artifact:
        if path not in self._read:
            self._read[path] = read_artifact(path)
        return self._read[path]

    def _invalid(self, cause: str, hint: str | None = None) -> ArtifactsInvalid:
        return ArtifactsInvalid(path=str(self.directory), cause=cause, hint=hint)


def read_artifact(path: Path) -> Artifact:
    """Read one compiled contract, or an ABI alone.

    Raises:
        ArtifactsInvalid: it cannot be read, or is neither.
    """
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ArtifactsInvalid(path=str(path), cause=f"it cannot be read: {error}") from error
    if isinstance(document, list):  # an ABI alone
        document = {"abi": document}
    if not isinstance(document, dict) or not isinstance(document.get("abi"), list):
        raise ArtifactsInvalid(path=str(path), cause="it is no compiled contract: it has no abi")
    bytecode = document.get("bytecode", "")
    links = document.get("linkReferences", {})
    if isinstance(bytecode, dict):  # Foundry's
        bytecode, links = bytecode.get("object", ""), bytecode.get("linkReferences", {})
    return Artifact(
        name=document.get("contractName", path.stem),
        source=document.get("sourceName") or _foundry_source(document) or path.parent.name,
        abi=Abi(document["abi"]),
        bytecode=str(bytecode).removeprefix("0x"),
        links=_links(links),
        path=path,
    )


def _links(references: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    return {
        library: tuple(place["start"] for place in places)
        for libraries in references.values()
        for library, places in libraries.items()
    }


def _foundry_source(document: Mapping[str, Any]) -> str | None:
    match document:
        case {"metadata": {"settings": {"compilationTarget": dict(target)}}}:
            return next(iter(target), None)
        case {"ast": {"absolutePath": str(path)}}:
            return path
        case _:
            return None
