"""The task that deploys an escrow for vouchers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from graph_test_daemon.chain import Chain
from graph_test_daemon.errors import GraphError
from harness.actions import TaskCall, TaskType

from .escrow import Escrow, EscrowParameters, deploy_escrow

__all__ = ["TapEscrow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EscrowConfig:
    """What an escrow is deployed with; all of it decides its address."""

    chain: str = "chain"
    """Name of the service that is the chain."""
    token: str | None = None
    """Address of the token that it pays with; one of its own unless given."""
    holder: str | None = None
    """Address of who has all of its own token; the node's first account unless given."""
    domain_name: str = "TAP"
    """Of its vouchers' signatures."""
    domain_version: str = "1"
    """Of its vouchers' signatures."""
    thaw_s: int = 0
    """Seconds until payers can take back what they thaw."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EscrowDeployed:
    """An escrow is on the chain."""

    escrow: str
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EscrowAddresses:
    """What others need.

    Attributes:
        escrow: its address, which verifies vouchers.
        token: address of the token that it pays with.
        chain_id: of the chain.
    """

    escrow: str
    token: str
    chain_id: int


class TapEscrow(TaskType):
    """Deploys an escrow at an address that its parameters decide."""

    name = "tap-escrow"
    events = (EscrowDeployed,)

    async def execute(self, call: TaskCall, config: EscrowConfig) -> EscrowAddresses:
        """Deploy an escrow, which pays TAP vouchers, on a chain."""
        async with self._chain(config) as chain:
            escrow = await _escrow(chain, config)
        found = _addresses(escrow)
        call.log(f"escrow {found.escrow} pays with token {found.token}")
        await call.emit(EscrowDeployed(escrow=found.escrow, token=found.token))
        return found

    async def is_completed(self, config: EscrowConfig) -> bool:
        """Look for its code on the chain."""
        async with self._chain(config) as chain:
            return await _escrow(chain, config, only_look=True) is not None

    async def outputs(self, config: EscrowConfig) -> EscrowAddresses:
        """Return the addresses of what is there."""
        async with self._chain(config) as chain:
            return _addresses(await _escrow(chain, config, only_look=True))

    @asynccontextmanager
    async def _chain(self, config: EscrowConfig) -> AsyncIterator[Chain]:
        chain = Chain(self.task.service(config.chain).url())
        try:
            yield chain
        finally:
            await chain.aclose()


async def _escrow(chain: Chain, config: EscrowConfig, *, only_look: bool = False) -> Escrow | None:
    accounts = await chain.accounts()
    if not accounts:
        raise GraphError("cannot deploy the escrow: the chain's node signs for no account")
    parameters = EscrowParameters(
        holder=config.holder or accounts[0],
        token=config.token,
        name=config.domain_name,
        version=config.domain_version,
        thaw_s=config.thaw_s,
    )
    return await deploy_escrow(chain, parameters, sender=accounts[0], only_look=only_look)


def _addresses(escrow: Escrow | None) -> EscrowAddresses:
    if escrow is None:
        raise GraphError("cannot find the escrow: it is not on the chain")
    return EscrowAddresses(
        escrow=escrow.address, token=escrow.token, chain_id=escrow.domain.chain_id
    )
