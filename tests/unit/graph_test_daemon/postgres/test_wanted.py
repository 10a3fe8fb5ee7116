"""What a stack file's labels want on a server."""

from __future__ import annotations

from pathlib import Path

import pytest

from graph_test_daemon.postgres.errors import DatabaseError
from graph_test_daemon.postgres.wanted import Wanted, address_of


def test_databases_bring_the_roles_whose_they_are() -> None:
    wanted = Wanted.read({"databases": " graph-node, indexer:agent ,", "roles": "boss:superuser"})
    assert wanted.databases == {"graph-node": None, "indexer": "agent"}
    assert wanted.roles == {"boss": True, "agent": False}
    assert wanted.extensions == ("btree_gist", "pg_trgm", "postgres_fdw", "pg_stat_statements")


def test_a_role_that_is_asked_for_keeps_its_attribute() -> None:
    assert Wanted.read({"databases": "a:boss", "roles": "boss:superuser"}).roles == {"boss": True}


def test_extensions_are_those_of_the_label_if_there_is_one() -> None:
    assert Wanted.read({"extensions": "hstore"}).extensions == ("hstore",)
    assert Wanted.read({"extensions": ""}).extensions == ()


def test_without_labels_nothing_is_wanted() -> None:
    wanted = Wanted.read({"team": "data"})
    assert (wanted.databases, wanted.roles) == ({}, {})


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ({"databases": ":agent"}, "neither NAME nor NAME:ROLE"),
        ({"databases": "a:"}, "neither NAME nor NAME:ROLE"),
        ({"roles": "boss:superusr"}, '"boss:superusr" is no role'),
    ],
)
def test_labels_that_cannot_be_read_are_refused(labels: dict[str, str], said: str) -> None:
    with pytest.raises(DatabaseError, match=said):
        Wanted.read(labels)


def test_the_address_is_the_services_and_the_labels(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("it's\n")
    labels = {"user": "boss", "password_file": "password", "database": "home"}
    address = address_of("postgresql://db.example:7000", labels, tmp_path)
    assert address.url == "postgresql://boss@db.example:7000/home"
    assert address.password == "it's"
    assert "it's" not in repr(address)
    assert address_of("tcp://[::1]:1", {}, tmp_path).url == "postgresql://postgres@[::1]:1/postgres"


def test_a_password_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match=r"cannot read .*/nowhere"):
        address_of("tcp://h:1", {"password_file": "nowhere"}, tmp_path)
