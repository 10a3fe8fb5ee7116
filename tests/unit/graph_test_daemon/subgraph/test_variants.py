from __future__ import annotations

from typing import Any

import pytest
import yaml

from graph_test_daemon.subgraph.document import Document, read_document
from graph_test_daemon.subgraph.variants import dump, file_paths, program, variant


def manifest(**changes: Any) -> dict[str, Any]:
    source = {"address": "0xab", "abi": "A", "startBlock": 0}
    mapping = {"abis": [{"name": "A", "file": "a.json"}], "file": "m.ts"}
    made: dict[str, Any] = {
        "specVersion": "1.3.0",
        "schema": {"file": "s"},
        "dataSources": [{"kind": "ethereum", "network": "x", "source": source, "mapping": mapping}],
    }
    for key, value in changes.items():
        if key in source:
            source[key] = value
        elif key in ("network", "kind"):
            made["dataSources"][0][key] = value
        else:
            made[key] = value
    return made


@pytest.mark.parametrize(
    "changes",
    [
        {"address": "0xcd"},
        {"startBlock": 9},
        {"network": "y"},
        {"graft": {"base": "Qm", "block": 1}, "features": ["grafting"]},
        {"description": "other"},
    ],
)
def test_what_no_compiler_looks_at_is_not_the_program(changes: dict[str, Any]) -> None:
    plain = manifest(features=[]) if "features" in changes else manifest()
    assert program(manifest(**changes)) == program(plain)


@pytest.mark.parametrize(
    "changes", [{"abi": "B"}, {"specVersion": "1.2.0"}, {"features": ["fullTextSearch"]}]
)
def test_everything_else_is(changes: dict[str, Any]) -> None:
    assert program(manifest(**changes)) != program(manifest())


def test_the_id_of_a_subgraph_that_is_followed_is_a_part_of_the_program() -> None:
    one, two = manifest(kind="subgraph"), manifest(kind="subgraph", address="0xcd")
    assert program(one) != program(two)


def test_a_variant_takes_files_from_what_was_built_and_the_rest_from_its_own() -> None:
    built = manifest(address="0xcd", description="old")
    built["dataSources"][0]["mapping"]["file"] = "m.wasm"
    graft = {"base": "Qm", "block": 1}
    made = variant(built, {"graft": graft, **manifest(network="y")})
    assert list(made) == ["graft", "specVersion", "schema", "dataSources"]
    (source,) = made["dataSources"]
    assert (source["network"], source["source"]["address"]) == ("y", "0xab")
    assert source["mapping"]["file"] == "m.wasm"


def test_every_file_is_found() -> None:
    assert list(file_paths(manifest())) == [
        ("schema", "file"),
        ("dataSources", 0, "mapping", "abis", 0, "file"),
        ("dataSources", 0, "mapping", "file"),
    ]


@pytest.mark.parametrize(
    "value",
    [
        *("0x5FbDB2315678afecb367f032d93F642f64180aa3", "true", "12", "1.5", "", "~", "1.3.0"),
        *("Stored(indexed uint256,(int256,string)[])", "a: b", "- x", "ä", "x" * 300),
        *(3, True, None, 1.5),
    ],
)
def test_what_is_written_is_read_the_same(value: object) -> None:
    text = dump({"key": value, "list": [value, value]})
    document = read_document(text, "f")
    assert isinstance(document, Document)
    assert document.data == {"key": value, "list": [value, value]}
    assert len(text.splitlines()) == 4


def test_an_address_is_written_as_gnd_writes_it() -> None:
    address = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
    assert dump({"a": address, "b": "0xab", "l": [{"file": {"/": "/ipfs/Qm"}}]}) == (
        f"a: {address}\nb: '0xab'\nl:\n- file:\n    /: /ipfs/Qm\n"
    )
    assert yaml.safe_dump({"a": 1}) == "a: 1\n"  # PyYAML's own dumper stays as it is
