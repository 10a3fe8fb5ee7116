"""Address books: which contract is where, on which chain, in the format of the protocol's tools.

    {"1337": {"Staking": {"address": "0x…", "proxy": true, "implementation": {"address": "0x…"}}}}

Keys that are not known here stay as they are when a book is written again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from graph_test_daemon.whole_files import write_whole

from .errors import AddressBookInvalid, ContractUnknown

__all__ = ["AddressBook", "BookEntry"]

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class BookEntry:
    """One contract.

    Attributes:
        address: to call it at, in lower case.
        implementation: address of the code behind it, where it is a proxy.
        more: whatever else the book says of it.
    """

    address: str
    implementation: str | None = None
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_proxy(self) -> bool:
        """Another contract's code runs at its address."""
        return self.implementation is not None

    @classmethod
    def read(cls, raw: Any) -> Self:
        """Read one as a file has it.

        Raises:
            ValueError: it has no address, or one that is none.
        """
        match raw:
            case {"address": str(address), **more}:
                found = more.get("implementation")
            case _:
                raise ValueError("it has no address")
        inner: dict[str, Any] = found if isinstance(found, dict) else {}
        implementation = inner.get("address")
        for name, value in (("address", address), ("implementation.address", implementation)):
            if value is not None and not (isinstance(value, str) and _ADDRESS.fullmatch(value)):
                raise ValueError(f'its {name} is none: "{value}"')
        rest = {str(key): value for key, value in more.items()}
        if implementation is None:
            return cls(address=address.lower(), more=rest)
        rest.pop("proxy", None)
        rest["implementation"] = {k: v for k, v in inner.items() if k != "address"}
        if not rest["implementation"]:
            del rest["implementation"]
        return cls(address=address.lower(), implementation=implementation.lower(), more=rest)

    def document(self) -> dict[str, Any]:
        """Return it as the file has it."""
        document: dict[str, Any] = {"address": self.address}
        if self.implementation is not None:
            inner = self.more.get("implementation", {})
            document |= {"proxy": True, "implementation": {**inner, "address": self.implementation}}
        return {**self.more, **document}


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressBook:
    """The contracts of one chain.

    Attributes:
        chain_id: number of the chain.
        entries: by name, in the order in which they were deployed.
    """

    chain_id: int
    entries: Mapping[str, BookEntry]

    def __getitem__(self, name: str) -> BookEntry:
        """Return a contract's entry.

        Raises:
            ContractUnknown: there is none of that name.
        """
        if name not in self.entries:
            raise ContractUnknown(name, self.entries)
        return self.entries[name]

    def __contains__(self, name: object) -> bool:
        return name in self.entries

    @property
    def addresses(self) -> dict[str, str]:
        """Addresses by name."""
        return {name: entry.address for name, entry in self.entries.items()}

    def merged(self, other: AddressBook) -> Self:
        """Return one with the other's contracts besides; where both have a name, the other's."""
        return replace(self, entries={**self.entries, **other.entries})

    # ── files ────────────────────────────────────────────────────────────────────────────────────

    @classmethod
    def read(cls, path: Path, chain_id: int) -> Self:
        """Read what a file says of a chain; blocks.

        Raises:
            AddressBookInvalid: it cannot be read, is none, or says nothing of that chain.
        """
        chains = _chains(path)
        if str(chain_id) not in chains:
            raise AddressBookInvalid(
                path=str(path),
                cause=f"it says nothing of chain {chain_id}",
                hint=f"it has the chains {', '.join(chains)}" if chains else "it is empty",
            )
        contracts = chains[str(chain_id)]
        if not isinstance(contracts, dict):
            raise AddressBookInvalid(path=str(path), cause=f'"{chain_id}" is no mapping')
        where = f"{chain_id}."
        entries = {name: _entry(path, where + name, raw) for name, raw in contracts.items()}
        return cls(chain_id=chain_id, entries=entries)

    @classmethod
    def read_all(cls, paths: Iterable[Path], chain_id: int) -> Self:
        """Read several files, as Horizon's deployments are written, and merge them; blocks.

        Raises:
            AddressBookInvalid: one of them cannot be used.
        """
        book = cls(chain_id=chain_id, entries={})
        for path in paths:
            book = book.merged(cls.read(path, chain_id))
        return book

    def write(self, path: Path) -> None:
        """Write it as a whole, leaving what the file says of other chains; blocks.

        Raises:
            AddressBookInvalid: there is a file already, and it is no address book.
            OSError: it cannot be written; the old one stays.
        """
        chains = _chains(path) if path.exists() else {}
        chains[str(self.chain_id)] = self.document()
        write_whole(path, json.dumps(chains, indent=2) + "\n")

    def document(self) -> dict[str, Any]:
        """Return the part of a file that is about its chain."""
        return {name: entry.document() for name, entry in self.entries.items()}


def _chains(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise AddressBookInvalid(path=str(path), cause="there is no such file") from error
    except (OSError, ValueError) as error:
        raise AddressBookInvalid(path=str(path), cause=f"it cannot be read: {error}") from error
    if not isinstance(document, dict) or not all(key.isdecimal() for key in document):
        cause = "it is no address book: a mapping of chains' numbers"
        raise AddressBookInvalid(path=str(path), cause=cause)
    return document


def _entry(path: Path, where: str, raw: Any) -> BookEntry:
    try:
        return BookEntry.read(raw)
    except ValueError as error:
        raise AddressBookInvalid(path=str(path), cause=f"{where}: {error}") from error
