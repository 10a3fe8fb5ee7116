"""What deploying programs print: each case is a file of output, and what it says beside it."""

from __future__ import annotations

import dataclasses
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from graph_test_daemon.contracts.broadcasts import broadcast_contracts
from graph_test_daemon.contracts.tool_output import OutputReader, Said

CASES = Path(__file__).parents[3] / "cases" / "deployment_output"
ADDRESS = "0x" + "ab" * 20


def _document(said: Said) -> dict[str, Any]:
    name = re.sub(r"(?<!^)(?=[A-Z])", "-", type(said).__name__).lower()
    return {name: dataclasses.asdict(said)}


@pytest.mark.parametrize("case", sorted(path.stem for path in CASES.glob("*.out")))
def test_output_says_what_stands_beside_it(case: str) -> None:
    expected = json.loads((CASES / f"{case}.json").read_text())
    reader = OutputReader(unnamed=expected.get("unnamed", "Contract"))
    lines = (CASES / f"{case}.out").read_text().splitlines()
    found = [said for line in lines if (said := reader.read(line)) is not None]
    assert [_document(said) for said in found] == expected["said"]


def test_an_address_that_a_line_has_told_of_is_not_told_again() -> None:
    reader = OutputReader()
    assert reader.read(f"Token deployed to: {ADDRESS}") is not None
    assert reader.add("MyToken", ADDRESS.upper().replace("0X", "0x")) is None
    assert reader.addresses == {"Token": ADDRESS}


def test_broadcasts_of_this_run_and_this_chain_are_read(tmp_path: Path) -> None:
    transactions = [
        {"transactionType": "CREATE", "contractName": "Token", "contractAddress": ADDRESS},
        {"transactionType": "CALL", "contractName": "Token", "contractAddress": ADDRESS},
        {
            "transactionType": "CALL",
            "contractAddress": ADDRESS,
            "additionalContracts": [
                {"transactionType": "CREATE2", "contractName": "Pool", "address": "0x01"}
            ],
        },
    ]
    path = tmp_path / "broadcast" / "Deploy.s.sol" / "31337" / "run-latest.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"transactions": transactions}))
    at = path.stat().st_mtime_ns
    assert broadcast_contracts(tmp_path, 31337, since_ns=at) == [
        ("Token", ADDRESS),
        ("Pool", "0x01"),
    ]
    assert broadcast_contracts(tmp_path, 1, since_ns=at) == []
    os.utime(path, ns=(at - 1, at - 1))
    assert broadcast_contracts(tmp_path, 31337, since_ns=at) == []
