"""The protocol's contracts on a real chain: deployed, verified, called, found again."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from graph_test_daemon.chain import Chain
from graph_test_daemon.contracts import Abi, AddressBook, Contract
from graph_test_daemon.contracts.errors import (
    AddressBookInvalid,
    ArtifactsInvalid,
    ContractsError,
    ContractsUnverified,
    ContractUnknown,
    DeploymentFailed,
)
from graph_test_daemon.contracts.protocol import (
    Accounts,
    ContractConfigured,
    ContractDeployed,
    Deployed,
    Expected,
    ExternalContracts,
    LegacyContracts,
    Parameters,
    Protocol,
    RecordingDiscarded,
    Variant,
)
from graph_test_daemon.contracts.protocol.recording import Recording
from graph_test_daemon.errors import Reverted, ToolsNotInstalled
from graph_test_daemon.tools.places import VARIABLE
from tests.requirements import graph_tool

from .conftest import running_chain

VARIANTS: tuple[Variant, ...] = ("L1", "L2")
STAKE = 100_000 * 10**18
NOBODY = "0x" + "00" * 19 + "09"
_PANIC = Abi(
    [
        {
            "type": "function",
            "name": "Panic",
            "inputs": [{"type": "uint256", "name": "code"}],
            "outputs": [],
        }
    ]
)
_SLOT = "0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc"
_WORD = "0x" + "00" * 31 + "01"


@pytest.fixture(autouse=True)
def artifacts() -> Path:
    """The compiled contracts, as they are installed."""
    return graph_tool("contracts")


@pytest.fixture
def second_chain_url(tmp_path: Path) -> Iterator[str]:
    """One more chain of the test's own."""
    with running_chain(tmp_path) as url:
        yield url


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Chain]:
    chain = Chain(url)
    try:
        yield chain
    finally:
        await chain.aclose()


class Told(list[Any]):
    """What a deployment tells."""

    async def __call__(self, event: Any) -> None:
        self.append(event)

    def of(self, kind: type) -> list[Any]:
        return [event for event in self if type(event) is kind]


@pytest.mark.parametrize("variant", VARIANTS)
async def test_the_protocol_is_deployed_and_verified(
    chain_url: str, tmp_path: Path, variant: Variant
) -> None:
    told = Told()
    parameters = Parameters(epoch_length=33)
    provider = LegacyContracts(variant=variant, parameters=parameters, recordings_dir=tmp_path)
    async with opened(chain_url) as chain:
        deployed = await provider.deploy(chain, told)
        assert await provider.verify(chain, deployed.book) == []
        names = [event.name for event in told.of(ContractDeployed)]
        assert names == list(deployed.book.entries)
        assert len(names) == 19
        blocks = [event.block for event in told]
        assert blocks == sorted(set(blocks))
        assert blocks[-1] == await chain.block_number() == (76 if variant == "L1" else 75)
        last = ContractConfigured(name="Controller", call="setPaused(False)", block=blocks[-1])
        assert told[-1] == last

        protocol = Protocol(chain, deployed.book, provider)
        token, deployer = protocol.graph_token, deployed.accounts["deployer"]
        assert await protocol.epoch_manager.call("epochLength") == 33
        assert await protocol.controller.call("governor") == deployed.accounts["governor"]
        assert await token.call("balanceOf", deployer) == parameters.initial_supply
        assert await token.call("isMinter", deployer) is False
        assert await token.call("isMinter", protocol.rewards_manager.address) is True
        assert await protocol.staking.call("delegationTaxPercentage") == 5000


@pytest.mark.parametrize("variant", VARIANTS)
async def test_two_fresh_chains_have_the_same_addresses_and_blocks(
    chain_url: str, second_chain_url: str, tmp_path: Path, variant: Variant
) -> None:
    found = []
    for url in (chain_url, second_chain_url):
        async with opened(url) as chain:
            provider = LegacyContracts(variant=variant, recordings_dir=tmp_path)
            deployed = await provider.deploy(chain)
            last = await chain.block_number()
            blocks = [await chain.block(number) for number in range(1, last + 1)]
            sent = [len(block.transactions) for block in blocks if block is not None]
            found.append((deployed.from_recording, deployed.book, sent))
    (fresh, *first), (recorded, *second) = found
    assert (fresh, recorded) == (False, True)
    assert first == second
    assert first[1] == [1] * last


async def test_a_deployment_leaves_the_blocks_before_it_and_follows_the_nonce(
    chain_url: str, tmp_path: Path
) -> None:
    provider = LegacyContracts(recordings_dir=tmp_path)
    async with opened(chain_url) as chain:
        await chain.rpc.call("anvil_mine", [3])
        before = [await chain.block(number) for number in range(4)]
        first = await provider.deploy(chain)
        second = await provider.deploy(chain)
        assert [await chain.block(number) for number in range(4)] == before
        assert not set(first.book.addresses.values()) & set(second.book.addresses.values())
        assert await provider.verify(chain, first.book) == []
        assert await provider.verify(chain, second.book) == []


@pytest.mark.parametrize("mining", [["--no-mining"], ["--block-time", "60"]])
async def test_a_chain_that_does_not_mine_by_itself_is_no_hindrance(
    tmp_path: Path, mining: list[str]
) -> None:
    with running_chain(tmp_path, *mining) as url:
        async with opened(url) as chain:
            deployed = await LegacyContracts(recordings=False).deploy(chain)
            assert len(deployed.book.entries) == 19
            assert await chain.block_number() == 75
            assert await chain.rpc.call("anvil_getAutomine") is False


async def test_roles_may_be_any_addresses(chain_url: str) -> None:
    accounts = Accounts(governor=NOBODY, arbitrator=9)
    provider = LegacyContracts(parameters=Parameters(accounts=accounts), recordings=False)
    async with opened(chain_url) as chain:
        await chain.rpc.call("anvil_setBalance", [NOBODY, hex(10**18)])
        deployed = await provider.deploy(chain)
        protocol = Protocol(chain, deployed.book, provider)
        assert await protocol.controller.call("governor") == NOBODY
        arbitrator = (await chain.accounts())[9].lower()
        assert await protocol.dispute_manager.call("arbitrator") == arbitrator


async def test_a_role_that_nobody_has_is_refused(chain_url: str) -> None:
    async with opened(chain_url) as chain:
        for chosen in (10, "0x12"):
            parameters = Parameters(accounts=Accounts(governor=chosen))
            with pytest.raises(ContractsError, match=r"as governor: the node has 10 accounts"):
                await LegacyContracts(parameters=parameters).deploy(chain)
        assert await chain.block_number() == 0


# ── recordings ───────────────────────────────────────────────────────────────────────────────────


def _recordings(directory: Path) -> list[Path]:
    return list(directory.glob("*.json"))


async def _deploy(url: str, directory: Path, told: Told, **more: Any) -> Deployed:
    async with opened(url) as chain:
        return await LegacyContracts(recordings_dir=directory, **more).deploy(chain, told)


async def test_a_damaged_recording_is_removed_and_made_again(
    chain_url: str, second_chain_url: str, tmp_path: Path
) -> None:
    told = Told()
    first = await _deploy(chain_url, tmp_path, told)
    (path,) = _recordings(tmp_path)
    whole = path.read_text()
    path.write_text(whole.replace('"deploy Controller"', '"deploy controller"'))
    second = await _deploy(second_chain_url, tmp_path, told)
    (discarded,) = told.of(RecordingDiscarded)
    assert (discarded.path, second.from_recording) == (str(path), False)
    assert second.book == first.book
    assert path.read_text() == whole


async def test_a_recording_that_does_not_work_is_removed_and_made_again(
    chain_url: str, second_chain_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Told()
    first = await _deploy(chain_url, tmp_path, told)
    (path,) = _recordings(tmp_path)
    body = json.loads(path.read_text().partition("\n")[2])
    body["steps"][2][4] = "0xfe"  # the code of Controller: an invalid instruction
    monkeypatch.setattr(f"{Recording.__module__}._checksum", lambda _: "any")
    path.write_text(f"any\n{json.dumps(body)}")
    second = await _deploy(second_chain_url, tmp_path, told)
    (discarded,) = told.of(RecordingDiscarded)
    assert "cannot deploy Controller (step 3 of 75)" in discarded.cause
    assert second.book != first.book  # two transactions were sent before
    assert not second.from_recording


async def test_other_parameters_have_another_recording(chain_url: str, tmp_path: Path) -> None:
    for length in (30, 31):
        parameters = Parameters(epoch_length=length)
        await _deploy(chain_url, tmp_path, Told(), parameters=parameters)
    assert len(_recordings(tmp_path)) == 2


# ── what goes wrong ──────────────────────────────────────────────────────────────────────────────


async def test_a_step_that_is_refused_is_named_with_the_reason(chain_url: str) -> None:
    parameters = Parameters(reserve_ratio=2_000_000)
    provider = LegacyContracts(variant="L1", parameters=parameters, recordings=False)
    async with opened(chain_url) as chain:
        with pytest.raises(DeploymentFailed) as failed:
            await provider.deploy(chain)
    assert failed.value.step == "initialize Curation"
    assert failed.value.number == 23
    assert "Default reserve ratio cannot be higher than MAX_PPM" in failed.value.cause
    assert str(failed.value).startswith("cannot initialize Curation (step 23 of 76): reverted: ")


async def test_an_account_without_money_is_told(chain_url: str) -> None:
    provider = LegacyContracts(
        parameters=Parameters(accounts=Accounts(deployer=NOBODY)), recordings=False
    )
    async with opened(chain_url) as chain:
        with pytest.raises(DeploymentFailed, match=r"cannot deploy GraphProxyAdmin .*[Ii]nsuff"):
            await provider.deploy(chain)


async def test_missing_packages_are_named_with_how_to_get_them(
    chain_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    async with opened(chain_url) as chain:
        with pytest.raises(ToolsNotInstalled, match="they are not installed") as missing:
            await LegacyContracts().deploy(chain)
    assert "graph-test-daemon tools install" in str(missing.value.hint)


async def test_what_is_not_on_the_chain_is_found(chain_url: str, second_chain_url: str) -> None:
    provider = LegacyContracts(recordings=False)
    async with opened(chain_url) as chain, opened(second_chain_url) as empty:
        deployed = await provider.deploy(chain)
        assert len(await provider.verify(empty, deployed.book)) > 19
        governor, protocol = (
            deployed.accounts["governor"],
            Protocol(chain, deployed.book, provider),
        )
        await protocol.controller.send("setPaused", True, sender=governor)
        await protocol.epoch_manager.send("setEpochLength", 7, sender=governor)
        assert await provider.verify(chain, deployed.book, settings=False) == []
        paused, length = await provider.verify(chain, deployed.book)
        assert paused == "Controller.paused() must be False, not 0x1"
        assert length == "EpochManager.epochLength() must be 50, not 0x7"
        staking = deployed.book["Staking"].address
        await chain.rpc.call("anvil_setCode", [staking, "0x"])
        (missing,) = await provider.verify(chain, deployed.book)
        assert missing == f"no code at {staking}, where Staking should be"


# ── calling contracts ────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def deployed_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A chain that tests share; each deploys what it changes."""
    with running_chain(tmp_path_factory.mktemp("chain")) as url:
        yield url


async def test_a_stake_is_a_transaction_with_events_of_several_contracts(
    deployed_url: str,
) -> None:
    provider = LegacyContracts()
    async with opened(deployed_url) as chain:
        deployed = await provider.deploy(chain)
        protocol, deployer = (
            Protocol(chain, deployed.book, provider),
            deployed.accounts["deployer"],
        )
        staking, token = protocol.staking, protocol.graph_token
        await token.send("approve", staking.address, STAKE, sender=deployer)
        sent = await staking.send("stake", STAKE, sender=deployer)
        event = sent.event("StakeDeposited")
        assert event is not None
        assert event.values == {"indexer": deployer, "tokens": STAKE}
        assert {one.address for one in sent.events} == {token.address, staking.address}
        hash_ = sent.receipt.transaction
        transaction = await chain.rpc.call("eth_getTransactionByHash", [hash_])
        # The next block's time is another than the estimate's, and may make it cost more.
        assert int(transaction["gas"], 16) > sent.receipt.gas_used * 1.4
        assert await staking.call("hasStake", deployer) is True
        assert await protocol.events(hash_) == sent.events
        pool = await staking.call("delegationPools", deployer)
        assert (pool["shares"], pool["indexingRewardCut"]) == (0, 1_000_000)
        before = sent.receipt.block_number - 1
        assert await staking.call("hasStake", deployer, block=before) is False


@pytest.mark.parametrize("gas", [None, 1_000_000])
async def test_a_refusal_says_what_was_called_and_why(deployed_url: str, gas: int | None) -> None:
    provider = LegacyContracts()
    async with opened(deployed_url) as chain:
        deployed = await provider.deploy(chain)
        staking, deployer = (
            Protocol(chain, deployed.book, provider).staking,
            deployed.accounts["deployer"],
        )
        with pytest.raises(Reverted) as refused:
            await staking.send("stake", 0, sender=deployer, gas=gas)
        assert refused.value.reason == "!tokens"
        assert str(refused.value) == (
            f"cannot call stake(0) on Staking {staking.address}: reverted: !tokens"
        )
        assert (refused.value.transaction is None) is (gas is None)
        with pytest.raises(Reverted, match=r"cannot call setSlasher\(.*: Only Controller governor"):
            await staking.call("setSlasher", deployer, True, sender=deployer)


async def test_a_contract_that_is_not_in_the_book_has_a_suggestion(deployed_url: str) -> None:
    provider = LegacyContracts()
    async with opened(deployed_url) as chain:
        protocol = Protocol(chain, (await provider.deploy(chain)).book, provider)
        with pytest.raises(ContractUnknown) as unknown:
            protocol["EpochManger"]
        assert unknown.value.hint == 'did you mean "EpochManager"?'


async def test_reasons_that_are_no_text_are_read(deployed_url: str) -> None:
    # Refuses with what it was called with: CALLDATASIZE 0 0 CALLDATACOPY CALLDATASIZE 0 REVERT.
    code = bytes.fromhex("600a600c600039600a6000f3" + "3660006000373660" + "00fd")
    async with opened(deployed_url) as chain:
        receipt = await chain.send(sender=(await chain.accounts())[0], data=code)
        assert receipt.contract is not None
        panics = Contract(
            chain,
            receipt.contract,
            _PANIC,
            name="Echo",
        )
        with pytest.raises(Reverted, match=r"cannot call Panic\(17\) on Echo .*overflow"):
            await panics.call("Panic", 17)


# ── contracts of others ──────────────────────────────────────────────────────────────────────────


async def test_external_contracts_are_verified_and_called(
    deployed_url: str, tmp_path: Path, artifacts: Path
) -> None:
    async with opened(deployed_url) as chain:
        deployed = await LegacyContracts(variant="L1").deploy(chain)
        entries = dict(deployed.book.entries)
        other = {"AllocationExchange": entries.pop("AllocationExchange")}
        AddressBook(chain_id=31337, entries=entries).write(tmp_path / "horizon.json")
        AddressBook(chain_id=31337, entries=other).write(tmp_path / "service.json")
        shutil.copytree(
            artifacts / "contracts" / "epochs" / "EpochManager.sol", tmp_path / "abis" / "x"
        )
        expected = Expected(contract="EpochManager", function="epochLength", value=50)
        provider = ExternalContracts(
            books=[tmp_path / "horizon.json", tmp_path / "service.json"],
            artifacts_dir=tmp_path / "abis",
            expected=[expected],
        )
        found = await provider.deploy(chain)
        assert found.book.addresses == deployed.book.addresses
        protocol = Protocol(chain, found.book, provider)
        assert await protocol.epoch_manager.call("epochLength") == 50
        with pytest.raises(ContractsError, match="it has no contract Staking"):
            _ = protocol.staking
        gns = entries["GNS"]
        await chain.rpc.call("anvil_setStorageAt", [gns.address, _SLOT, _WORD])
        (wrong,) = await provider.verify(chain, found.book)
        assert wrong == f"the proxy of GNS must lead to {gns.implementation}, not 0x1"
        with pytest.raises(ArtifactsInvalid, match="what GNS understands is not known"):
            ExternalContracts(books=[tmp_path / "horizon.json"]).abi("GNS")


async def test_external_contracts_that_are_not_there_are_refused(
    chain_url: str, tmp_path: Path
) -> None:
    path = tmp_path / "book.json"
    provider = ExternalContracts(books=[path])
    async with opened(chain_url) as chain:
        with pytest.raises(AddressBookInvalid, match="there is no such file"):
            await provider.deploy(chain)
        path.write_text(json.dumps({"31337": {"Staking": {"address": NOBODY}}}))
        with pytest.raises(ContractsUnverified, match=f"no code at {NOBODY}, where Staking"):
            await provider.deploy(chain)
