"""Published subgraphs, and signal on them and on deployments.

Amounts of tokens and signal are in wei. Source: GNS and Curation of contracts 7.2.1.
"""

from __future__ import annotations

from dataclasses import dataclass

from graph_test_daemon.contracts import Sent
from graph_test_daemon.contracts.protocol import Protocol
from graph_test_daemon.graph_node import is_deployment
from graph_test_daemon.ipfs import subgraph_id, subgraph_number

from .accounts import Participants, Who
from .allocation import bytes32_of, deployment_of
from .errors import SubgraphNotPublished
from .sending import send

__all__ = [
    "Curation",
    "CurationPool",
    "PublishedSubgraph",
    "SignalBurned",
    "SignalMinted",
    "SignalQuote",
    "SubgraphDeprecated",
    "SubgraphPublished",
    "SubgraphTransferred",
    "SubgraphVersionPublished",
]

_ZERO = f"0x{'0' * 64}"
_MILLION = 1_000_000
_LONGEST_ID = 44


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedSubgraph:
    """A subgraph of the name system.

    Attributes:
        subgraph: its id, as people write it.
        number: the same as contracts have it.
        owner: who may change it.
        deployment: its present version.
        signal: of its curators, in all.
        version_signal: of the subgraph on its deployment.
        tokens: that its signal is worth.
    """

    subgraph: str
    number: int
    owner: str
    deployment: str
    signal: int
    version_signal: int
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CurationPool:
    """The signal on a deployment.

    Attributes:
        deployment: its id.
        tokens: of curators.
        signal: that they have got, in all.
        denied: allocations to it get no rewards.
        allocated: tokens of indexers on it.
    """

    deployment: str
    tokens: int
    signal: int
    denied: bool
    allocated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalQuote:
    """What tokens would get, and signal would give; `tax` is burnt."""

    on: str
    tokens: int
    signal: int
    tax: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SubgraphPublished:
    """A subgraph has a place in the name system; `number` is its id as contracts have it."""

    subgraph: str
    number: int
    owner: str
    deployment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubgraphVersionPublished:
    """A subgraph has another deployment, and its signal is on that."""

    subgraph: str
    deployment: str
    old_deployment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubgraphDeprecated:
    """A subgraph has no place any more; curators can withdraw `withdrawable` tokens in all."""

    subgraph: str
    withdrawable: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SubgraphTransferred:
    """A subgraph has another owner."""

    subgraph: str
    old_owner: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalMinted:
    """A curator has signalled.

    Attributes:
        on: the subgraph's id, or the deployment's.
        curator: who.
        tokens: that were paid.
        signal: that was got for them.
    """

    on: str
    curator: str
    tokens: int
    signal: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalBurned:
    """A curator has taken signal back; `tokens` were got for it."""

    on: str
    curator: str
    tokens: int
    signal: int


class Curation:
    """Publishing and signal of one network.

    Where a subgraph is asked for it is the id that people write, or the number that contracts have;
    where it may be a deployment, too, that is `Qm…`.

    Args:
        protocol: the contracts.
        participants: the accounts.
    """

    def __init__(self, protocol: Protocol, participants: Participants) -> None:
        self._protocol = protocol
        self._who = participants

    # ── what there is ────────────────────────────────────────────────────────────────────────────

    async def subgraph(self, subgraph: str | int) -> PublishedSubgraph:
        """Return a subgraph of the name system.

        Raises:
            SubgraphNotPublished: there is none of that id.
        """
        number, gns = await self._published(subgraph), self._protocol.gns
        found = await gns.call("subgraphs", number)
        return PublishedSubgraph(
            subgraph=subgraph_id(number),
            number=number,
            owner=await gns.call("ownerOf", number),
            deployment=deployment_of(found["subgraphDeploymentID"]),
            signal=found["nSignal"],
            version_signal=found["vSignal"],
            tokens=await gns.call("subgraphTokens", number),
        )

    async def pool(self, deployment: str) -> CurationPool:
        """Return the signal on a deployment."""
        what, curation = bytes32_of(deployment), self._protocol.curation
        return CurationPool(
            deployment=deployment,
            tokens=await curation.call("getCurationPoolTokens", what),
            signal=await curation.call("getCurationPoolSignal", what),
            denied=await self._protocol.rewards_manager.call("isDenied", what),
            allocated=await self._protocol.staking.call("getSubgraphAllocatedTokens", what),
        )

    async def signal_of(self, curator: Who, on: str) -> int:
        """Return how much signal a curator has on a subgraph, or on a deployment directly."""
        address = await self._who.address(curator)
        if is_deployment(on):
            what = bytes32_of(on)
            return int(await self._protocol.curation.call("getCuratorSignal", address, what))
        number = await self._published(on)
        return int(await self._protocol.gns.call("getCuratorSignal", number, address))

    async def quote(self, on: str, tokens: int) -> SignalQuote:
        """Return how much signal tokens would get now."""
        if is_deployment(on):
            found = await self._protocol.curation.call("tokensToSignal", bytes32_of(on), tokens)
            signal, tax = found
        else:
            number = await self._published(on)
            _, signal, tax = await self._protocol.gns.call("tokensToNSignal", number, tokens)
        return SignalQuote(on=on, tokens=tokens, signal=signal, tax=tax)

    # ── publishing ───────────────────────────────────────────────────────────────────────────────

    async def publish(
        self,
        owner: Who,
        deployment: str,
        *,
        version_metadata: str | None = None,
        subgraph_metadata: str | None = None,
    ) -> SubgraphPublished:
        """Publish a deployment as a new subgraph.

        Args:
            owner: of the subgraph.
            deployment: `Qm…`.
            version_metadata: CID, or 32 bytes, of a document about this version.
            subgraph_metadata: likewise of one about the subgraph.
        """
        sender = await self._who.sender(owner)
        arguments = (bytes32_of(deployment), _hash(version_metadata), _hash(subgraph_metadata))
        sent = await send(self._protocol.gns, "publishNewSubgraph", *arguments, sender=sender)
        number = int(_value(sent, "SubgraphPublished", "subgraphID"))
        return SubgraphPublished(
            subgraph=subgraph_id(number), number=number, owner=sender, deployment=deployment
        )

    async def publish_version(
        self,
        subgraph: str | int,
        deployment: str,
        *,
        version_metadata: str | None = None,
        fund: bool = True,
    ) -> SubgraphVersionPublished:
        """Have a subgraph go on with another deployment; its owner pays a part of the tax.

        Args:
            subgraph: its id.
            deployment: `Qm…`.
            version_metadata: CID, or 32 bytes, of a document about this version.
            fund: what the owner has not for the tax comes from the deployer.
        """
        found = await self.subgraph(subgraph)
        sender, gns = await self._who.sender(found.owner), self._protocol.gns
        percentage = await self._protocol.curation.call("curationTaxPercentage")
        tax = found.tokens * percentage // _MILLION
        await self._who.spendable(sender, gns.address, tax, fund=fund)
        arguments = (found.number, bytes32_of(deployment), _hash(version_metadata))
        await send(gns, "publishNewVersion", *arguments, sender=sender)
        return SubgraphVersionPublished(
            subgraph=found.subgraph, deployment=deployment, old_deployment=found.deployment
        )

    async def deprecate(self, subgraph: str | int) -> SubgraphDeprecated:
        """Take a subgraph out of the name system, as its owner."""
        found = await self.subgraph(subgraph)
        sender = await self._who.sender(found.owner)
        sent = await send(self._protocol.gns, "deprecateSubgraph", found.number, sender=sender)
        withdrawable = int(_value(sent, "SubgraphDeprecated", "withdrawableGRT"))
        return SubgraphDeprecated(subgraph=found.subgraph, withdrawable=withdrawable)

    async def transfer(self, subgraph: str | int, owner: Who) -> SubgraphTransferred:
        """Give a subgraph to somebody else, as its owner."""
        found = await self.subgraph(subgraph)
        sender, to = await self._who.sender(found.owner), await self._who.address(owner)
        arguments = (sender, to, found.number)
        await send(self._protocol["SubgraphNFT"], "transferFrom", *arguments, sender=sender)
        return SubgraphTransferred(subgraph=found.subgraph, old_owner=sender, owner=to)

    # ── signal ───────────────────────────────────────────────────────────────────────────────────

    async def mint(self, curator: Who, on: str, tokens: int, *, fund: bool = True) -> SignalMinted:
        """Signal on a subgraph, or on a deployment directly; a tax is burnt.

        Args:
            curator: whose tokens.
            on: the subgraph's id, or the deployment's.
            tokens: in wei.
            fund: what the curator has not comes from the deployer.
        """
        sender = await self._who.sender(curator)
        if is_deployment(on):
            contract, number = self._protocol.curation, 0
        else:
            contract, number = self._protocol.gns, await self._published(on)
        await self._who.spendable(sender, contract.address, tokens, fund=fund)
        if is_deployment(on):
            sent = await send(contract, "mint", bytes32_of(on), tokens, 0, sender=sender)
            signal = _value(sent, "Signalled", "signal")
        else:
            sent = await send(contract, "mintSignal", number, tokens, 0, sender=sender)
            signal = _value(sent, "SignalMinted", "nSignalCreated")
        return SignalMinted(on=on, curator=sender, tokens=tokens, signal=int(signal))

    async def burn(self, curator: Who, on: str, signal: int | None = None) -> SignalBurned:
        """Take signal back for tokens.

        Args:
            curator: whose signal.
            on: the subgraph's id, or the deployment's.
            signal: how much, in wei; None: all.
        """
        sender = await self._who.sender(curator)
        if signal is None:
            signal = await self.signal_of(sender, on)
        if is_deployment(on):
            arguments = (bytes32_of(on), signal, 0)
            sent = await send(self._protocol.curation, "burn", *arguments, sender=sender)
            tokens = _value(sent, "Burned", "tokens")
        else:
            number = await self._published(on)
            sent = await send(self._protocol.gns, "burnSignal", number, signal, 0, sender=sender)
            tokens = _value(sent, "SignalBurned", "tokensReceived")
        return SignalBurned(on=on, curator=sender, tokens=int(tokens), signal=signal)

    async def _published(self, subgraph: str | int) -> int:
        """Return the number of a subgraph that is there."""
        number = _number_of(subgraph)
        if not await self._protocol.gns.call("isPublished", number):
            raise SubgraphNotPublished(subgraph_id(number))
        return number


def _number_of(subgraph: str | int) -> int:
    if isinstance(subgraph, int):
        return subgraph
    # No id in base58 is as long as the number in decimal.
    if subgraph.isdecimal() and len(subgraph) > _LONGEST_ID:
        return int(subgraph)
    return subgraph_number(subgraph)


def _hash(document: str | None) -> str:
    """Return what contracts keep of a document, given by its CID or by that itself."""
    if document is None:
        return _ZERO
    return document if document.startswith("0x") else bytes32_of(document)


def _value(sent: Sent, event: str, name: str) -> int:
    found = sent.event(event)
    assert found is not None  # noqa: S101 - else it is refused
    return int(found.values[name])
