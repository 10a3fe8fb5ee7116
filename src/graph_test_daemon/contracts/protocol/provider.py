"""What a source of the protocol's contracts derives from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from graph_test_daemon.chain import Chain
from graph_test_daemon.contracts.abi import Abi
from graph_test_daemon.contracts.address_book import AddressBook

from .events import OnEvent, nothing_told

__all__ = ["ContractsProvider", "Deployed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """The contracts as they are on the chain.

    Attributes:
        book: what is where.
        accounts: role → address, as far as it is known.
        from_recording: the transactions were ones that had been made before.
    """

    book: AddressBook
    accounts: Mapping[str, str]
    from_recording: bool = False


class ContractsProvider(ABC):
    """Brings a version of the protocol onto a chain, or knows where it is.

    Attributes:
        name: what stack files call it.
    """

    name: ClassVar[str]

    @abstractmethod
    async def deploy(self, chain: Chain, on_event: OnEvent = nothing_told) -> Deployed:
        """Bring the contracts onto the chain, and see that they are there.

        Raises:
            DeploymentFailed: a step failed; the error says which.
            ContractsUnverified: something else is on the chain in the end.
        """

    @abstractmethod
    async def verify(self, chain: Chain, book: AddressBook, *, settings: bool = True) -> list[str]:
        """Return in words what on the chain is not as the book says; empty: nothing.

        Args:
            chain: where the contracts should be.
            book: what should be where.
            settings: look at what the protocol's users may change, too.
        """

    @abstractmethod
    def abi(self, contract: str) -> Abi:
        """Return what a contract understands; of a proxy, what the one behind it does.

        Raises:
            ArtifactsInvalid: it is not known.
        """
