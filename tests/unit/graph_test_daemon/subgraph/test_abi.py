from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from graph_test_daemon.subgraph.abi import AbiUnreadable, read_abi

ENTRY: dict[str, Any] = {
    "type": "event",
    "name": "E",
    "inputs": [
        {"type": "address", "indexed": True},
        {"type": "tuple[2]", "components": [{"type": "uint8"}, {"type": "bytes"}]},
    ],
}


@pytest.mark.parametrize(
    "document", [[ENTRY], {"abi": [ENTRY]}, {"compilerOutput": {"abi": [ENTRY]}}]
)
def test_every_form_of_a_file_is_read(tmp_path: Path, document: object) -> None:
    path = tmp_path / "E.json"
    path.write_text(json.dumps(document))
    assert read_abi(path).events == ("E(indexed address,(uint8,bytes)[2])",)


def test_what_is_neither_event_nor_function_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "E.json"
    path.write_text(json.dumps([{"type": "fallback"}, {"name": "f", "inputs": []}]))
    abi = read_abi(path)
    assert (abi.events, abi.functions) == ((), ("f()",))


def test_another_document_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "E.json"
    path.write_text('"abi"')
    with pytest.raises(AbiUnreadable, match="neither a list"):
        read_abi(path)
