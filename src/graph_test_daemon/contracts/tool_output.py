"""Reads what tools that deploy contracts print: Hardhat with its plugins, Foundry, and own scripts.

Source: the output of Hardhat 2 and 3 (console, hardhat-deploy, Ignition) and of Foundry 1.7 (forge
create, forge script). Whatever is not known is left alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["CompilationFinished", "CompilationStarted", "ContractReported", "OutputReader", "Said"]

_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_ADDRESS = r"(?P<address>0x[0-9a-fA-F]{40})\b"
_NAME = r"(?P<name>[A-Za-z_][\w.#-]*)"

_COMPILING = re.compile(r"(?:\[\S+\] )?Compil(?:ing\b(?: (?P<files>\d+) .*)?|ing\.\.\.)")
_COMPILED = re.compile(
    r"(?P<text>Compiled \d+ .*|Compiler run successful.*|Nothing to compile.*"
    r"|No files changed, compilation skipped.*|No contracts to compile.*)"
)
_DEPLOYER = re.compile(rf"Deployer: {_ADDRESS}")

_REPORTS = tuple(
    re.compile(pattern)
    for pattern in (
        # hardhat-deploy: deploying "Token" (tx: 0x…)...: deployed at 0x… with 5000 gas
        rf'(?:deploying|reusing) "(?P<name>[^"]+)".* at {_ADDRESS}',
        # Ignition: LockModule#Lock - 0x…
        rf"(?:[\w-]+#)+{_NAME} - {_ADDRESS}$",
        # forge create: Deployed to: 0x…
        rf"Deployed to: {_ADDRESS}",
        # Deployed Token to 0x…
        rf"(?:[Cc]ontract )?[Dd]eployed (?:the )?(?:contract )?{_NAME} (?:to|at):? {_ADDRESS}",
        # Token deployed to: 0x…, Lock with 1 ETH deployed to 0x…, Token deployed at 0x…
        rf"(?:[Cc]ontract )?{_NAME}\b.*\bdeployed (?:to|at)(?: address)?:? {_ADDRESS}",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompilationStarted:
    """Contracts are being compiled."""

    files: int | None
    """How many; None: the tool does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompilationFinished:
    """Contracts are compiled, or were already."""

    text: str
    """As the tool says it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractReported:
    """The program says that it has deployed a contract."""

    name: str
    address: str
    """In lower case."""


Said = CompilationStarted | CompilationFinished | ContractReported


class OutputReader:
    """Reads lines, one after another; remembers what it has read.

    Args:
        unnamed: what a contract is called whose line has no name.

    Attributes:
        addresses: name → address, in the order of the lines. A second contract of one name is
            called `NAME-2`.
    """

    def __init__(self, *, unnamed: str = "Contract") -> None:
        self.addresses: dict[str, str] = {}
        self._unnamed = unnamed

    def read(self, line: str) -> Said | None:
        """Return what a line says; None: nothing that is known."""
        text = _COLOUR.sub("", line).strip()
        if found := _COMPILED.fullmatch(text):
            return CompilationFinished(text=found["text"])
        if found := _COMPILING.match(text):
            return CompilationStarted(files=int(found["files"]) if found["files"] else None)
        if _DEPLOYER.fullmatch(text):
            return None
        for pattern in _REPORTS:
            if found := pattern.match(text):
                parts = found.groupdict()
                return self._report(parts.get("name") or self._unnamed, parts["address"].lower())
        return None

    def add(self, name: str, address: str) -> ContractReported | None:
        """Take a contract from elsewhere; None: a line has told of this address already."""
        if address.lower() in self.addresses.values():
            return None
        return self._report(name, address.lower())

    def _report(self, name: str, address: str) -> ContractReported | None:
        chosen, number = name, 1
        while self.addresses.get(chosen, address) != address:
            number += 1
            chosen = f"{name}-{number}"
        if chosen in self.addresses:
            return None  # told again, in a summary for example
        self.addresses[chosen] = address
        return ContractReported(name=chosen, address=address)
