"""The built-in provider: the protocol before Horizon, from `@graphprotocol/contracts`."""

from __future__ import annotations

import dataclasses
import json
import os
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import anyio

from graph_test_daemon.chain import Chain
from graph_test_daemon.contracts.abi import Abi, keccak
from graph_test_daemon.contracts.address_book import AddressBook
from graph_test_daemon.contracts.artifacts import Artifacts
from graph_test_daemon.contracts.errors import ContractsError, ContractsUnverified, DeploymentFailed
from graph_test_daemon.errors import ToolsNotInstalled
from graph_test_daemon.tools import find_tool

from .checks import Check, call_check, code_checks, find_differences
from .events import OnEvent, RecordingDiscarded, nothing_told
from .legacy_plan import REGISTERED, LegacyPlan, implementations
from .parameters import Accounts, Parameters, Variant
from .provider import ContractsProvider, Deployed
from .recording import Recording, RecordingBroken
from .running import carry_out
from .steps import Deployment

__all__ = ["LegacyContracts"]

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")

Made = tuple[Deployment, tuple[Check, ...]]


class LegacyContracts(ContractsProvider):
    """Deploys all of it.

    On chains that have seen the same, addresses are the same: they follow from the deployer and
    how many transactions it has sent.

    Args:
        variant: L1, or L2.
        parameters: what it is deployed with.
        recordings: deployments that were made before are kept, and their transactions sent again.
        recordings_dir: where those are; None: the user's cache.
        env: whose variables name the directory of the installed contracts.
    """

    name: ClassVar[str] = "legacy"

    def __init__(
        self,
        *,
        variant: Variant = "L2",
        parameters: Parameters | None = None,
        recordings: bool = True,
        recordings_dir: Path | None = None,
        env: Mapping[str, str] = os.environ,
    ) -> None:
        self._variant = variant
        self._parameters = parameters or Parameters()
        self._recordings = recordings
        self._recordings_dir = recordings_dir
        self._env = env

    async def deploy(self, chain: Chain, on_event: OnEvent = nothing_told) -> Deployed:
        """Bring the contracts onto the chain, and see that they are there.

        Raises:
            ToolsNotInstalled: the compiled contracts are not there.
            DeploymentFailed: a step failed; the error says which.
            ContractsUnverified: something else is on the chain in the end.
        """
        accounts = await self._accounts(chain)
        chain_id = await chain.chain_id()
        nonce = await _nonce(chain, accounts["deployer"])
        recording = await self._recording(accounts, nonce, chain_id)
        kept = await self._kept(recording, chain_id, on_event)
        if recording is not None and kept is not None:
            try:
                return await self._done(chain, kept, on_event, from_recording=True)
            except (DeploymentFailed, ContractsUnverified) as error:
                await _discard(recording, str(error), on_event)
                nonce = await _nonce(chain, accounts["deployer"])
                recording = await self._recording(accounts, nonce, chain_id)
        made = await anyio.to_thread.run_sync(self._make, accounts, nonce, chain_id)
        done = await self._done(chain, made, on_event)
        if recording is not None:
            await anyio.to_thread.run_sync(recording.write, *made)
        return done

    async def verify(self, chain: Chain, book: AddressBook, *, settings: bool = True) -> list[str]:
        """Return in words what on the chain is not as the book says; empty: nothing."""
        # Most often everything is there, or nothing: that is found without knowing any contract.
        if missing := await find_differences(chain, code_checks(book)):
            return missing
        checks = await anyio.to_thread.run_sync(self._checks, book, None)
        wanted = [check for check in checks if settings or not check.is_setting]
        return await find_differences(chain, wanted)

    def abi(self, contract: str) -> Abi:
        """Return what a contract understands; of a proxy, what the one behind it does.

        Raises:
            ArtifactsInvalid: it is not known.
            ToolsNotInstalled: the compiled contracts are not there.
        """
        compiled = implementations(self._variant).get(contract, contract)
        abi = self._artifacts().get(compiled).abi
        if contract == "Staking":  # what it does not know goes to the extension
            return abi.merged(self._artifacts().get("StakingExtension").abi)
        return abi

    # ── making one ───────────────────────────────────────────────────────────────────────────────

    async def _done(
        self, chain: Chain, made: Made, on_event: OnEvent, *, from_recording: bool = False
    ) -> Deployed:
        deployment, checks = made
        await carry_out(chain, deployment, on_event)
        if differences := await find_differences(chain, checks):
            raise ContractsUnverified(differences)
        return Deployed(
            book=deployment.book, accounts=deployment.accounts, from_recording=from_recording
        )

    def _make(self, accounts: Mapping[str, str], nonce: int, chain_id: int) -> Made:
        deployment = LegacyPlan(
            self._artifacts(),
            variant=self._variant,
            parameters=self._parameters,
            accounts=accounts,
            nonce=nonce,
            chain_id=chain_id,
        ).make()
        return deployment, tuple(self._checks(deployment.book, accounts["governor"]))

    def _checks(self, book: AddressBook, governor: str | None) -> Sequence[Check]:
        controller, epochs = book["Controller"].address, book["EpochManager"].address
        of_controller = self.abi("Controller")
        checks = code_checks(book)
        for name, contract in REGISTERED.items():
            checks.append(
                call_check(
                    controller,
                    of_controller,
                    "getContractProxy",
                    [f"0x{keccak(name.encode()).hex()}"],
                    expected=book[contract].address,
                    of="Controller",
                )
            )
        settings: list[tuple[str, str, str, Any]] = [
            ("Controller", controller, "paused", False),
            ("EpochManager", epochs, "epochLength", self._parameters.epoch_length),
        ]
        if governor is not None:
            settings.append(("Controller", controller, "governor", governor))
        for contract, address, function, expected in settings:
            abi = self.abi(contract)
            checks.append(
                call_check(
                    address, abi, function, (), expected=expected, of=contract, is_setting=True
                )
            )
        return checks

    def _artifacts(self) -> Artifacts:
        return _opened(self._directory())

    def _directory(self) -> Path:
        found = find_tool("contracts", missing_ok=True, env=self._env)
        if found is None:
            raise ToolsNotInstalled(
                "cannot use the protocol's contracts: they are not installed",
                hint="`graph-test-daemon tools install` gets them",
            )
        return found

    async def _accounts(self, chain: Chain) -> dict[str, str]:
        """Return role → address."""
        own = [account.lower() for account in await chain.accounts()]
        found = {}
        for field in dataclasses.fields(Accounts):
            chosen = getattr(self._parameters.accounts, field.name)
            if isinstance(chosen, int) and 0 <= chosen < len(own):
                found[field.name] = own[chosen]
            elif isinstance(chosen, str) and _ADDRESS.fullmatch(chosen):
                found[field.name] = chosen.lower()
            else:
                raise ContractsError(
                    f"cannot use {chosen!r} as {field.name}: the node has {len(own)} accounts",
                    hint="write an account's place from 0, or an address",
                )
        return found

    # ── recordings ───────────────────────────────────────────────────────────────────────────────

    async def _recording(
        self, accounts: Mapping[str, str], nonce: int, chain_id: int
    ) -> Recording | None:
        if not self._recordings:
            return None
        inputs = {
            "artifacts": await anyio.to_thread.run_sync(_version, self._directory()),
            "variant": self._variant,
            "parameters": dataclasses.asdict(self._parameters),
            "accounts": accounts,
            "nonce": nonce,
            "chain_id": chain_id,
        }
        return await anyio.to_thread.run_sync(Recording, inputs, self._recordings_dir)

    async def _kept(
        self, recording: Recording | None, chain_id: int, on_event: OnEvent
    ) -> Made | None:
        if recording is None:
            return None
        try:
            return await anyio.to_thread.run_sync(recording.read, chain_id)
        except RecordingBroken as error:
            await _discard(recording, str(error), on_event)
            return None


async def _discard(recording: Recording, cause: str, on_event: OnEvent) -> None:
    await anyio.to_thread.run_sync(recording.discard)
    await on_event(RecordingDiscarded(path=str(recording.path), cause=cause))


async def _nonce(chain: Chain, account: str) -> int:
    return int(await chain.rpc.call("eth_getTransactionCount", [account, "latest"]), 16)


@cache
def _opened(directory: Path) -> Artifacts:
    return Artifacts(directory)


def _version(directory: Path) -> list[Any]:
    """Return what tells one set of compiled contracts from another."""
    package = directory.parent / "package.json"
    version = json.loads(package.read_bytes())["version"] if package.exists() else None
    return [str(directory.resolve()), version, directory.stat().st_mtime_ns]
