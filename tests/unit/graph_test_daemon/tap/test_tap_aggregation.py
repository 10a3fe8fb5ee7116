"""The rules by which receipts become a voucher, and who may have signed them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from graph_test_daemon.tap import (
    AggregationRefused,
    Aggregator,
    Domain,
    Key,
    Receipt,
    ReceiptV2,
    Rule,
    Signature,
    Signed,
    Typing,
    Voucher,
    VoucherV2,
    aggregate,
)

ALLOCATION, OTHER = "0x" + "ab" * 20, "0x" + "cd" * 20


def receipt(number: int, *, value: int = 10, allocation: str = ALLOCATION) -> Signed[Receipt]:
    message = Receipt(
        allocation_id=allocation, timestamp_ns=100 + number, nonce=number, value=value
    )
    return Signed(message=message, signature=Signature(r=number + 1, s=1, v=27))


def receipt_v2(number: int, *, payer: int = 1, provider: int = 3) -> Signed[ReceiptV2]:
    message = ReceiptV2(
        collection_id="0x" + "0c" * 32,
        payer=f"0x{payer:040x}",
        data_service=f"0x{2:040x}",
        service_provider=f"0x{provider:040x}",
        timestamp_ns=100 + number,
        nonce=number,
        value=10,
    )
    return Signed(message=message, signature=Signature(r=number + 1, s=1, v=27))


def voucher(
    *, timestamp: int = 50, value: int = 5, allocation: str = ALLOCATION
) -> Signed[Voucher]:
    message = Voucher(allocation_id=allocation, timestamp_ns=timestamp, value_aggregate=value)
    return Signed(message=message, signature=Signature(r=1, s=1, v=27))


def test_a_voucher_is_the_sum_and_has_the_newest_time() -> None:
    assert aggregate([receipt(3), receipt(1), receipt(2, value=0)]) == Voucher(
        allocation_id=ALLOCATION, timestamp_ns=103, value_aggregate=20
    )


def test_the_voucher_before_is_added() -> None:
    assert aggregate([receipt(1)], voucher()) == Voucher(
        allocation_id=ALLOCATION, timestamp_ns=101, value_aggregate=15
    )


def test_a_voucher_of_version_2_is_for_the_same_parties() -> None:
    made = aggregate([receipt_v2(1), receipt_v2(2)])
    assert isinstance(made, VoucherV2)
    assert made.id == receipt_v2(1).message.id
    assert (made.value_aggregate, made.timestamp_ns, made.metadata) == (20, 102, "0x")


def test_a_sum_may_be_as_large_as_its_type() -> None:
    assert aggregate([receipt(1, value=2**128 - 6)], voucher(value=5)) is not None


@pytest.mark.parametrize(
    ("receipts", "previous", "rule", "cause"),
    [
        ([], None, Rule.NO_RECEIPTS, "there are none"),
        ([receipt(1), receipt(2), receipt(1)], None, Rule.DUPLICATE_RECEIPT, "receipts 0, 2 have"),
        (
            [receipt(1), receipt(2, allocation=OTHER)],
            None,
            Rule.DIFFERENT_IDS,
            "allocation_id of receipt 1",
        ),
        ([receipt_v2(1), receipt_v2(2, payer=9)], None, Rule.DIFFERENT_IDS, "payer of receipt 1"),
        (
            [receipt_v2(1), receipt_v2(2, provider=9)],
            None,
            Rule.DIFFERENT_IDS,
            "service_provider of receipt 1",
        ),
        (
            [receipt(1)],
            voucher(allocation=OTHER),
            Rule.OTHER_VOUCHER,
            "allocation_id of the previous voucher",
        ),
        ([receipt(5), receipt(1)], voucher(timestamp=101), Rule.RECEIPT_TOO_OLD, "receipt 1 is of"),
        ([receipt(5)], voucher(timestamp=200), Rule.RECEIPT_TOO_OLD, "receipt 0 is of 105 ns"),
        ([receipt(1, value=2**128 - 1), receipt(2)], None, Rule.VALUE_OVERFLOW, "a uint128 holds"),
        ([receipt(1)], voucher(value=2**128 - 1), Rule.VALUE_OVERFLOW, "a uint128 holds"),
    ],
)
def test_a_broken_rule_is_named(
    receipts: Sequence[Signed[Receipt]],
    previous: Signed[Voucher] | None,
    rule: Rule,
    cause: str,
) -> None:
    with pytest.raises(AggregationRefused) as caught:
        aggregate(receipts, previous)
    assert caught.value.rule is rule
    assert cause in caught.value.cause


# ── with keys ────────────────────────────────────────────────────────────────────────────────────

TYPING = Typing(domain=Domain(chain_id=1, verifying_contract="0x" + "11" * 20))
MINE, FRIEND, STRANGER = (Key.of_account(index) for index in range(3))


def signed_by(key: Key, number: int) -> Signed[Receipt]:
    return TYPING.sign(receipt(number).message, key)


def test_an_aggregator_takes_receipts_of_itself_and_of_those_it_is_told() -> None:
    aggregator = Aggregator(TYPING, MINE, [FRIEND.address.upper().replace("X", "x")])
    made = aggregator.voucher([signed_by(MINE, 1), signed_by(FRIEND, 2)], None)
    assert TYPING.signer(made) == MINE.address
    after = aggregator.voucher([signed_by(MINE, 3)], made)
    assert isinstance(after.message, Voucher)
    assert after.message.value_aggregate == 30


def test_an_aggregator_takes_nothing_of_strangers() -> None:
    aggregator = Aggregator(TYPING, MINE)
    with pytest.raises(AggregationRefused) as caught:
        aggregator.voucher([signed_by(MINE, 1), signed_by(STRANGER, 2)], None)
    assert caught.value.rule is Rule.SIGNER_NOT_ACCEPTED
    assert f"receipt 1 is signed by {STRANGER.address}" in str(caught.value)
    previous = TYPING.sign(voucher().message, STRANGER)
    with pytest.raises(AggregationRefused, match="the previous voucher is signed by"):
        aggregator.voucher([signed_by(MINE, 1)], previous)


def test_a_value_that_was_raised_after_signing_is_a_strangers() -> None:
    honest = signed_by(MINE, 1)
    forged = Signed(message=replace(honest.message, value=10**6), signature=honest.signature)
    with pytest.raises(AggregationRefused, match="not accepted"):
        Aggregator(TYPING, MINE).voucher([forged], None)
