"""What goes wrong with the protocol, apart from refusals of its contracts, which are `Reverted`.

GraphError
└─ NetworkError
   ├─ NoContracts
   ├─ UnknownParticipant (name)
   ├─ KeyUnknown (address)
   ├─ MnemonicInvalid
   ├─ InvalidAmount (text)
   ├─ TransactionPending (what)
   ├─ EpochNotReached (epoch)
   ├─ NotThawed (what, until)
   ├─ AllocationNotFound (allocation)
   ├─ AllocationIdsUsedUp (deployment)
   ├─ NoProof (deployment, block)
   ├─ SubgraphNotPublished (subgraph)
   └─ DisputeNotFound (dispute)
"""

from __future__ import annotations

from collections.abc import Iterable

from graph_test_daemon.errors import GraphError
from harness.suggestions import nearest

__all__ = [
    "AllocationIdsUsedUp",
    "AllocationNotFound",
    "DisputeNotFound",
    "EpochNotReached",
    "InvalidAmount",
    "KeyUnknown",
    "MnemonicInvalid",
    "NetworkError",
    "NoContracts",
    "NoProof",
    "NotThawed",
    "SubgraphNotPublished",
    "TransactionPending",
    "UnknownParticipant",
]


class NetworkError(GraphError):
    """Root of them."""

    kind = "network-error"


class NoContracts(NetworkError):
    """The protocol's contracts are not known, or not in a form that is known here."""

    kind = "no-contracts"


# ── who, and how much ────────────────────────────────────────────────────────────────────────────


class UnknownParticipant(NetworkError):
    """Nobody has that name, place or address.

    Attributes:
        name: as it was given.
    """

    kind = "unknown-participant"
    facts = ("name",)

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name = name
        names = list(known)
        close = nearest(name, names)
        super().__init__(
            f'cannot tell who "{name}" is: it is no address, no place among the accounts, no name',
            hint=f'did you mean "{close}"?' if close else f"there are: {', '.join(names)}",
            details={"name": name, "did_you_mean": close},
        )


class KeyUnknown(NetworkError):
    """Something has to be signed by an account whose private key is not known.

    Attributes:
        address: of the account.
    """

    kind = "key-unknown"
    facts = ("address",)

    def __init__(self, *, address: str, what: str, hint: str) -> None:
        self.address = address
        super().__init__(
            f"cannot {what}: the private key of {address} is not known",
            hint=hint,
            details={"address": address},
        )


class MnemonicInvalid(NetworkError):
    """Words are no mnemonic."""

    kind = "mnemonic-invalid"


class InvalidAmount(NetworkError):
    """A text is no amount of tokens.

    Attributes:
        text: as it was given.
    """

    kind = "invalid-amount"
    facts = ("text",)

    def __init__(self, *, text: str, cause: str) -> None:
        self.text = text
        super().__init__(f"cannot use {text} as an amount: {cause}", details={"text": text})


# ── the chain's time ─────────────────────────────────────────────────────────────────────────────


class TransactionPending(NetworkError):
    """A transaction was sent, and is in no block.

    Attributes:
        what: it does.
    """

    kind = "transaction-pending"
    facts = ("what",)

    def __init__(self, *, what: str) -> None:
        self.what = what
        super().__init__(
            f"cannot {what}: the transaction was sent, and is in no block yet",
            hint="does the chain mine by itself? If not, mine a block",
            details={"what": what},
        )


class EpochNotReached(NetworkError):
    """An epoch was waited for, and has not begun.

    Attributes:
        epoch: that was waited for.
        at: the epoch that it is.
        blocks: until the one that was waited for begins.
    """

    kind = "epoch-not-reached"

    def __init__(self, *, epoch: int, at: int, blocks: int, timeout_s: float) -> None:
        self.epoch = epoch
        self.at = at
        self.blocks = blocks
        super().__init__(
            f"cannot wait for epoch {epoch} any longer: after {timeout_s:g} s it is epoch {at}, "
            f"and {blocks} blocks are missing",
            hint="advance-epoch mines them",
            details={"epoch": epoch, "at": at, "blocks": blocks},
        )


class NotThawed(NetworkError):
    """Tokens cannot be withdrawn yet.

    Attributes:
        what: should be withdrawn.
        until: the block or epoch from which on they can be.
        at: the one that it is.
    """

    kind = "not-thawed"
    facts = ("what",)

    def __init__(self, *, what: str, unit: str, until: int, at: int, hint: str) -> None:
        self.what = what
        self.until = until
        self.at = at
        super().__init__(
            f"cannot withdraw {what}: it thaws until {unit} {until}, and this is {unit} {at}",
            hint=hint,
            details={"what": what, "unit": unit, "until": until, "at": at},
        )


# ── things that are not there ────────────────────────────────────────────────────────────────────


class AllocationNotFound(NetworkError):
    """There is no allocation of that id.

    Attributes:
        allocation: its id.
    """

    kind = "allocation-not-found"
    facts = ("allocation",)

    def __init__(self, allocation: str) -> None:
        self.allocation = allocation
        super().__init__(
            f"cannot find the allocation {allocation}: there never was one of that id",
            hint="`allocations` lists those that there are",
            details={"allocation": allocation},
        )


class AllocationIdsUsedUp(NetworkError):
    """Every id that there is for a deployment in one epoch has been used.

    Attributes:
        deployment: its id.
        epoch: in which they were used.
    """

    kind = "allocation-ids-used-up"
    facts = ("deployment",)

    def __init__(self, *, deployment: str, epoch: int, count: int) -> None:
        self.deployment = deployment
        self.epoch = epoch
        super().__init__(
            f"cannot allocate to {deployment}: all of the {count} ids of epoch {epoch} are used",
            hint="each can be used once; advance an epoch",
            details={"deployment": deployment, "epoch": epoch},
        )


class NoProof(NetworkError):
    """There is no proof of indexing to close an allocation with.

    Attributes:
        deployment: its id.
        block: for which it was looked for; None where nobody could be asked.
    """

    kind = "no-proof"
    facts = ("deployment", "cause")

    def __init__(self, *, deployment: str, cause: str, hint: str, block: int | None = None) -> None:
        self.deployment = deployment
        self.block = block
        self.cause = cause
        where = "" if block is None else f" at block {block}"
        super().__init__(
            f"cannot prove the indexing of {deployment}{where}: {cause}",
            hint=hint,
            details={"deployment": deployment, "block": block, "cause": cause},
        )


class SubgraphNotPublished(NetworkError):
    """The name system has no such subgraph, or not any more.

    Attributes:
        subgraph: its id.
    """

    kind = "subgraph-not-published"
    facts = ("subgraph",)

    def __init__(self, subgraph: str) -> None:
        self.subgraph = subgraph
        super().__init__(
            f"cannot find the subgraph {subgraph}: it was never published, or is deprecated",
            hint="publish returns the id of a subgraph",
            details={"subgraph": subgraph},
        )


class DisputeNotFound(NetworkError):
    """There is no dispute of that id.

    Attributes:
        dispute: its id.
    """

    kind = "dispute-not-found"
    facts = ("dispute",)

    def __init__(self, dispute: str) -> None:
        self.dispute = dispute
        super().__init__(
            f"cannot find the dispute {dispute}: there never was one of that id",
            hint="`disputes` lists those that there are",
            details={"dispute": dispute},
        )
