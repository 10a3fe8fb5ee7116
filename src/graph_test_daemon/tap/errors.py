"""What goes wrong with receipts and vouchers.

GraphError
└─ TapError
   ├─ InvalidTapMessage (path, cause)
   ├─ InvalidSignature
   ├─ AggregationRefused (rule)
   ├─ ApiVersionUnsupported (supported)
   └─ KeyUnusable
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from graph_test_daemon.errors import GraphError

__all__ = [
    "AggregationRefused",
    "ApiVersionUnsupported",
    "InvalidSignature",
    "InvalidTapMessage",
    "KeyUnusable",
    "Rule",
    "TapError",
]


class Rule(StrEnum):
    """What a set of receipts must keep to become a voucher."""

    NO_RECEIPTS = "no-receipts"
    DUPLICATE_RECEIPT = "duplicate-receipt"
    DIFFERENT_IDS = "different-ids"
    OTHER_VOUCHER = "other-voucher"
    RECEIPT_TOO_OLD = "receipt-too-old"
    SIGNER_NOT_ACCEPTED = "signer-not-accepted"
    VALUE_OVERFLOW = "value-overflow"


class TapError(GraphError):
    """Root of what goes wrong with receipts and vouchers."""

    kind = "tap-error"


class InvalidTapMessage(TapError):
    """A receipt, a voucher or a signature is not what it should be.

    Attributes:
        path: of what is wrong, such as `receipts[3].message.value`.
        cause: what is wrong with it.
    """

    kind = "invalid-tap-message"
    facts = ("path", "cause")

    def __init__(self, *, path: str, cause: str) -> None:
        self.path = path
        self.cause = cause
        super().__init__(f"cannot read {path}: {cause}", details={"path": path, "cause": cause})


class InvalidSignature(TapError):
    """No address has made this signature."""

    kind = "invalid-signature"


class AggregationRefused(TapError):
    """Receipts do not become a voucher.

    Attributes:
        rule: that they break; None where an aggregator did not tell it.
        cause: in the aggregator's words.
    """

    kind = "aggregation-refused"
    facts = ("cause",)

    def __init__(self, *, rule: Rule | None, cause: str) -> None:
        self.rule = rule
        self.cause = cause
        super().__init__(
            f"cannot aggregate the receipts: {cause}", details={"rule": rule, "cause": cause}
        )


class ApiVersionUnsupported(TapError):
    """An aggregator does not speak a version of its protocol.

    Attributes:
        version: that was asked for.
        supported: those that it speaks.
    """

    kind = "tap-api-version-unsupported"
    facts = ("version",)

    def __init__(self, *, version: str, supported: Sequence[str]) -> None:
        self.version = version
        self.supported = tuple(supported)
        super().__init__(
            f'cannot use version "{version}" of the aggregator\'s protocol: it has '
            + (", ".join(supported) or "told none"),
            details={"version": version, "supported": list(supported)},
        )


class KeyUnusable(TapError):
    """There is no private key where one was looked for; what was found is never shown."""

    kind = "key-unusable"
