"""The protocol's contracts as objects, by name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from graph_test_daemon.chain import Chain
from graph_test_daemon.contracts.abi import Abi, Event
from graph_test_daemon.contracts.address_book import AddressBook
from graph_test_daemon.contracts.contract import Contract, OnSent, read_logs
from graph_test_daemon.contracts.errors import ArtifactsInvalid

from .provider import ContractsProvider

__all__ = ["Protocol"]


class Protocol:
    """The contracts of one deployment.

        protocol = Protocol(chain, book, LegacyContracts(variant="L2"))
        await protocol.staking.call("hasStake", indexer)
        await protocol["AllocationExchange"].call("authority", account)

    Args:
        chain: where they are.
        book: what is where.
        provider: knows what each understands.
        on_sent: is awaited after each transaction to one of them that is in a block.
    """

    def __init__(
        self,
        chain: Chain,
        book: AddressBook,
        provider: ContractsProvider,
        *,
        on_sent: OnSent | None = None,
    ) -> None:
        self.chain = chain
        self.book = book
        self._provider = provider
        self._on_sent = on_sent
        self._contracts: dict[str, Contract] = {}

    def __getitem__(self, name: str) -> Contract:
        """Return a contract.

        Raises:
            ContractUnknown: the book has none of that name.
            ArtifactsInvalid: what it understands is not known.
        """
        if name not in self._contracts:
            entry = self.book[name]
            self._contracts[name] = Contract(
                self.chain,
                entry.address,
                self._provider.abi(name),
                name=name,
                others=self.abis,
                on_sent=self._on_sent,
            )
        return self._contracts[name]

    @cached_property
    def abis(self) -> Mapping[str, Abi]:
        """Address → ABI of every contract of which it is known."""
        found = {}
        for name, entry in self.book.entries.items():
            try:
                found[entry.address] = self._provider.abi(name)
            except ArtifactsInvalid:
                continue  # asking for this very contract tells
        return found

    async def events(self, transaction: str) -> tuple[Event, ...]:
        """Return what the protocol's contracts have logged in a transaction that is in a block."""
        receipt = await self.chain.mined(transaction)
        return read_logs(receipt.logs, self.abis)

    # ── the ones that most calls are about ───────────────────────────────────────────────────────

    @property
    def controller(self) -> Contract:
        """Who is who: the registry of the others, the governor, the pause."""
        return self["Controller"]

    @property
    def epoch_manager(self) -> Contract:
        """Which epoch it is."""
        return self["EpochManager"]

    @property
    def graph_token(self) -> Contract:
        """The tokens."""
        return self["GraphToken"]

    @property
    def staking(self) -> Contract:
        """Stake, delegation, allocations; it understands what its extension does, too."""
        return self["Staking"]

    @property
    def curation(self) -> Contract:
        """Signal on deployments."""
        return self["Curation"]

    @property
    def gns(self) -> Contract:
        """Published subgraphs, and signal on them."""
        return self["GNS"]

    @property
    def rewards_manager(self) -> Contract:
        """What indexing earns."""
        return self["RewardsManager"]

    @property
    def dispute_manager(self) -> Contract:
        """Disputes, and slashing."""
        return self["DisputeManager"]
