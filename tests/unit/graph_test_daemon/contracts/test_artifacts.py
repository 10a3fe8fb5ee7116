"""Directories of compiled contracts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from graph_test_daemon.contracts import Artifacts
from graph_test_daemon.contracts.errors import ArtifactsInvalid

LIBRARY = "0x" + "Ab" * 20


def _write(directory: Path, path: str, document: Any) -> None:
    (directory / path).parent.mkdir(parents=True, exist_ok=True)
    (directory / path).write_text(json.dumps(document))


def _hardhat(name: str, source: str, bytecode: str = "0x6001", **more: Any) -> dict[str, Any]:
    return {"contractName": name, "sourceName": source, "abi": [], "bytecode": bytecode, **more}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    links = {"contracts/Lib.sol": {"Lib": [{"length": 20, "start": 1}]}}
    staking = _hardhat("Staking", "contracts/Staking.sol", f"0x60{'_' * 40}61")
    _write(tmp_path, "contracts/Staking.sol/Staking.json", {**staking, "linkReferences": links})
    _write(tmp_path, "contracts/Staking.sol/Staking.dbg.json", {})
    _write(tmp_path, "contracts/IGNS.sol/IGNS.json", _hardhat("IGNS", "contracts/IGNS.sol", "0x"))
    for part in ("a", "b"):
        source = f"contracts/{part}/Token.sol"
        _write(tmp_path, f"{source}/Token.json", _hardhat("Token", source))
    _write(tmp_path, "build-info/123.json", {"input": {}})
    return tmp_path


def test_libraries_are_linked_where_the_compiler_says(directory: Path) -> None:
    artifact = Artifacts(directory).get("Staking")
    code = artifact.creation_code({"Lib": LIBRARY})
    assert code.hex() == "60" + "ab" * 20 + "61"
    with pytest.raises(ArtifactsInvalid, match="uses the library Lib, whose address is not given"):
        artifact.creation_code()


def test_foundrys_are_read(tmp_path: Path) -> None:
    document = {
        "abi": [{"type": "function", "name": "f", "inputs": []}],
        "bytecode": {"object": "0x6002", "linkReferences": {}},
        "metadata": {"settings": {"compilationTarget": {"src/Counter.sol": "Counter"}}},
    }
    _write(tmp_path, "Counter.sol/Counter.json", document)
    artifact = Artifacts(tmp_path).get("src/Counter.sol:Counter")
    assert (artifact.name, artifact.source) == ("Counter", "src/Counter.sol")
    assert artifact.creation_code() == b"\x60\x02"
    assert artifact.abi.function("f").signature == "f()"


def test_a_file_may_be_an_abi_alone(tmp_path: Path) -> None:
    _write(tmp_path, "HorizonStaking.json", [{"type": "function", "name": "f", "inputs": []}])
    assert Artifacts(tmp_path).get("HorizonStaking").abi.function("f").name == "f"


def test_names_are_those_of_contracts(directory: Path) -> None:
    artifacts = Artifacts(directory)
    assert artifacts.names() == ["IGNS", "Staking", "Token"]
    assert "Token" in artifacts
    assert "Tokens" not in artifacts


def test_of_several_with_one_name_the_source_says_which(directory: Path) -> None:
    artifacts = Artifacts(directory)
    assert artifacts.get("contracts/b/Token.sol:Token").source == "contracts/b/Token.sol"
    with pytest.raises(ArtifactsInvalid, match="several contracts are called Token") as several:
        artifacts.get("Token")
    assert "contracts/a/Token.sol:Token" in str(several.value.hint)


def test_what_is_not_there_is_named_with_a_suggestion(directory: Path) -> None:
    with pytest.raises(ArtifactsInvalid, match="it has no contract Stakin") as missing:
        Artifacts(directory).get("Stakin")
    assert missing.value.hint == 'did you mean "Staking"?'
    with pytest.raises(ArtifactsInvalid, match="no such directory") as nowhere:
        Artifacts(directory / "out")
    assert "forge build" in str(nowhere.value.hint)


def test_interfaces_cannot_be_deployed(directory: Path) -> None:
    with pytest.raises(ArtifactsInvalid, match="cannot deploy IGNS: it has no code"):
        Artifacts(directory).get("IGNS").creation_code()


@pytest.mark.parametrize("text", ["{", '{"abi": 1}', '"x"', "{}"])
def test_a_damaged_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "Bad.json").write_text(text)
    with pytest.raises(ArtifactsInvalid, match=r"Bad\.json"):
        Artifacts(tmp_path).get("Bad")
