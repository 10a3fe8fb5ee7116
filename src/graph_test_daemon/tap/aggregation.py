"""When receipts become a voucher, and which: rules alone, no key and no clock.

Source: the aggregation rules of the TAP crates (`aggregate_receipts` and the checks before it).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from .errors import AggregationRefused, Rule
from .receipts import (
    AnyReceipt,
    AnyVoucher,
    Receipt,
    ReceiptV2,
    SignedReceipt,
    SignedVoucher,
    Voucher,
    VoucherV2,
)

__all__ = ["aggregate", "check_signer"]

_LARGEST = 2**128 - 1


def aggregate(
    receipts: Sequence[SignedReceipt], previous: SignedVoucher | None = None
) -> AnyVoucher:
    """Return the voucher of receipts and the voucher before them.

    Its value is that of the previous voucher and of all receipts, its time that of the newest
    receipt. Who has signed them is not looked at.

    Raises:
        AggregationRefused: they break a rule.
    """
    if not receipts:
        raise AggregationRefused(rule=Rule.NO_RECEIPTS, cause="there are none")
    messages = [signed.message for signed in receipts]
    _check_different(receipts)
    _check_ids(messages, previous)
    _check_times(messages, previous)
    value = sum(message.value for message in messages)
    if previous is not None:
        value += previous.message.value_aggregate
    if value > _LARGEST:
        cause = f"their sum is {value}, more than a uint128 holds"
        raise AggregationRefused(rule=Rule.VALUE_OVERFLOW, cause=cause)
    return _voucher(messages[0], newest=max(m.timestamp_ns for m in messages), value=value)


def check_signer(signer: str, accepted: Collection[str], *, of: str) -> None:
    """Look whether a signer is one of those that are accepted.

    Args:
        signer: address, in lower case.
        accepted: addresses, in lower case.
        of: what it has signed, for the error.

    Raises:
        AggregationRefused: it is none of them.
    """
    if signer not in accepted:
        cause = f"{of} is signed by {signer}, whose signatures are not accepted"
        raise AggregationRefused(rule=Rule.SIGNER_NOT_ACCEPTED, cause=cause)


def _voucher(first: AnyReceipt, *, newest: int, value: int) -> AnyVoucher:
    match first:
        case Receipt():
            return Voucher(
                allocation_id=first.allocation_id, timestamp_ns=newest, value_aggregate=value
            )
        case ReceiptV2():
            return VoucherV2(
                collection_id=first.collection_id,
                payer=first.payer,
                service_provider=first.service_provider,
                data_service=first.data_service,
                timestamp_ns=newest,
                value_aggregate=value,
            )


def _check_different(receipts: Sequence[SignedReceipt]) -> None:
    [(signature, times)] = Counter(signed.signature for signed in receipts).most_common(1)
    if times > 1:
        at = [number for number, one in enumerate(receipts) if one.signature == signature]
        cause = f"receipts {', '.join(map(str, at[:5]))} have the same signature"
        raise AggregationRefused(rule=Rule.DUPLICATE_RECEIPT, cause=cause)


def _check_ids(messages: Sequence[AnyReceipt], previous: SignedVoucher | None) -> None:
    first = messages[0]
    for number, message in enumerate(messages):
        if message.id != first.id:
            cause = f"{_differing(first, message)} of receipt {number} is not that of receipt 0"
            raise AggregationRefused(rule=Rule.DIFFERENT_IDS, cause=cause)
    if previous is not None and previous.message.id != first.id:
        cause = f"{_differing(first, previous.message)} of the previous voucher is not theirs"
        raise AggregationRefused(rule=Rule.OTHER_VOUCHER, cause=cause)


def _differing(one: AnyReceipt, other: AnyReceipt | AnyVoucher) -> str:
    names = zip(one.ids, one.id, other.id, strict=False)
    return next((name for name, mine, its in names if mine != its), "the version")


def _check_times(messages: Sequence[AnyReceipt], previous: SignedVoucher | None) -> None:
    if previous is None:
        return
    newest = previous.message.timestamp_ns
    for number, message in enumerate(messages):
        if message.timestamp_ns <= newest:
            cause = (
                f"receipt {number} is of {message.timestamp_ns} ns, which is not after the "
                f"previous voucher's {newest} ns"
            )
            raise AggregationRefused(rule=Rule.RECEIPT_TOO_OLD, cause=cause)
