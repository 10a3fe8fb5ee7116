"""Contracts that somebody else has deployed: address books, and a directory of ABIs.

This is how Horizon, or any other version of the protocol, plugs in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import anyio

from graph_test_daemon.chain import Chain
from graph_test_daemon.contracts.abi import Abi
from graph_test_daemon.contracts.address_book import AddressBook
from graph_test_daemon.contracts.artifacts import Artifacts
from graph_test_daemon.contracts.errors import ArtifactsInvalid, ContractsUnverified

from .checks import Check, call_check, code_checks, find_differences
from .events import OnEvent, nothing_told
from .provider import ContractsProvider, Deployed

__all__ = ["Expected", "ExternalContracts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a function of a contract must answer."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {
        "extra": "forbid",
        "use_attribute_docstrings": True,
    }

    contract: str
    function: str
    arguments: Sequence[Any] = ()
    value: Any
    """Addresses and bytes as 0x-hex."""


class ExternalContracts(ContractsProvider):
    """Deploys nothing; sees that everything in the books is on the chain.

    Args:
        books: files; where several have a name, the last one counts.
        artifacts_dir: compiled contracts, or files `NAME.json` with an ABI; None: nothing is known
            of the contracts but where they are.
        expected: calls that must have a certain answer.
    """

    name: ClassVar[str] = "external"

    def __init__(
        self,
        *,
        books: Sequence[Path],
        artifacts_dir: Path | None = None,
        expected: Sequence[Expected] = (),
    ) -> None:
        self._books = tuple(books)
        self._artifacts_dir = artifacts_dir
        self._expected = tuple(expected)
        self._opened: Artifacts | None = None

    async def deploy(self, chain: Chain, on_event: OnEvent = nothing_told) -> Deployed:
        """Read the books, and see that their contracts are there.

        Raises:
            AddressBookInvalid: a book cannot be used.
            ContractsUnverified: something else is on the chain.
        """
        chain_id = await chain.chain_id()
        book = await anyio.to_thread.run_sync(AddressBook.read_all, self._books, chain_id)
        if differences := await self.verify(chain, book):
            raise ContractsUnverified(differences)
        return Deployed(book=book, accounts={})

    async def verify(self, chain: Chain, book: AddressBook, *, settings: bool = True) -> list[str]:
        """Return in words what on the chain is not as the book says; empty: nothing."""
        checks = code_checks(book)
        if settings:
            checks += await anyio.to_thread.run_sync(self._calls, book)
        return await find_differences(chain, checks)

    def abi(self, contract: str) -> Abi:
        """Return what a contract understands.

        Raises:
            ArtifactsInvalid: it is not known.
        """
        if self._artifacts_dir is None:
            raise ArtifactsInvalid(
                path=", ".join(map(str, self._books)),
                cause=f"what {contract} understands is not known: no ABIs are given",
                hint="config.artifacts names a directory of them",
            )
        if self._opened is None:
            self._opened = Artifacts(self._artifacts_dir)
        return self._opened.get(contract).abi

    def _calls(self, book: AddressBook) -> list[Check]:
        return [
            call_check(
                book[one.contract].address,
                self.abi(one.contract),
                one.function,
                one.arguments,
                expected=one.value,
                of=one.contract,
                is_setting=True,
            )
            for one in self._expected
        ]
