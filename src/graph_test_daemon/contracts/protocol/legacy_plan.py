"""The protocol's contracts in order, with what each is initialised with and what is called after.

Source: `@graphprotocol/contracts` 7.2.1, the last release with compiled contracts; the order was
proved on a chain, for both variants. This file sends nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graph_test_daemon.contracts.abi import Abi, keccak
from graph_test_daemon.contracts.address_book import AddressBook, BookEntry
from graph_test_daemon.contracts.artifacts import Artifacts

from .parameters import GRT, Parameters, Variant
from .steps import Deployment, Step, created_address

__all__ = ["REGISTERED", "LegacyPlan", "implementations"]

_STAKING_LIBRARY = "LibExponential"
_AVAILABILITY_ORACLES = 5
_AVAILABILITY_THRESHOLD = 3

REGISTERED: Mapping[str, str] = {
    "Curation": "Curation",
    "GNS": "GNS",
    "DisputeManager": "DisputeManager",
    "EpochManager": "EpochManager",
    "RewardsManager": "RewardsManager",
    "Staking": "Staking",
    "GraphToken": "GraphToken",
    "GraphTokenGateway": "GraphTokenGateway",
}
"""Name in the Controller's registry → contract."""


def implementations(variant: Variant) -> dict[str, str]:
    """Return contract → its name in the compiled contracts, where that is another one."""
    gateway, staking, gns = f"{variant}GraphTokenGateway", f"{variant}Staking", f"{variant}GNS"
    names = {"GraphTokenGateway": gateway, "Staking": staking, "GNS": gns}
    if variant == "L2":
        names |= {"GraphToken": "L2GraphToken", "Curation": "L2Curation"}
    return names


class LegacyPlan:
    """Makes a deployment.

    Args:
        artifacts: the compiled contracts.
        variant: which of the two.
        parameters: what it is deployed with.
        accounts: role → address, of every role of `Accounts`.
        nonce: the deployer's, of its next transaction.
        chain_id: number of the chain.
    """

    def __init__(
        self,
        artifacts: Artifacts,
        *,
        variant: Variant,
        parameters: Parameters,
        accounts: Mapping[str, str],
        nonce: int,
        chain_id: int,
    ) -> None:
        self._artifacts = artifacts
        self._variant = variant
        self._with = parameters
        self._accounts = accounts
        self._nonce = nonce
        self._chain_id = chain_id
        self._names = implementations(variant)
        self._steps: list[Step] = []
        self._entries: dict[str, BookEntry] = {}

    def make(self) -> Deployment:
        """Return all of it.

        Raises:
            ArtifactsInvalid: a compiled contract is missing.
        """
        self._deploy_foundation()
        self._deploy_tokens_and_markets()
        self._deploy_staking_and_bridge()
        self._register()
        self._configure()
        self._hand_over()
        book = AddressBook(chain_id=self._chain_id, entries=self._entries)
        return Deployment(steps=tuple(self._steps), book=book, accounts=self._accounts)

    # ── the order ────────────────────────────────────────────────────────────────────────────────

    def _deploy_foundation(self) -> None:
        p, accounts = self._with, self._accounts
        self._deploy("GraphProxyAdmin")
        self._deploy("BancorFormula")
        controller = self._deploy("Controller")
        self._deploy_proxy("EpochManager", controller, p.epoch_length)
        self._deploy("GraphCurationToken")
        self._deploy_proxy("ServiceRegistry", controller)
        self._deploy("SubgraphNFTDescriptor")
        self._deploy("SubgraphNFT", accounts["deployer"])
        self._deploy("StakingExtension")
        self._deploy_proxy("RewardsManager", controller)
        self._deploy_proxy(
            "DisputeManager",
            controller,
            accounts["arbitrator"],
            p.dispute_minimum_deposit,
            p.fisherman_reward,
            p.query_slashing,
            p.indexing_slashing,
        )

    def _deploy_tokens_and_markets(self) -> None:
        p, controller, owner = self._with, self._at("Controller"), self._accounts["deployer"]
        tokens = self._at("GraphCurationToken")
        deposit = p.minimum_curation_deposit
        market: tuple[Any, ...]
        if self._variant == "L1":
            self._deploy("GraphToken", p.initial_supply)
            deposit = GRT if deposit is None else deposit
            bancor = self._at("BancorFormula")
            market = (controller, bancor, tokens, p.reserve_ratio, p.curation_tax, deposit)
        else:
            self._deploy_proxy("GraphToken", owner)
            self._call("GraphToken", "mint", owner, p.initial_supply)
            market = (controller, tokens, p.curation_tax, 1 if deposit is None else deposit)
        self._deploy_proxy("Curation", *market)
        self._deploy_proxy("GNS", controller, self._at("SubgraphNFT"))

    def _deploy_staking_and_bridge(self) -> None:
        p, controller, accounts = self._with, self._at("Controller"), self._accounts
        self._deploy(_STAKING_LIBRARY)
        self._deploy_proxy(
            "Staking",
            controller,
            p.minimum_indexer_stake,
            p.thawing_period,
            p.protocol_share,
            p.curation_share,
            p.max_allocation_epochs,
            p.delegation_unbonding_epochs,
            p.delegation_ratio,
            (*p.rebate_alpha, *p.rebate_lambda),
            self._at("StakingExtension"),
        )
        self._deploy_proxy("GraphTokenGateway", controller)
        if self._variant == "L1":
            self._deploy_proxy("BridgeEscrow", controller)
        else:
            self._deploy(
                "SubgraphAvailabilityManager",
                accounts["governor"],
                self._at("RewardsManager"),
                _AVAILABILITY_THRESHOLD,
                p.availability_vote_seconds,
                [accounts["availability_oracle"]] * _AVAILABILITY_ORACLES,
            )
        self._deploy(
            "AllocationExchange",
            self._at("GraphToken"),
            self._at("Staking"),
            accounts["deployer"],
            accounts["authority"],
        )

    def _register(self) -> None:
        for name, contract in REGISTERED.items():
            identifier = f"0x{keccak(name.encode()).hex()}"
            self._call("Controller", "setContractProxy", identifier, self._at(contract))
        self._call("Controller", "setPauseGuardian", self._accounts["pause_guardian"])
        # They keep the registry's addresses, so this comes after it.
        keepers = ["ServiceRegistry", "DisputeManager", "RewardsManager", "Curation", "GNS"]
        keepers += ["Staking", "GraphTokenGateway"]
        for contract in (*keepers, *(["BridgeEscrow"] if self._variant == "L1" else [])):
            self._call(contract, "syncAllContracts")

    def _configure(self) -> None:
        p, accounts = self._with, self._accounts
        self._call("GraphToken", "addMinter", self._at("RewardsManager"))
        if self._variant == "L1":
            self._call("GraphToken", "addMinter", self._at("GraphTokenGateway"))
        self._call("GraphToken", "renounceMinter")
        self._call("GNS", "approveAll")
        self._call("SubgraphNFT", "setTokenDescriptor", self._at("SubgraphNFTDescriptor"))
        self._call("SubgraphNFT", "setMinter", self._at("GNS"))
        self._call("Staking", "setDelegationTaxPercentage", p.delegation_tax)
        self._call("Staking", "setSlasher", self._at("DisputeManager"), True)
        self._call("RewardsManager", "setIssuancePerBlock", p.issuance_per_block)
        oracle = accounts["availability_oracle"]
        self._call("RewardsManager", "setSubgraphAvailabilityOracle", oracle)
        self._call("AllocationExchange", "approveAll")

    def _hand_over(self) -> None:
        governor = self._accounts["governor"]
        governed = ["GraphToken", "Controller", "GraphProxyAdmin", "SubgraphNFT"]
        for contract in (*governed, "AllocationExchange"):
            self._call(contract, "transferOwnership", governor)
            self._call(contract, "acceptOwnership", sender=governor)
        self._call("Controller", "setPaused", False, sender=governor)

    # ── one thing of it ──────────────────────────────────────────────────────────────────────────

    def _at(self, contract: str) -> str:
        return self._entries[contract].address

    def _compiled(self, contract: str) -> str:
        return self._names.get(contract, contract)

    def _abi(self, contract: str) -> Abi:
        abi = self._artifacts.get(self._compiled(contract)).abi
        if contract == "Staking":  # what it does not know goes to the extension
            return abi.merged(self._artifacts.get("StakingExtension").abi)
        return abi

    def _deploy(self, contract: str, *arguments: Any) -> str:
        address = self._create(contract, self._compiled(contract), arguments)
        self._entries[contract] = _entry(address, arguments)
        return address

    def _deploy_proxy(self, contract: str, *arguments: Any) -> str:
        compiled, admin = self._compiled(contract), self._at("GraphProxyAdmin")
        code = self._create(contract, compiled, ())
        address = self._create(contract, "GraphProxy", (code, admin), of=f"the proxy of {contract}")
        initialize = self._artifacts.get(compiled).abi.function("initialize").encode(arguments)
        accepted = (code, address, f"0x{initialize.hex()}")
        data = self._artifacts.get("GraphProxyAdmin").abi.function("acceptProxyAndCall")
        self._add(contract, f"initialize {contract}", to=admin, data=data.encode(accepted))
        self._entries[contract] = _entry(address, arguments, implementation=code)
        return address

    def _create(
        self, contract: str, compiled: str, arguments: tuple[Any, ...], *, of: str | None = None
    ) -> str:
        artifact = self._artifacts.get(compiled)
        libraries = {n: e.address for n, e in self._entries.items() if n == _STAKING_LIBRARY}
        data = artifact.creation_code(libraries) + artifact.abi.constructor.encoded(arguments)
        address = created_address(self._accounts["deployer"], self._nonce)
        self._add(contract, f"deploy {of or compiled}", data=data, creates=address)
        return address

    def _call(
        self, contract: str, function: str, *arguments: Any, sender: str | None = None
    ) -> None:
        data = self._abi(contract).function(function, arguments).encode(arguments)
        given = ", ".join(map(str, arguments))
        what = f"call {contract}.{function}({given})"
        self._add(contract, what, to=self._at(contract), data=data, sender=sender)

    def _add(
        self,
        contract: str,
        what: str,
        *,
        data: bytes,
        to: str | None = None,
        sender: str | None = None,
        creates: str | None = None,
    ) -> None:
        deployer = self._accounts["deployer"]
        step = Step(
            contract=contract,
            what=what,
            sender=sender or deployer,
            to=to,
            data=f"0x{data.hex()}",
            creates=creates,
        )
        self._nonce += step.sender == deployer
        self._steps.append(step)


def _entry(
    address: str, arguments: tuple[Any, ...], *, implementation: str | None = None
) -> BookEntry:
    given = [str(one) for one in arguments]
    more = {"initArgs": given} if implementation else {"constructorArgs": given} if given else {}
    return BookEntry(address=address, implementation=implementation, more=more)
