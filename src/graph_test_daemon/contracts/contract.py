"""One contract on a chain: its functions are called by name, and it answers in plain values."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from graph_test_daemon.errors import Reverted, RpcFault

from .abi import Abi, Event

if TYPE_CHECKING:
    from graph_test_daemon.chain import Chain, Log, Receipt

__all__ = ["Contract", "OnSent", "Sent", "decoded_revert", "read_logs", "refusal"]

_LONGEST_ARGUMENT = 80
_NO_OTHERS: Mapping[str, Abi] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A transaction that is in a block.

    Attributes:
        receipt: as the chain has it.
        events: what was logged by contracts whose ABI is known, in order.
    """

    receipt: Receipt
    events: tuple[Event, ...]

    def event(self, name: str) -> Event | None:
        """Return the first event of a name; None: there is none."""
        return next((one for one in self.events if one.name == name), None)


OnSent = Callable[["Contract", str, str, Sent], Awaitable[None]]
"""Is awaited with a contract, the function that was called, who called it, and how it went."""


class Contract:
    """One contract.

    Args:
        chain: where it is.
        address: of it, with 0x.
        abi: what it understands; of a proxy, what the contract behind it does.
        name: what messages call it.
        others: address, in lower case → ABI of contracts whose events and refusals are read, too.
        on_sent: is awaited after each transaction that is in a block.
    """

    def __init__(
        self,
        chain: Chain,
        address: str,
        abi: Abi,
        *,
        name: str = "contract",
        others: Mapping[str, Abi] = _NO_OTHERS,
        on_sent: OnSent | None = None,
    ) -> None:
        self.chain = chain
        self.address = address.lower()
        self.abi = abi
        self.name = name
        self._others = others
        self._on_sent = on_sent

    def __repr__(self) -> str:
        return f"<Contract {self.name} {self.address}>"

    async def call(
        self,
        function: str,
        *arguments: Any,
        sender: str | None = None,
        block: int | str = "latest",
    ) -> Any:
        """Ask it, and change nothing.

        Args:
            function: its name, or its signature where several have the name.
            arguments: in order; addresses and bytes as 0x-hex, tuples as mappings or lists.
            sender: who asks.
            block: height, or a name such as `latest`.

        Returns:
            What it returned: one value, several as a mapping by name, else a list; None: nothing.

        Raises:
            AbiMismatch: it has no such function, or the arguments do not fit.
            Reverted: it refused; with the reason.
        """
        found = self.abi.function(function, arguments)
        data = found.encode(arguments)
        try:
            answer = await self.chain.call(self.address, data, sender=sender, block=block)
        except Reverted as error:
            raise self._explained(error, found.name, arguments) from error
        return found.result(answer)

    async def send(
        self,
        function: str,
        *arguments: Any,
        sender: str,
        value: int = 0,
        gas: int | None = None,
    ) -> Sent:
        """Send it a transaction, and wait until that is in a block.

        Args:
            function: its name, or its signature where several have the name.
            arguments: in order; addresses and bytes as 0x-hex, tuples as mappings or lists.
            sender: an account that the node signs for.
            value: wei.
            gas: limit; None: half as much again as the node's estimate, so that a refusal costs no
                block.

        Raises:
            AbiMismatch: it has no such function, or the arguments do not fit.
            Reverted: it refused; with the reason.
        """
        found = self.abi.function(function, arguments)
        data = found.encode(arguments)
        message = {"from": sender, "to": self.address, "data": f"0x{data.hex()}"}
        message |= {"value": hex(value)} if value else {}
        try:
            receipt = await self.chain.send(
                sender=sender, to=self.address, data=data, value=value, gas=gas
            )
        except Reverted as error:
            known = await self._asked_again(error, message)
            raise self._explained(known, found.name, arguments) from error
        sent = Sent(receipt=receipt, events=self.events(receipt.logs))
        if self._on_sent is not None:
            await self._on_sent(self, found.name, sender, sent)
        return sent

    def events(self, logs: Sequence[Log]) -> tuple[Event, ...]:
        """Read logs, its own and those of the contracts beside it; others are left out."""
        return read_logs(logs, {**self._others, self.address: self.abi})

    async def _asked_again(self, error: Reverted, message: Mapping[str, Any]) -> Reverted:
        """Return the refusal with its reason, which receipts do not have."""
        if error.data or error.transaction is None:
            return error
        receipt = await self.chain.receipt(error.transaction)
        block = receipt.block_number - 1 if receipt is not None else "latest"
        found = await refusal(self.chain, message, block=block)
        if found is None:
            return error
        return Reverted(reason=found.reason, data=found.data, transaction=error.transaction)

    def _explained(self, error: Reverted, function: str, arguments: Sequence[Any]) -> Reverted:
        abis = (self.abi, *self._others.values())
        given = ", ".join(map(_short, arguments))
        what = f"call {function}({given}) on {self.name} {self.address}"
        return decoded_revert(error, abis, what=what)


async def refusal(chain: Chain, message: Mapping[str, Any], *, block: int | str) -> Reverted | None:
    """Ask what a node says to a call that was refused in a later block; None: it would succeed.

    Args:
        chain: where it was.
        message: the call, as `eth_call` takes it.
        block: at whose end it is asked.
    """
    try:
        await chain.rpc.call("eth_call", [message, hex(block) if isinstance(block, int) else block])
    except RpcFault as fault:
        found = Reverted.of(fault)
        return found if isinstance(found, Reverted) else None
    return None


def decoded_revert(error: Reverted, abis: Sequence[Abi], *, what: str) -> Reverted:
    """Return a refusal with its reason read by the first ABI that knows it."""
    reasons = (abi.revert_reason(error.data) for abi in abis) if error.data else iter(())
    reason = next((one for one in reasons if one is not None), error.reason)
    return Reverted(reason=reason, data=error.data, transaction=error.transaction, what=what)


def read_logs(logs: Sequence[Log], abis: Mapping[str, Abi]) -> tuple[Event, ...]:
    """Read the logs of known contracts, in order.

    Args:
        logs: of a receipt, or several.
        abis: address, in lower case → ABI.
    """
    found = []
    for log in logs:
        abi = abis.get(log.address.lower())
        if abi is not None and (event := abi.read_log(log)) is not None:
            found.append(event)
    return tuple(found)


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST_ARGUMENT else f"{text[:_LONGEST_ARGUMENT]}…"
