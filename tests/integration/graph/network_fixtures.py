"""The protocol on a chain that a module's tests share, each of which leaves it as it was."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio

from graph_test_daemon.chain import Chain
from graph_test_daemon.contracts.protocol import (
    Deployed,
    LegacyContracts,
    Parameters,
    Protocol,
    Variant,
)
from graph_test_daemon.network import Network

from .conftest import running_chain

__all__ = ["DEPLOYMENT", "OTHER_DEPLOYMENT", "POI", "SharedProtocol", "deployed_protocol"]

DEPLOYMENT = "QmcYzr1v1xpXch8aU6qFb7EjxEKvNhjTVJmKDUXSPFg3TD"
OTHER_DEPLOYMENT = "QmaozNR7DZHQK1ZcU9p7QdrshMvXqWK6gpu5rmrkPdT3L4"
POI = f"0x{'ab' * 32}"


@dataclass(frozen=True)
class SharedProtocol:
    """A chain with the protocol on it."""

    url: str
    deployed: Deployed
    provider: LegacyContracts

    @asynccontextmanager
    async def network(self) -> AsyncIterator[Network]:
        """Give the network, and put the chain back to what it was."""
        chain = Chain(self.url)
        snapshot = await chain.rpc.call("evm_snapshot")
        try:
            protocol = Protocol(chain, self.deployed.book, self.provider)
            yield Network(protocol, roles=self.deployed.accounts)
        finally:
            with anyio.CancelScope(shield=True):
                await chain.rpc.call("evm_revert", [snapshot])
                await chain.aclose()


def deployed_protocol(directory: Path, variant: Variant) -> Iterator[SharedProtocol]:
    """Deploy the protocol on a chain of its own."""
    provider = LegacyContracts(variant=variant, parameters=Parameters(epoch_length=30))

    async def deploy(url: str) -> Deployed:
        chain = Chain(url)
        try:
            return await provider.deploy(chain)
        finally:
            await chain.aclose()

    with running_chain(directory) as url:
        yield SharedProtocol(url=url, deployed=anyio.run(deploy, url), provider=provider)
