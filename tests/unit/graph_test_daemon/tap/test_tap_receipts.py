"""Receipts and vouchers: in range, in one form, and read strictly."""

from __future__ import annotations

import json
from typing import Any

import pytest

from graph_test_daemon.tap import (
    InvalidTapMessage,
    Receipt,
    ReceiptV2,
    Signature,
    Signed,
    Voucher,
    VoucherV2,
    collection_of,
    document_of,
    read_receipt,
    read_receipts,
    read_voucher,
)

ALLOCATION = "0x" + "ab" * 20
SIGNATURE = Signature(r=1, s=2, v=27)
RECEIPT = Receipt(allocation_id=ALLOCATION, timestamp_ns=3, nonce=2**64 - 1, value=2**128 - 1)
RECEIPT_V2 = ReceiptV2(
    collection_id=collection_of(ALLOCATION),
    payer="0x" + "01" * 20,
    data_service="0x" + "02" * 20,
    service_provider="0x" + "03" * 20,
    timestamp_ns=3,
    nonce=4,
    value=5,
)
VOUCHER = Voucher(allocation_id=ALLOCATION, timestamp_ns=3, value_aggregate=7)
VOUCHER_V2 = VoucherV2(
    collection_id=collection_of(ALLOCATION),
    payer="0x" + "01" * 20,
    data_service="0x" + "02" * 20,
    service_provider="0x" + "03" * 20,
    timestamp_ns=3,
    value_aggregate=5,
    metadata="0xbeef",
)


def document(**changed: Any) -> dict[str, Any]:
    """Return a receipt's document with another message's fields."""
    found = document_of(Signed(message=RECEIPT, signature=SIGNATURE))
    found["message"] |= changed
    return found


def signed_with(**changed: Any) -> dict[str, Any]:
    """Return a receipt's document with another signature."""
    return document() | {"signature": {"r": "0x1", "s": "0x2", "v": 27} | changed}


@pytest.mark.parametrize("message", [RECEIPT, RECEIPT_V2])
def test_a_receipt_is_read_as_it_was_written(message: Receipt | ReceiptV2) -> None:
    signed = Signed(message=message, signature=SIGNATURE)
    assert read_receipt(json.loads(json.dumps(document_of(signed)))) == signed


@pytest.mark.parametrize("message", [VOUCHER, VOUCHER_V2])
def test_a_voucher_is_read_as_it_was_written(message: Voucher | VoucherV2) -> None:
    signed = Signed(message=message, signature=SIGNATURE)
    assert read_voucher(json.loads(json.dumps(document_of(signed)))) == signed


def test_fields_are_named_as_the_signed_types_have_them() -> None:
    assert list(document()["message"]) == ["allocation_id", "timestamp_ns", "nonce", "value"]
    voucher = document_of(Signed(message=VOUCHER, signature=SIGNATURE))
    assert voucher["message"] == {
        "allocationId": ALLOCATION,
        "timestampNs": 3,
        "valueAggregate": 7,
    }
    assert voucher["signature"] == {"r": "0x1", "s": "0x2", "v": 27}


def test_numbers_are_json_numbers_of_any_size() -> None:
    assert '"value": 340282366920938463463374607431768211455' in json.dumps(document())


def test_hexadecimal_digits_have_one_form() -> None:
    found = read_receipt(document(allocation_id="0x" + "AB" * 20)).message
    assert found == RECEIPT


@pytest.mark.parametrize(
    ("given", "read"), [(27, 27), (28, 28), (0, 27), (1, 28), ("0x1b", 27), ("0x1", 28)]
)
def test_v_is_read_as_libraries_write_it(given: int | str, read: int) -> None:
    assert read_receipt(signed_with(v=given)).signature.v == read
    other = document() | {"signature": {"r": "0x1", "s": "0x2", "yParity": given}}
    assert read_receipt(other).signature.v == read


@pytest.mark.parametrize(
    ("given", "path", "cause"),
    [
        (document(value=-1), "receipt.message.value", "-1 is no uint128"),
        (document(value=2**128), "receipt.message.value", "is no uint128"),
        (document(value="5"), "receipt.message.value", "'5' is no whole number"),
        (document(value=5.0), "receipt.message.value", "of the type float is no whole number"),
        (document(value=True), "receipt.message.value", "True is no whole number"),
        (document(nonce=2**64), "receipt.message.nonce", "is no uint64"),
        (document(allocation_id="0xab"), "receipt.message.allocation_id", "has 1 bytes"),
        (document(allocation_id="ab" * 20), "receipt.message.allocation_id", "is not 0x and"),
        (document(allocation_id=None), "receipt.message.allocation_id", "null is not 0x and"),
        (document(vlaue=1), "receipt.message.vlaue", "no such field"),
        ({"message": {}, "signature": {}}, "receipt.message.allocation_id", "missing"),
        ({"message": [], "signature": {}}, "receipt.message", "no object"),
        ({"signature": {}}, "receipt.message", "missing"),
        (document() | {"more": 1}, "receipt.more", "no such field"),
        ("0x", "receipt", "no object"),
        (None, "receipt", "no object"),
        (signed_with(v=29), "receipt.signature.v", "none of 27"),
        (signed_with(r=1), "receipt.signature.r", "1 to 64 hexadecimal digits"),
        (signed_with(r="0x0"), "receipt.signature.r", "within the curve's order"),
        (signed_with(s="0x" + "f" * 64), "receipt.signature.s", "the lower half"),
        (signed_with(s="0x" + "f" * 65), "receipt.signature.s", "1 to 64 hexadecimal digits"),
        (signed_with(t=1), "receipt.signature.t", "no such field"),
        (document() | {"signature": "0x"}, "receipt.signature", "no object"),
        (document() | {"signature": {"r": "0x1"}}, "receipt.signature.s", "missing"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(given: Any, path: str, cause: str) -> None:
    with pytest.raises(InvalidTapMessage) as caught:
        read_receipt(given)
    assert caught.value.path == path
    assert cause in caught.value.cause


def test_receipts_are_of_one_version() -> None:
    both = [document(), document_of(Signed(message=RECEIPT_V2, signature=SIGNATURE))]
    with pytest.raises(InvalidTapMessage) as caught:
        read_receipts(both)
    assert caught.value.path == "receipts[1].message.allocation_id"
    with pytest.raises(InvalidTapMessage) as caught:
        read_receipts("0x")
    assert "no list" in str(caught.value)


def test_an_allocation_has_a_collection() -> None:
    assert collection_of(ALLOCATION.upper().replace("X", "x")) == "0x" + "00" * 12 + "ab" * 20


def test_what_is_shown_of_a_long_value_is_short() -> None:
    with pytest.raises(InvalidTapMessage) as caught:
        read_receipt(document(allocation_id="z" * 10_000))
    assert len(str(caught.value)) < 300
