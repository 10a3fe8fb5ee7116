"""The task type `graph-project`: a project of the user's deploys its contracts."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import anyio

from harness.actions import TaskCall, TaskType

from .address_book import AddressBook, BookEntry
from .broadcasts import broadcast_contracts
from .chain_of import chain_of, url_of_chain
from .errors import AddressBookInvalid, ContractsError, ContractsUnverified
from .protocol.checks import code_checks, find_differences
from .remembered import Remembered
from .tool_output import (
    CompilationFinished,
    CompilationStarted,
    ContractReported,
    OutputReader,
)

__all__ = ["GraphProject", "ProjectConfig", "ProjectOutputs", "ProjectVerified"]

_SOURCES = (
    "contracts/**/*",
    "src/**/*",
    "script/**/*",
    "scripts/**/*",
    "deploy/**/*",
    "ignition/modules/**/*",
    "hardhat.config.*",
    "foundry.toml",
)


@dataclass(frozen=True, kw_only=True)
class ProjectVerified:
    """The chain was asked, and has code at every address that was told."""

    contracts: int


@dataclass(frozen=True, kw_only=True)
class ProjectOutputs:
    """What others need."""

    addresses: Mapping[str, str]
    """Contract → address."""
    chain_id: int
    address_book: str
    """Absolute path."""


@dataclass(frozen=True, kw_only=True)
class ProjectConfig:
    """How the project's contracts come onto the chain."""

    command: tuple[str, ...]
    """Program and arguments, for example [npx, hardhat, run, scripts/deploy.js]."""
    directory: str = "."
    """Where it runs, relative to the stack file."""
    chain: str | None = None
    """The chain's service; the only one of type anvil unless given."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Variables; ETH_RPC_URL is the chain's URL unless it is among them."""
    unnamed: str = "Contract"
    """What a contract is called whose address is printed without a name, as forge create does."""
    expected: tuple[str, ...] = ()
    """Contracts that it must have deployed."""
    sources: tuple[str, ...] = _SOURCES
    """Files that it is run again for when they change, relative to the directory."""
    address_book: str | None = None
    """File that is written, relative to the stack file; one of the task's own unless given."""


class GraphProject(TaskType):
    """Has the contracts of a Hardhat or Foundry project, or of any program, on a chain."""

    name = "graph-project"
    events = (CompilationStarted, CompilationFinished, ContractReported, ProjectVerified)

    async def execute(self, config: ProjectConfig, call: TaskCall) -> ProjectOutputs:
        """Run the project's own deployment, and verify that its contracts are on the chain."""
        url = url_of_chain(self.task, config.chain)
        sources = await anyio.to_thread.run_sync(self._fingerprint, config)
        reader = OutputReader(unnamed=config.unnamed)

        async def read(line: str) -> None:
            if (said := reader.read(line)) is not None:
                await call.emit(said)

        began_ns = time.time_ns()
        env = {"ETH_RPC_URL": url, **config.env}
        await call.run(*config.command, on_line=read, env=env, directory=config.directory)
        async with chain_of(self.task, config.chain) as chain:
            chain_id = await chain.chain_id()
            directory = self.task.directory / config.directory
            for name, address in await anyio.to_thread.run_sync(
                lambda: broadcast_contracts(directory, chain_id, since_ns=began_ns)
            ):
                if (said := reader.add(name, address)) is not None:
                    await call.emit(said)
            book = _book(reader.addresses, chain_id, config)
            if differences := await find_differences(chain, code_checks(book)):
                raise ContractsUnverified(differences)
        await call.emit(ProjectVerified(contracts=len(book.entries)))
        keep = self._remembered(config).keep
        await anyio.to_thread.run_sync(keep, book, {"sources": sources})
        return await self.outputs(config)

    async def is_completed(self, config: ProjectConfig) -> bool:
        """Ask the chain whether everything is there that these very sources have deployed."""
        done = await anyio.to_thread.run_sync(self._remembered(config).facts)
        sources = await anyio.to_thread.run_sync(self._fingerprint, config)
        if done is None or done["sources"] != sources:
            return False
        async with chain_of(self.task, config.chain) as chain:
            try:
                book = await self._book(config, await chain.chain_id())
            except AddressBookInvalid:
                return False
            if await find_differences(chain, code_checks(book)):
                return False
        await anyio.to_thread.run_sync(self._remembered(config).keep_chain, done, book)
        return True

    async def outputs(self, config: ProjectConfig) -> ProjectOutputs:
        """Return what was deployed."""
        remembered = self._remembered(config)
        done = await anyio.to_thread.run_sync(remembered.facts)
        if done is None:
            raise ContractsError("cannot tell what is deployed: nothing is")
        book = await anyio.to_thread.run_sync(remembered.book, done["chain_id"])
        return ProjectOutputs(
            addresses=book.addresses, chain_id=book.chain_id, address_book=str(remembered.path)
        )

    async def _book(self, config: ProjectConfig, chain_id: int) -> AddressBook:
        return await anyio.to_thread.run_sync(self._remembered(config).book, chain_id)

    def _remembered(self, config: ProjectConfig) -> Remembered:
        return Remembered(self.task, config.address_book)

    def _fingerprint(self, config: ProjectConfig) -> str:
        """Return a hash of what is run, and of the sources; blocks."""
        shown = [config.command, config.directory, dict(config.env), config.unnamed]
        hashed = hashlib.sha256(json.dumps([shown, config.expected], default=list).encode())
        directory = self.task.directory / config.directory
        paths = {path for pattern in config.sources for path in directory.glob(pattern)}
        for path in sorted(path for path in paths if path.is_file()):
            hashed.update(f"\0{path.relative_to(directory)}\0".encode())
            hashed.update(path.read_bytes())
        return hashed.hexdigest()


def _book(addresses: Mapping[str, str], chain_id: int, config: ProjectConfig) -> AddressBook:
    """Return what was told as a book.

    Raises:
        ContractsError: something was expected that was not told.
    """
    missing = [name for name in config.expected if name not in addresses]
    if missing or not addresses:
        told = ", ".join(addresses) or "no contract"
        wanted = f", and not of {', '.join(missing)}" if missing else ""
        raise ContractsError(
            f"cannot find what {config.command[0]} deployed: it told of {told}{wanted}",
            hint='lines such as "NAME deployed to 0x…" are read, and what forge script broadcasts',
        )
    entries = {name: BookEntry(address=address) for name, address in addresses.items()}
    return AddressBook(chain_id=chain_id, entries=entries)
