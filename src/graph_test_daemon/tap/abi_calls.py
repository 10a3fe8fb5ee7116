"""One contract on a chain, called by the names in its ABI; refusals are read by it, too.

As much as the escrow needs: functions that differ by name and that return one value or several.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graph_test_daemon.chain import Chain, Receipt
from graph_test_daemon.errors import Reverted

__all__ = ["Contract", "encoded_arguments"]

Abi = Sequence[Mapping[str, Any]]


class Contract:
    """One contract.

    Args:
        chain: where it is.
        address: of it.
        abi: what it understands.
        name: what messages call it.
        others: ABIs of contracts that it calls, whose refusals are read, too.
    """

    def __init__(
        self, chain: Chain, address: str, abi: Abi, *, name: str, others: Sequence[Abi] = ()
    ) -> None:
        self._chain = chain
        self.address = address
        self._functions = {entry["name"]: entry for entry in abi if entry["type"] == "function"}
        self._errors = [e for one in (abi, *others) for e in one if e["type"] == "error"]
        self._name = name

    async def call(self, function: str, *arguments: Any, sender: str | None = None) -> Any:
        """Ask it, and change nothing; return the value, or a tuple of several.

        Raises:
            Reverted: it refused; with the reason.
        """
        from eth_abi.abi import decode

        entry = self._functions[function]
        try:
            answer = await self._chain.call(
                self.address, _call_data(entry, arguments), sender=sender
            )
        except Reverted as error:
            raise self._explained(error, function) from error
        types = [_type(output) for output in entry["outputs"]]
        values = decode(types, answer)
        return values[0] if len(values) == 1 else values

    async def send(self, function: str, *arguments: Any, sender: str) -> Receipt:
        """Send it a transaction from an account of the node; return when it is in a block.

        Raises:
            Reverted: it refused; with the reason.
        """
        data = _call_data(self._functions[function], arguments)
        try:
            # A transaction that is refused in a block has no reason, and one that is asked for has.
            await self._chain.call(self.address, data, sender=sender)
            return await self._chain.send(sender=sender, to=self.address, data=data)
        except Reverted as error:
            raise self._explained(error, function) from error

    def _explained(self, error: Reverted, function: str) -> Reverted:
        return Reverted(
            reason=self._reason(error.data) or error.reason,
            data=error.data,
            transaction=error.transaction,
            what=f"call {function} of {self._name} {self.address}",
        )

    def _reason(self, data: bytes) -> str | None:
        from eth_abi.abi import decode

        for entry in self._errors:
            if data[:4] == _selector(entry):
                values = decode([_type(given) for given in entry["inputs"]], data[4:])
                pairs = zip(entry["inputs"], values, strict=True)
                given = ", ".join(f"{one['name']}: {value}" for one, value in pairs)
                return f"{entry['name']}({given})"
        return None


def encoded_arguments(abi: Abi, arguments: Sequence[Any]) -> bytes:
    """Return the arguments of a constructor as they stand behind the code."""
    from eth_abi.abi import encode

    [entry] = [entry for entry in abi if entry["type"] == "constructor"]
    return encode([_type(given) for given in entry["inputs"]], arguments)


def _call_data(entry: Mapping[str, Any], arguments: Sequence[Any]) -> bytes:
    from eth_abi.abi import encode

    return _selector(entry) + encode([_type(given) for given in entry["inputs"]], arguments)


def _selector(entry: Mapping[str, Any]) -> bytes:
    from eth_utils.crypto import keccak

    types = ",".join(_type(given) for given in entry["inputs"])
    return keccak(text=f"{entry['name']}({types})")[:4]


def _type(given: Mapping[str, Any]) -> str:
    of = str(given["type"])
    if not of.startswith("tuple"):
        return of
    return f"({','.join(_type(part) for part in given['components'])}){of.removeprefix('tuple')}"
