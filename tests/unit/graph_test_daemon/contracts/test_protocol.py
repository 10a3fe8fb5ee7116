"""What a deployment is made of, without a chain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from graph_test_daemon.contracts import AddressBook, BookEntry
from graph_test_daemon.contracts.protocol import Parameters
from graph_test_daemon.contracts.protocol.checks import Check
from graph_test_daemon.contracts.protocol.recording import Recording, RecordingBroken
from graph_test_daemon.contracts.protocol.steps import Deployment, Step, created_address
from harness.validation import ValidationError, adapter

DEPLOYER = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
FIRST = "0x5fbdb2315678afecb367f032d93f642f64180aa3"

DEPLOYMENT = Deployment(
    steps=(
        Step(contract="A", what="deploy A", sender=DEPLOYER, to=None, data="0x60", creates=FIRST),
    ),
    book=AddressBook(
        chain_id=31337, entries={"A": BookEntry(address=FIRST, more={"initArgs": ["1"]})}
    ),
    accounts={"deployer": DEPLOYER},
)
CHECKS = (Check(what="code", method="eth_getCode", params=[FIRST, "latest"]),)


@pytest.mark.parametrize(
    ("nonce", "address"),
    [
        (0, FIRST),  # as every chain of Hardhat's and anvil's has it
        (1, "0xe7f1725e7734ce288f8367e1bb143e90bb3f0512"),
        (127, "0x5fc748f1feb28d7b76fa1c6b07d8ba2d5535177c"),
        (128, "0xb82008565fdc7e44609fa118a4a681e92581e680"),
        (70_000, "0x3808bbf68110240e59b12334b301d8f31ab36363"),
    ],
)
def test_addresses_follow_from_who_deploys_and_its_nonce(nonce: int, address: str) -> None:
    assert created_address(DEPLOYER, nonce) == address


def test_a_recording_holds_everything(tmp_path: Path) -> None:
    recording = Recording({"variant": "L1"}, tmp_path / "new")
    assert recording.read(31337) is None
    recording.write(DEPLOYMENT, CHECKS)
    assert recording.read(31337) == (DEPLOYMENT, CHECKS)
    assert Recording({"variant": "L2"}, tmp_path / "new").read(31337) is None
    recording.discard()
    recording.discard()
    assert recording.read(31337) is None


@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff\xfe", b"cut"])
def test_a_damaged_recording_is_found(tmp_path: Path, damage: bytes) -> None:
    recording = Recording({}, tmp_path)
    recording.write(DEPLOYMENT, CHECKS)
    whole = recording.path.read_bytes()
    recording.path.write_bytes(damage if damage != b"cut" else whole[:-1])
    with pytest.raises(RecordingBroken):
        recording.read(31337)


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"epoch_lenght": 5}, "epoch_lenght"),
        ({"epoch_length": 0}, ""),
        ({"curation_tax": 1_000_001}, ""),
        ({"accounts": {"owner": 1}}, "accounts.owner"),
        ({"rebate_alpha": [1]}, "rebate_alpha"),
    ],
)
def test_parameters_that_cannot_be_are_refused(given: dict[str, Any], path: str) -> None:
    with pytest.raises(ValidationError) as refused:
        adapter(Parameters).validate_python(given)
    assert path in str(refused.value)
