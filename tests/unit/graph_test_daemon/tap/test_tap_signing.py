"""Signatures: made by a key, recovered from a message, of one domain only."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from eth_abi.abi import encode
from eth_keys.datatypes import PrivateKey
from eth_utils.crypto import keccak

from graph_test_daemon.tap import (
    Domain,
    InvalidSignature,
    InvalidTapMessage,
    Key,
    KeyUnusable,
    Receipt,
    Signature,
    Signed,
    Typing,
    Voucher,
    VoucherOrder,
    VoucherV2,
)

CONTRACT = "0x" + "11" * 20
TYPING = Typing(domain=Domain(chain_id=1337, verifying_contract=CONTRACT))
KEY = Key.read("0x" + "42" * 32, source="a test")
RECEIPT = Receipt(allocation_id="0x" + "ab" * 20, timestamp_ns=3, nonce=4, value=2**128 - 1)
VOUCHER_V2 = VoucherV2(
    collection_id="0x" + "0c" * 32,
    payer="0x" + "01" * 20,
    data_service="0x" + "02" * 20,
    service_provider="0x" + "03" * 20,
    timestamp_ns=3,
    value_aggregate=5,
    metadata="0xbeef",
)


def test_the_signer_of_a_message_is_known() -> None:
    assert TYPING.signer(TYPING.sign(RECEIPT, KEY)) == KEY.address
    assert TYPING.signer(TYPING.sign(VOUCHER_V2, KEY)) == KEY.address


def test_a_changed_message_is_not_the_signers() -> None:
    signed = TYPING.sign(RECEIPT, KEY)
    changed = Signed(message=replace(RECEIPT, value=1), signature=signed.signature)
    assert TYPING.signer(changed) != KEY.address


@pytest.mark.parametrize(
    "other",
    [
        replace(TYPING.domain, name="GraphTallyCollector"),
        replace(TYPING.domain, version="2"),
        replace(TYPING.domain, chain_id=1),
        replace(TYPING.domain, verifying_contract="0x" + "12" * 20),
    ],
)
def test_a_signature_counts_in_its_domain_only(other: Domain) -> None:
    assert Typing(domain=other).signer(TYPING.sign(RECEIPT, KEY)) != KEY.address


def test_the_order_of_a_voucher_decides_about_its_signer() -> None:
    crate = TYPING.with_order(VoucherOrder.CRATE)
    signed = crate.sign(VOUCHER_V2, KEY)
    assert crate.signer(signed) == KEY.address
    assert TYPING.signer(signed) != KEY.address
    assert TYPING.type_of(VoucherV2) == (
        "ReceiptAggregateVoucher(bytes32 collectionId,address payer,address serviceProvider,"
        "address dataService,uint64 timestampNs,uint128 valueAggregate,bytes metadata)"
    )
    assert "address payer,address dataService,address serviceProvider" in crate.type_of(VoucherV2)
    assert crate.type_of(Voucher) == TYPING.type_of(Voucher)


def test_what_is_signed_is_what_the_specification_says() -> None:
    """The hash is made here by hand: EIP-712, `encodeData` and `hashStruct`."""
    domain = TYPING.domain
    fields = "string name,string version,uint256 chainId,address verifyingContract"
    separator = keccak(
        keccak(text=f"EIP712Domain({fields})")
        + keccak(text=domain.name)
        + keccak(text=domain.version)
        + encode(["uint256", "address"], [domain.chain_id, domain.verifying_contract])
    )
    of = "ReceiptAggregateVoucher(address allocationId,uint64 timestampNs,uint128 valueAggregate)"
    message = Voucher(allocation_id="0x" + "ab" * 20, timestamp_ns=3, value_aggregate=2**100)
    values = encode(["address", "uint64", "uint128"], [message.allocation_id, 3, 2**100])
    digest = keccak(b"\x19\x01" + separator + keccak(keccak(text=of) + values))
    by_hand = PrivateKey(b"\x42" * 32).sign_msg_hash(digest)
    assert TYPING.type_of(Voucher) == of
    assert TYPING.sign(message, KEY).signature == Signature(
        r=by_hand.r, s=by_hand.s, v=by_hand.v + 27
    )


def test_the_accounts_of_test_chains_are_known() -> None:
    assert Key.of_account(0).address == "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
    assert Key.of_account(1).address == "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"


def test_a_signature_of_nobody_is_refused() -> None:
    # No point of the curve has this coordinate.
    signature = Signature(r=5, s=1, v=27)
    with pytest.raises(InvalidSignature):
        TYPING.signer(Signed(message=RECEIPT, signature=signature))


@pytest.mark.parametrize("text", ["", "42" * 31, "zz" * 32, "00" * 32, "ff" * 32, "0x" + "42" * 33])
def test_what_is_no_key_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(KeyUnusable) as caught:
        Key.read(text, source="TAP_PRIVATE_KEY")
    assert not text or text not in str(caught.value)


def test_a_key_shows_its_address_only(tmp_path: Path) -> None:
    assert "4242" not in f"{KEY} {KEY!r} {vars(KEY)}"
    file = tmp_path / "key"
    file.write_text(f" 0x{'42' * 32}\n")
    assert Key.from_file(file).address == KEY.address
    with pytest.raises(KeyUnusable, match="No such file"):
        Key.from_file(tmp_path / "none")
    with pytest.raises(KeyUnusable, match="numbered 0 to 99"):
        Key.of_account(100)


def test_a_domain_has_an_address() -> None:
    with pytest.raises(InvalidTapMessage):
        Domain(chain_id=1, verifying_contract="0x")
