"""Address books as files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from graph_test_daemon.contracts import AddressBook, BookEntry
from graph_test_daemon.contracts.errors import AddressBookInvalid, ContractUnknown

ONE, TWO, THREE = ("0x" + digit * 40 for digit in "123")

BOOK: dict[str, Any] = {
    "1337": {
        "Staking": {
            "address": ONE,
            "initArgs": ["1"],
            "proxy": True,
            "implementation": {"address": TWO, "txHash": "0x9"},
        },
        "GraphToken": {"address": THREE},
    },
    "1": {"GraphToken": {"address": ONE}},
}


def _file(directory: Path, document: Any, name: str = "book.json") -> Path:
    path = directory / name
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def test_a_book_is_written_as_it_was_read(tmp_path: Path) -> None:
    path = _file(tmp_path, BOOK)
    book = AddressBook.read(path, 1337)
    assert book["Staking"].address == ONE
    assert book["Staking"].implementation == TWO
    assert book["Staking"].is_proxy
    assert book.addresses == {"Staking": ONE, "GraphToken": THREE}
    book.write(path)
    assert json.loads(path.read_text()) == BOOK
    assert path.stat().st_mode & 0o777 == 0o644


def test_other_chains_of_a_file_stay(tmp_path: Path) -> None:
    path = _file(tmp_path, BOOK)
    AddressBook(chain_id=1337, entries={"New": BookEntry(address=ONE)}).write(path)
    assert json.loads(path.read_text()) == {"1": BOOK["1"], "1337": {"New": {"address": ONE}}}
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_no_book_is_not_overwritten(tmp_path: Path) -> None:
    path = _file(tmp_path, "notes")
    with pytest.raises(AddressBookInvalid):
        AddressBook(chain_id=1, entries={}).write(path)
    assert path.read_text() == "notes"


def test_several_are_merged_and_the_last_one_counts(tmp_path: Path) -> None:
    horizon = _file(tmp_path, {"1337": {"A": {"address": ONE}, "B": {"address": ONE}}}, "a.json")
    service = _file(tmp_path, {"1337": {"B": {"address": TWO}}}, "b.json")
    assert AddressBook.read_all([horizon, service], 1337).addresses == {"A": ONE, "B": TWO}


def test_addresses_are_in_lower_case(tmp_path: Path) -> None:
    path = _file(tmp_path, {"1": {"A": {"address": "0x" + "AB" * 20}}})
    assert AddressBook.read(path, 1)["A"].address == "0x" + "ab" * 20


@pytest.mark.parametrize(
    ("document", "cause"),
    [
        ("{", "it cannot be read"),
        ([], "it is no address book"),
        ({"mainnet": {}}, "it is no address book"),
        ({"1": {}}, "it says nothing of chain 1337"),
        ({"1337": []}, '"1337" is no mapping'),
        ({"1337": {"A": {}}}, r"1337\.A: it has no address"),
        ({"1337": {"A": "0x"}}, r"1337\.A: it has no address"),
        ({"1337": {"A": {"address": "0x12"}}}, r"1337\.A: its address is none: .0x12."),
        (
            {"1337": {"A": {"address": ONE, "implementation": {"address": 5}}}},
            r"1337\.A: its implementation\.address is none",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, document: Any, cause: str) -> None:
    with pytest.raises(AddressBookInvalid, match=f"cannot use .*book.json: {cause}"):
        AddressBook.read(_file(tmp_path, document), 1337)


def test_a_missing_file_and_contract_are_named(tmp_path: Path) -> None:
    with pytest.raises(AddressBookInvalid, match="there is no such file"):
        AddressBook.read(tmp_path / "none.json", 1)
    book = AddressBook.read(_file(tmp_path, BOOK), 1337)
    with pytest.raises(ContractUnknown, match='cannot find the contract "Stakin"') as unknown:
        book["Stakin"]
    assert unknown.value.hint == 'did you mean "Staking"?'
    assert "Staking" in book
