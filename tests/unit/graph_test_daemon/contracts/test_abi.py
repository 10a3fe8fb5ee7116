"""Calls, results, events and refusals, to and from bytes."""

from __future__ import annotations

from typing import Any

import pytest

from graph_test_daemon.chain import Log
from graph_test_daemon.contracts import Abi, keccak
from graph_test_daemon.contracts.errors import AbiMismatch

ONE = "0x" + "11" * 20
TWO = "0x" + "22" * 20


def _value(type_: str, name: str = "", **more: Any) -> dict[str, Any]:
    return {"type": type_, "name": name, **more}


POINT = [_value("uint256", "x"), _value("uint256", "y")]
ABI = Abi(
    [
        {"type": "constructor", "inputs": [_value("address", "owner")]},
        {
            "type": "function",
            "name": "transfer",
            "inputs": [_value("address", "to"), _value("uint256", "amount")],
            "outputs": [_value("bool")],
        },
        {
            "type": "function",
            "name": "move",
            "inputs": [_value("tuple[]", "points", components=POINT), _value("bytes32", "id")],
            "outputs": [_value("tuple", "at", components=POINT), _value("bytes", "proof")],
        },
        {"type": "function", "name": "pair", "inputs": [], "outputs": [_value("int8")] * 2},
        {"type": "function", "name": "stop", "inputs": [], "outputs": []},
        {"type": "function", "name": "give", "inputs": [_value("address")], "outputs": []},
        {"type": "function", "name": "give", "inputs": [_value("address")] * 2, "outputs": []},
        {
            "type": "event",
            "name": "Named",
            "inputs": [
                _value("string", "name", indexed=True),
                _value("uint256", "number"),
                _value("address", "by", indexed=True),
            ],
        },
        {"type": "error", "name": "TooFew", "inputs": [_value("uint256", "had")]},
    ]
)


def _topic(signature: str) -> str:
    return f"0x{keccak(signature.encode()).hex()}"


def test_a_call_is_its_selector_and_its_arguments() -> None:
    data = ABI.function("transfer").encode([ONE, 5])
    assert data[:4].hex() == "a9059cbb"  # known from every token
    assert data[4:] == bytes(12) + b"\x11" * 20 + (5).to_bytes(32, "big")


def test_arguments_are_given_by_name_too_and_numbers_as_text() -> None:
    function = ABI.function("transfer")
    assert function.encode({"amount": "0x5", "to": ONE}) == function.encode([ONE, 5])


def test_tuples_are_mappings_or_lists_both_ways() -> None:
    function = ABI.function("move")
    identifier = "0x" + "33" * 32
    data = function.encode([[{"x": 1, "y": 2}, [3, 4]], identifier])
    assert function.decoded(data[4:]) == {
        "points": [{"x": 1, "y": 2}, {"x": 3, "y": 4}],
        "id": identifier,
    }
    result = function.encoded_result([{"x": 1, "y": 2}, "0xbeef"])
    assert function.result(result) == {"at": {"x": 1, "y": 2}, "proof": "0xbeef"}


def test_a_result_is_nothing_one_value_or_several() -> None:
    assert ABI.function("stop").result(b"") is None
    assert ABI.function("transfer").result((1).to_bytes(32, "big")) is True
    pair = ABI.function("pair")
    assert pair.result(pair.encoded_result([1, -1])) == [1, -1]


def test_functions_of_one_name_are_told_apart_by_their_arguments_or_signature() -> None:
    assert ABI.function("give", [ONE, TWO]).signature == "give(address,address)"
    assert ABI.function("give(address)").signature == "give(address)"
    with pytest.raises(AbiMismatch, match="2 functions have the name") as several:
        ABI.function("give")
    assert "give(address,address)" in str(several.value.hint)


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (
            "transfer",
            [ONE],
            r"arguments of transfer\(address,uint256\): it takes 2, and 1 is given",
        ),
        ("transfer", [5, 5], r"cannot encode the arguments of transfer"),
        ("transfer", [ONE, "many"], r"cannot encode the arguments of transfer"),
        ("transfer", [ONE, -1], r"cannot encode the arguments of transfer"),
        ("transfer", {"to": ONE, "sum": 1}, r"it takes to, amount, and to, sum is given"),
        ("move", [[[1]], "0x00"], r"arguments of points: it takes 2, and 1 is given"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(function: str, arguments: Any, message: str) -> None:
    with pytest.raises(AbiMismatch, match=message):
        ABI.function(function).encode(arguments)


def test_a_misspelt_function_has_a_suggestion() -> None:
    with pytest.raises(AbiMismatch, match=r"cannot call transfr: .* no such function") as wrong:
        ABI.function("transfr")
    assert wrong.value.hint == 'did you mean "transfer"?'


def test_no_bytes_are_no_result() -> None:
    with pytest.raises(AbiMismatch, match=r"cannot read the result of pair\(\) in no bytes"):
        ABI.function("pair").result(b"")


def test_a_log_is_read_with_its_indexed_values() -> None:
    log = Log(
        address=ONE.upper().replace("0X", "0x"),
        topics=(
            _topic("Named(string,uint256,address)"),
            _topic("hash of a name"),
            f"0x{'00' * 12}{TWO[2:]}",
        ),
        data=f"0x{7:064x}",
    )
    event = ABI.read_log(log)
    assert event is not None
    assert (event.name, event.address) == ("Named", ONE)
    assert event.values == {"name": _topic("hash of a name"), "number": 7, "by": TWO}


def test_logs_of_other_events_are_left_alone() -> None:
    assert ABI.read_log(Log(address=ONE, topics=(_topic("Other()"),), data="0x")) is None
    assert ABI.read_log(Log(address=ONE, topics=(), data="0x")) is None
    fewer = Log(address=ONE, topics=(_topic("Named(string,uint256,address)"),), data="0x")
    assert ABI.read_log(fewer) is None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("08c379a0" + f"{32:064x}{6:064x}" + b"!stake".hex().ljust(64, "0"), "!stake"),
        ("4e487b71" + f"{0x11:064x}", "arithmetic overflow or underflow (code 0x11)"),
        ("4e487b71" + f"{0x99:064x}", "panic (code 0x99)"),
        (keccak(b"TooFew(uint256)")[:4].hex() + f"{3:064x}", "TooFew(had: 3)"),
        ("deadbeef", None),
        ("", None),
    ],
)
def test_reasons_of_refusals_are_read(data: str, reason: str | None) -> None:
    assert ABI.revert_reason(bytes.fromhex(data)) == reason


def test_merged_abis_have_both_but_no_second_constructor() -> None:
    more = Abi([*ABI.entries[:2], {"type": "function", "name": "extra", "inputs": []}])
    both = ABI.merged(more)
    assert both.function("extra").signature == "extra()"
    assert len(both.entries) == len(ABI.entries) + 1
