"""What goes wrong with contracts, apart from a refusal of their own, which is `Reverted`.

GraphError
└─ ContractsError
├─ AbiMismatch
├─ ArtifactsInvalid (path)
├─ AddressBookInvalid (path)
├─ ContractUnknown (name)
├─ DeploymentFailed (step)
└─ ContractsUnverified (findings)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from graph_test_daemon.errors import GraphError
from harness.suggestions import nearest

__all__ = [
    "AbiMismatch",
    "AddressBookInvalid",
    "ArtifactsInvalid",
    "ContractUnknown",
    "ContractsError",
    "ContractsUnverified",
    "DeploymentFailed",
]


class ContractsError(GraphError):
    """Root of them."""

    kind = "contracts-error"


class AbiMismatch(ContractsError):
    """A call, a result or a log does not fit the contract's ABI."""

    kind = "abi-mismatch"


class _FileInvalid(ContractsError):
    facts = ("path",)

    def __init__(self, *, path: str, cause: str, hint: str | None = None) -> None:
        self.path = path
        super().__init__(
            f"cannot use {path}: {cause}", hint=hint, details={"path": path, "cause": cause}
        )


class ArtifactsInvalid(_FileInvalid):
    """A directory of compiled contracts lacks what is looked for, or holds something else."""

    kind = "artifacts-invalid"


class AddressBookInvalid(_FileInvalid):
    """A file is no address book, or lacks what is looked for."""

    kind = "address-book-invalid"


class ContractUnknown(ContractsError):
    """There is no contract of that name.

    Attributes:
        name: that was asked for.
    """

    kind = "contract-unknown"
    facts = ("name",)

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name = name
        names = sorted(known)
        close = nearest(name, names)
        hint = f'did you mean "{close}"?' if close else f"there are: {', '.join(names)}"
        super().__init__(
            f'cannot find the contract "{name}": none of that name is deployed',
            hint=hint,
            details={"name": name, "did_you_mean": close},
        )


class DeploymentFailed(ContractsError):
    """A deployment stopped at one of its steps; what was done before it stays on the chain.

    Attributes:
        step: what was tried, such as `deploy Controller`.
        number: of the step, from 1.
        cause: why it could not be done.
    """

    kind = "deployment-failed"
    facts = ("step", "cause")

    def __init__(self, *, step: str, number: int, total: int, cause: str) -> None:
        self.step = step
        self.number = number
        self.cause = cause
        super().__init__(
            f"cannot {step} (step {number} of {total}): {cause}",
            details={"step": step, "number": number, "total": total, "cause": cause},
        )


class ContractsUnverified(ContractsError):
    """What is on the chain is not what an address book says.

    Attributes:
        findings: each difference, in words.
    """

    kind = "contracts-unverified"
    facts = ("findings",)

    def __init__(self, findings: Sequence[str]) -> None:
        self.findings = tuple(findings)
        super().__init__(
            f"cannot verify the contracts: {'; '.join(self.findings)}",
            details={"findings": list(self.findings)},
        )
