"""Identifiers: every form is read, none is invented."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph_test_daemon.ipfs import Cid, subgraph_id, subgraph_number
from graph_test_daemon.ipfs.cid import DAG_PB, RAW
from graph_test_daemon.ipfs.errors import InvalidCid

V0 = "QmcYzr1v1xpXch8aU6qFb7EjxEKvNhjTVJmKDUXSPFg3TD"
BYTES32 = "0xd32d5ade3784dbf49d626814a093970da6531ee39e6a76263492b5b3d7f23130"

cids = st.builds(
    Cid.of,
    st.binary(max_size=8),
    codec=st.sampled_from((RAW, DAG_PB, 0x71)),
    version=st.just(1),
)


def test_a_cid_and_the_hash_that_contracts_keep_are_the_same() -> None:
    assert Cid.parse(V0).bytes32() == BYTES32
    assert str(Cid.from_bytes32(BYTES32)) == V0
    assert str(Cid.from_bytes32(BYTES32.removeprefix("0x").upper())) == V0


def test_the_base16_form_of_a_manifest_is_what_other_tools_print() -> None:
    assert Cid.parse(V0).written("base16") == "f1220" + BYTES32.removeprefix("0x")
    assert Cid.parse(V0).as_version(1).written("base16") == "f01701220" + BYTES32[2:]


@given(cids)
def test_what_is_written_is_read(cid: Cid) -> None:
    for base in ("base58btc", "base32", "base16"):
        assert Cid.parse(cid.written(base)) == cid
    assert Cid.parse(cid.written("base32").upper()) == cid
    assert Cid.read(cid.raw) == cid


@given(st.binary(max_size=8))
def test_a_block_has_one_name_in_each_version(block: bytes) -> None:
    old = Cid.of(block)
    assert Cid.parse(str(old)) == old
    new = old.as_version(1)
    assert (str(new)[:4], new.as_version(0)) == ("bafy", old)
    assert old.is_of(block)
    assert new.is_of(block)
    assert not old.is_of(block + b"!")


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "too short"),
        ("Q", "too short"),
        ("Qm" + "1" * 43, "has 46 characters, not 45"),
        (V0[:-1] + "0", "characters that base58 has not"),
        ("QmÄ" + "1" * 43, "characters that base58 has not"),
        ("hello", '"h" begins no base'),
        ("fxyz", "characters that base16 has not"),
        ("f0", "characters that base16 has not, or lacks one"),
        ("b1", "characters that its base has not"),
        ("k!", "characters that base36 has not"),
        ("z" + V0, "version 0 is written without a base"),
        ("f02", "it has version 2, not 0 or 1"),
        ("f0155122000", "its hash has 1 bytes, not the 32"),
        ("f01551202abcd", "a SHA2-256 hash has 32 bytes, not 2"),
        ("f01", "it ends too early"),
        ("f" + "ff" * 12, "a number of more than 64 bits"),
        ("f" + "0" * 1000, "too long"),
    ],
)
def test_what_is_no_cid_is_refused_with_the_reason(text: str, cause: str) -> None:
    with pytest.raises(InvalidCid, match="cannot read") as refused:
        Cid.parse(text)
    assert cause in refused.value.cause
    assert refused.value.kind == "invalid-cid"


@given(st.text(max_size=60))
def test_no_text_is_more_than_refused(text: str) -> None:
    try:
        Cid.parse(text)
        subgraph_number(text)
    except InvalidCid:
        pass


def test_base36_and_base64_are_read() -> None:
    key = "k51qzi5uqu5dgutdk6i1ynyzgkqngpha5xpgia3a5qqp4jsh0u4csozksxel2r"
    assert Cid.parse(key).codec_name == "libp2p-key"
    raw = Cid.of(b"", codec=RAW, version=1)
    assert Cid.parse("mAVUSIOOwxEKY/BwUmvv0yJlvuSQnrkHkZJuTTKSVmRt4UrhV") == raw
    assert Cid.parse("uAVUSIOOwxEKY_BwUmvv0yJlvuSQnrkHkZJuTTKSVmRt4UrhV") == raw


def test_a_cid_without_a_version_0_has_no_hash_for_contracts() -> None:
    raw = Cid.of(b"a", codec=RAW, version=1)
    with pytest.raises(InvalidCid, match="version 0 has only dag-pb"):
        raw.bytes32()
    with pytest.raises(InvalidCid, match="64 hex digits"):
        Cid.from_bytes32("0x12")


def test_a_block_may_be_within_its_name() -> None:
    cid = Cid.parse("bafkqaaa")
    assert (cid.inline, cid.codec_name) == (b"", "raw")
    assert cid.is_of(b"")


@given(st.integers(min_value=0, max_value=(1 << 256) - 1))
def test_a_subgraphs_number_and_its_text_are_the_same(number: int) -> None:
    assert subgraph_number(subgraph_id(number)) == number


@pytest.mark.parametrize("text", ["", "0", "z" * 60])
def test_what_is_no_subgraph_is_refused(text: str) -> None:
    with pytest.raises(InvalidCid):
        subgraph_number(text)
    with pytest.raises(InvalidCid, match="256 bits"):
        subgraph_id(1 << 256)
