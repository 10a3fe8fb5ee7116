"""Carries a deployment out: one transaction a block, each seen to have succeeded before the next.

So the blocks are the same every time, whether the chain mines with each transaction, at intervals
or when it is told to. The gas is a limit and no estimate, because an estimate runs everything
twice; what a refused transaction was refused for is asked afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import anyio

from graph_test_daemon.chain import Chain, Receipt
from graph_test_daemon.contracts.abi import Abi
from graph_test_daemon.contracts.contract import refusal
from graph_test_daemon.contracts.errors import DeploymentFailed
from graph_test_daemon.errors import Reverted, RpcFault

from .events import ContractConfigured, ContractDeployed, DeploymentEvent, OnEvent
from .steps import Deployment, Step

__all__ = ["carry_out"]

_GAS = 8_000_000
"""Above what the largest contract takes, and below the blocks' own limit."""

_UNKNOWN_METHOD = -32601
_STOPPED_WITHIN_S = 2.0


async def carry_out(chain: Chain, deployment: Deployment, on_event: OnEvent) -> None:
    """Send a deployment's transactions, in order.

    Args:
        chain: a test chain; accounts that it does not sign for are impersonated.
        deployment: what is sent.
        on_event: is told of each contract when it can be called, and of each call after.

    Raises:
        DeploymentFailed: a step failed; those before it stay done.
    """
    steps = deployment.steps
    sender = _Sender(chain)
    await sender.prepare({step.sender for step in steps})
    last_of = {step.contract: n for n, step in enumerate(steps) if not _is_call(step)}
    try:
        for number, step in enumerate(steps):
            block = await _one(sender, step, number + 1, len(steps))
            event: DeploymentEvent | None = None
            if last_of.get(step.contract) == number:
                address = deployment.book[step.contract].address
                event = ContractDeployed(name=step.contract, address=address, block=block)
            elif _is_call(step):
                call = step.what.removeprefix(f"call {step.contract}.")
                event = ContractConfigured(name=step.contract, call=call, block=block)
            if event is not None:
                await on_event(event)
    finally:
        with anyio.move_on_after(_STOPPED_WITHIN_S, shield=True):
            await sender.stop()


async def _one(sender: _Sender, step: Step, number: int, total: int) -> int:
    """Send one; return the height of its block."""
    try:
        receipt = await sender.send(step)
    except (RpcFault, Reverted) as error:
        cause = error.message if isinstance(error, RpcFault) else (error.reason or str(error))
        raise DeploymentFailed(step=step.what, number=number, total=total, cause=cause) from error
    if not receipt.succeeded:
        cause = await sender.reason(step, receipt)
        raise DeploymentFailed(step=step.what, number=number, total=total, cause=cause)
    if step.creates is not None and (receipt.contract or "").lower() != step.creates:
        cause = f"it is at {receipt.contract} instead of {step.creates}: "
        cause += f"{step.sender} has sent other transactions meanwhile"
        raise DeploymentFailed(step=step.what, number=number, total=total, cause=cause)
    return receipt.block_number


class _Sender:
    """Sends transactions, with what the node can do."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._mines_at_once = True
        self._impersonated: Sequence[str] = ()

    async def prepare(self, senders: set[str]) -> None:
        """Find out how the node mines, and make it sign for the senders."""
        own = {account.lower() for account in await self._chain.accounts()}
        others = sorted(senders - own)
        for account in others:
            await self._chain.rpc.call("anvil_impersonateAccount", [account])
        self._impersonated = others
        try:
            self._mines_at_once = await self._chain.rpc.call("anvil_getAutomine")
        except RpcFault:
            self._mines_at_once = True

    async def stop(self) -> None:
        """Stop signing for accounts that are not the node's own."""
        for account in self._impersonated:
            await self._chain.rpc.call("anvil_stopImpersonatingAccount", [account])

    async def send(self, step: Step) -> Receipt:
        """Send one; return its receipt, whether it succeeded or not."""
        if not self._mines_at_once:
            sent = await self._chain.rpc.call("eth_sendTransaction", [_message(step)])
            await self._chain.rpc.call("evm_mine")
            return await self._chain.mined(sent)
        try:
            answer = await self._chain.rpc.call("eth_sendTransactionSync", [_message(step)])
        except RpcFault as fault:
            if fault.code != _UNKNOWN_METHOD:
                raise
            sent = await self._chain.rpc.call("eth_sendTransaction", [_message(step)])
            return await self._chain.mined(sent)
        return Receipt.read(answer)

    async def reason(self, step: Step, receipt: Receipt) -> str:
        """Return why one was refused: by the innermost contract, because outer ones hide it."""
        tracer = [receipt.transaction, {"tracer": "callTracer"}]
        try:
            data = _innermost(await self._chain.rpc.call("debug_traceTransaction", tracer))
        except RpcFault:
            found = await refusal(self._chain, _message(step), block=receipt.block_number - 1)
            data = found.data if found is not None else b""
        return f"reverted: {Abi(()).revert_reason(data) or 'no reason given'}"


def _innermost(trace: Mapping[str, Any]) -> bytes:
    """Return what the innermost of the calls that failed has returned."""
    for call in reversed(trace.get("calls", ())):
        if "error" in call:
            return _innermost(call)
    return bytes.fromhex(str(trace.get("output", "")).removeprefix("0x"))


def _is_call(step: Step) -> bool:
    return step.what.startswith("call ")


def _message(step: Step) -> dict[str, Any]:
    message = {"from": step.sender, "data": step.data, "gas": hex(_GAS)}
    return message if step.to is None else {**message, "to": step.to}
