"""What is asked of a chain to see that contracts are there: a list of questions, sent at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graph_test_daemon.chain import Chain
from graph_test_daemon.contracts.abi import Abi
from graph_test_daemon.contracts.address_book import AddressBook
from graph_test_daemon.errors import RpcFault

__all__ = ["Check", "call_check", "code_checks", "find_differences"]

_IMPLEMENTATION_SLOT = "0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc"
"""Where proxies keep the address of the code behind them. Source: EIP-1967."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One question.

    Attributes:
        what: must be so, for messages.
        method: of the chain's JSON-RPC.
        params: of it.
        expected: the answer in hex; None: any but an empty one.
        is_setting: the protocol's users may change it, so that another answer does not mean that
            the contracts are others.
    """

    what: str
    method: str
    params: Sequence[Any]
    expected: str | None = None
    is_setting: bool = False

    def difference(self, answer: Any) -> str | None:
        """Return what is wrong with an answer; None: nothing."""
        if self.expected is None:
            return None if isinstance(answer, str) and len(answer) > len("0x") else self.what
        if _word(answer) == _word(self.expected):
            return None
        is_hex = str(answer).startswith("0x")
        return f"{self.what}, not {f'0x{_word(answer) or 0}' if is_hex else answer}"


async def find_differences(chain: Chain, checks: Sequence[Check]) -> list[str]:
    """Return what is not as the checks want it, in their order."""
    try:
        answers = await chain.rpc.batch([(check.method, check.params) for check in checks])
    except RpcFault:
        answers = [await _answer(chain, check) for check in checks]
    found = (check.difference(answer) for check, answer in zip(checks, answers, strict=True))
    return [one for one in found if one is not None]


def code_checks(book: AddressBook) -> list[Check]:
    """Return the checks that there is code at each address, and behind each proxy its own."""
    checks = []
    for name, entry in book.entries.items():
        places = {name: entry.address}
        if entry.implementation is not None:
            places[f"the implementation of {name}"] = entry.implementation
            checks.append(
                Check(
                    what=f"the proxy of {name} must lead to {entry.implementation}",
                    method="eth_getStorageAt",
                    params=[entry.address, _IMPLEMENTATION_SLOT, "latest"],
                    expected=entry.implementation,
                )
            )
        checks += [
            Check(
                what=f"no code at {address}, where {of} should be",
                method="eth_getCode",
                params=[address, "latest"],
            )
            for of, address in places.items()
        ]
    return checks


def call_check(
    address: str,
    abi: Abi,
    function: str,
    arguments: Sequence[Any],
    *,
    expected: Any,
    of: str,
    is_setting: bool = False,
) -> Check:
    """Return the check that a function answers with one value.

    Args:
        address: of the contract.
        abi: of it.
        function: that is called.
        arguments: in order.
        expected: the value, as `Contract.call` returns it.
        of: the contract's name.
        is_setting: see `Check`.
    """
    found = abi.function(function, arguments)
    given = ", ".join(map(str, arguments))
    message: Mapping[str, str] = {"to": address, "data": f"0x{found.encode(arguments).hex()}"}
    return Check(
        what=f"{of}.{function}({given}) must be {expected}",
        method="eth_call",
        params=[message, "latest"],
        expected=f"0x{found.encoded_result([expected]).hex()}",
        is_setting=is_setting,
    )


async def _answer(chain: Chain, check: Check) -> Any:
    try:
        return await chain.rpc.call(check.method, check.params)
    except RpcFault as fault:
        return f"refused: {fault.message}"


def _word(text: Any) -> str:
    """Return hex without leading zeros, so that an address and a word of it are the same."""
    return str(text).lower().removeprefix("0x").lstrip("0")
