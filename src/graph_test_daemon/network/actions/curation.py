"""Actions on published subgraphs and signal."""

from __future__ import annotations

from decimal import Decimal

from graph_test_daemon.network.accounts import Who
from graph_test_daemon.network.amounts import wei
from graph_test_daemon.network.base import NetworkBase
from graph_test_daemon.network.curation import (
    CurationPool,
    PublishedSubgraph,
    SignalBurned,
    SignalMinted,
    SignalQuote,
    SubgraphDeprecated,
    SubgraphPublished,
    SubgraphTransferred,
    SubgraphVersionPublished,
)
from harness.actions import Call, action

__all__ = ["CurationActions"]


class CurationActions(NetworkBase):
    """Publishing and signal."""

    @action()
    async def published(self, subgraph: str) -> PublishedSubgraph:
        """Return a published subgraph, with its signal.

        Args:
            subgraph: its id, as people write it or as a number.
        """
        return await (await self.network()).curation.subgraph(subgraph)

    @action()
    async def curation_pool(self, deployment: str) -> CurationPool:
        """Return the signal on a deployment.

        Args:
            deployment: `Qm…`.
        """
        return await (await self.network()).curation.pool(deployment)

    @action()
    async def signal_quote(self, on: str, tokens: Decimal) -> SignalQuote:
        """Return how much signal tokens would get now.

        Args:
            on: a subgraph's id, or a deployment's.
            tokens: GRT.
        """
        return await (await self.network()).curation.quote(on, wei(tokens))

    @action(events=[SubgraphPublished])
    async def publish(
        self,
        call: Call,
        deployment: str,
        owner: Who = "curator",
        version_metadata: str | None = None,
        subgraph_metadata: str | None = None,
    ) -> SubgraphPublished:
        """Publish a deployment as a new subgraph.

        Args:
            deployment: `Qm…`.
            owner: of the subgraph.
            version_metadata: CID, or 32 bytes, of a document about this version.
            subgraph_metadata: CID, or 32 bytes, of a document about the subgraph.
        """
        curation = (await self.network()).curation
        published = await curation.publish(
            owner,
            deployment,
            version_metadata=version_metadata,
            subgraph_metadata=subgraph_metadata,
        )
        await call.emit(published)
        return published

    @action(events=[SubgraphVersionPublished])
    async def publish_version(
        self,
        call: Call,
        subgraph: str,
        deployment: str,
        version_metadata: str | None = None,
        fund: bool = True,
    ) -> SubgraphVersionPublished:
        """Have a published subgraph go on with another deployment, as its owner.

        Args:
            subgraph: its id.
            deployment: `Qm…`.
            version_metadata: CID, or 32 bytes, of a document about this version.
            fund: what the owner has not for the tax comes from the deployer.
        """
        curation = (await self.network()).curation
        published = await curation.publish_version(
            subgraph, deployment, version_metadata=version_metadata, fund=fund
        )
        await call.emit(published)
        return published

    @action(events=[SubgraphDeprecated])
    async def deprecate(self, call: Call, subgraph: str) -> SubgraphDeprecated:
        """Take a subgraph out of the name system, as its owner.

        Args:
            subgraph: its id.
        """
        deprecated = await (await self.network()).curation.deprecate(subgraph)
        await call.emit(deprecated)
        return deprecated

    @action(events=[SubgraphTransferred])
    async def transfer_subgraph(self, call: Call, subgraph: str, owner: Who) -> SubgraphTransferred:
        """Give a published subgraph to somebody else, as its owner.

        Args:
            subgraph: its id.
            owner: to whom.
        """
        transferred = await (await self.network()).curation.transfer(subgraph, owner)
        await call.emit(transferred)
        return transferred

    @action(events=[SignalMinted])
    async def signal(
        self, call: Call, on: str, tokens: Decimal, curator: Who = "curator", fund: bool = True
    ) -> SignalMinted:
        """Signal on a published subgraph, or on a deployment directly.

        Args:
            on: a subgraph's id, or a deployment's.
            tokens: GRT, a tax of which is burnt.
            curator: whose.
            fund: what the curator has not comes from the deployer.
        """
        minted = await (await self.network()).curation.mint(curator, on, wei(tokens), fund=fund)
        await call.emit(minted)
        return minted

    @action(events=[SignalBurned])
    async def unsignal(
        self, call: Call, on: str, signal: Decimal | None = None, curator: Who = "curator"
    ) -> SignalBurned:
        """Take signal back for tokens.

        Args:
            on: a subgraph's id, or a deployment's.
            signal: how much, with 18 places as tokens have; all unless given.
            curator: whose.
        """
        amount = None if signal is None else wei(signal)
        burned = await (await self.network()).curation.burn(curator, on, amount)
        await call.emit(burned)
        return burned
