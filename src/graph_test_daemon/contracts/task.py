"""The task type `graph-contracts`: the protocol's contracts are on the chain."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import anyio

from harness.actions import TaskCall, TaskType

from .address_book import AddressBook
from .chain_of import chain_of
from .errors import AddressBookInvalid, ContractsError
from .protocol.events import (
    ContractConfigured,
    ContractDeployed,
    DeploymentEvent,
    RecordingDiscarded,
)
from .protocol.external import Expected, ExternalContracts
from .protocol.legacy import LegacyContracts
from .protocol.parameters import Parameters, Variant
from .remembered import Remembered

if TYPE_CHECKING:
    from .protocol.provider import ContractsProvider

__all__ = ["ContractsConfig", "ContractsOutputs", "ContractsVerified", "GraphContracts"]


@dataclass(frozen=True, kw_only=True)
class ContractsVerified:
    """The chain was asked, and has everything."""

    contracts: int
    from_recording: bool
    """The transactions were ones that had been made before."""


@dataclass(frozen=True, kw_only=True)
class ContractsOutputs:
    """What others need."""

    addresses: Mapping[str, str]
    """Contract → address."""
    chain_id: int
    address_book: str
    """Absolute path."""
    accounts: Mapping[str, str]
    """Role → address; empty for external contracts."""
    provider: str
    variant: str | None


@dataclass(frozen=True, kw_only=True)
class ContractsConfig:
    """How the contracts come onto the chain."""

    chain: str | None = None
    """The chain's service; the only one of type anvil unless given."""
    provider: Literal["legacy", "external"] = "legacy"
    """legacy: the protocol before Horizon is deployed; external: somebody else has deployed it."""
    variant: Variant | None = None
    """Of the legacy protocol; L2 unless given."""
    parameters: Parameters | None = None
    """Of the legacy protocol."""
    cache: bool = True
    """Keep the transactions of a deployment, and send them again next time."""
    books: tuple[str, ...] = ()
    """Of external contracts: address books, relative to the stack file."""
    artifacts: str | None = None
    """Of external contracts: directory of ABIs or compiled contracts."""
    expected: tuple[Expected, ...] = ()
    """Of external contracts: calls, and what they must answer."""
    address_book: str | None = None
    """File that is written, relative to the stack file; one of the task's own unless given."""

    def __post_init__(self) -> None:
        """Refuse what the provider would not look at."""
        ignored: dict[str, object]
        if self.provider == "external":
            ignored = {"variant": self.variant, "parameters": self.parameters}
            if not self.books:
                raise ValueError("the provider external needs books")
            if self.expected and self.artifacts is None:
                raise ValueError("expected needs artifacts, to know the functions")
        else:
            ignored = {"books": self.books, "artifacts": self.artifacts, "expected": self.expected}
        if wrong := [name for name, value in ignored.items() if value]:
            raise ValueError(f"the provider {self.provider} knows no {', '.join(wrong)}")


class GraphContracts(TaskType):
    """Has the protocol's contracts on a chain."""

    name = "graph-contracts"
    events = (ContractDeployed, ContractConfigured, RecordingDiscarded, ContractsVerified)

    async def execute(self, config: ContractsConfig, call: TaskCall) -> ContractsOutputs:
        """Deploy the protocol's contracts, or find those that are there, and verify them."""
        variant = _variant(config)
        await call.progress(
            f"deploying the protocol, {variant}" if variant else "looking for the contracts"
        )
        async with chain_of(self.task, config.chain) as chain:
            deployed = await self._provider(config).deploy(chain, _Told(call))
        verified = ContractsVerified(
            contracts=len(deployed.book.entries), from_recording=deployed.from_recording
        )
        await call.emit(verified)
        call.log(f"verified {verified.contracts} contracts on chain {deployed.book.chain_id}")
        facts = {"config": _fingerprint(config), "accounts": dict(deployed.accounts)}
        await anyio.to_thread.run_sync(self._remembered(config).keep, deployed.book, facts)
        return await self.outputs(config)

    async def is_completed(self, config: ContractsConfig) -> bool:
        """Ask the chain whether everything is there that was deployed with this very config."""
        done = await anyio.to_thread.run_sync(self._remembered(config).facts)
        if done is None or done["config"] != _fingerprint(config):
            return False
        try:
            async with chain_of(self.task, config.chain) as chain:
                book = await self._book(config, await chain.chain_id())
                if await self._provider(config).verify(chain, book, settings=False):
                    return False
        except AddressBookInvalid:
            return False
        await anyio.to_thread.run_sync(self._remembered(config).keep_chain, done, book)
        return True

    async def outputs(self, config: ContractsConfig) -> ContractsOutputs:
        """Return what was deployed."""
        remembered = self._remembered(config)
        done = await anyio.to_thread.run_sync(remembered.facts)
        if done is None:
            raise ContractsError("cannot tell what is deployed: nothing is")
        book = await anyio.to_thread.run_sync(remembered.book, done["chain_id"])
        return ContractsOutputs(
            addresses=book.addresses,
            chain_id=book.chain_id,
            address_book=str(remembered.path),
            accounts=done["accounts"],
            provider=config.provider,
            variant=_variant(config),
        )

    def _provider(self, config: ContractsConfig) -> ContractsProvider:
        if config.provider == "legacy":
            return LegacyContracts(
                variant=config.variant or "L2",
                parameters=config.parameters,
                recordings=config.cache,
                env=self.task.env,
            )
        directory = self.task.directory
        return ExternalContracts(
            books=[directory / book for book in config.books],
            artifacts_dir=directory / config.artifacts if config.artifacts else None,
            expected=config.expected,
        )

    async def _book(self, config: ContractsConfig, chain_id: int) -> AddressBook:
        """Return what should be on the chain, whose number may be another than it was."""
        book = await anyio.to_thread.run_sync(self._remembered(config).book, chain_id)
        if config.provider == "external":
            books = [self.task.directory / name for name in config.books]
            given = await anyio.to_thread.run_sync(AddressBook.read_all, books, chain_id)
            if given.document() != book.document():
                raise AddressBookInvalid(path=str(books[-1]), cause="it has changed")
        return book

    def _remembered(self, config: ContractsConfig) -> Remembered:
        return Remembered(self.task, config.address_book)


class _Told:
    """Tells a call, and writes into the log, what a deployment tells."""

    def __init__(self, call: TaskCall) -> None:
        self._call = call

    async def __call__(self, event: DeploymentEvent) -> None:
        match event:
            case ContractDeployed():
                self._call.log(f"deployed {event.name} at {event.address}")
            case ContractConfigured():
                self._call.log(f"called {event.name}.{event.call}")
            case RecordingDiscarded():
                self._call.log(f"removed {event.path}, which cannot be used: {event.cause}")
        await self._call.emit(event)


def _variant(config: ContractsConfig) -> str | None:
    return (config.variant or "L2") if config.provider == "legacy" else None


def _fingerprint(config: ContractsConfig) -> str:
    """Return a hash of everything that decides what is deployed."""
    shown = dataclasses.asdict(config) | {"cache": None, "variant": _variant(config)}
    if config.provider == "legacy":
        shown["parameters"] = dataclasses.asdict(config.parameters or Parameters())
    text = json.dumps(shown, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
