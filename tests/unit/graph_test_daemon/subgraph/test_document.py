from __future__ import annotations

import pytest

from graph_test_daemon.subgraph.document import Document, Place, read_document
from graph_test_daemon.subgraph.problems import Problem


def read(text: str) -> Document:
    document = read_document(text, "f.yaml")
    assert isinstance(document, Document)
    return document


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (
            "0x5FbDB2315678afecb367f032d93F642f64180aa3",
            "0x5FbDB2315678afecb367f032d93F642f64180aa3",
        ),
        ("0x10", "0x10"),
        ("1.3.0", "1.3.0"),
        ("012", 12),
        ("-3", -3),
        ("1.5", 1.5),
        ("true", True),
        ("yes", "yes"),
        ("'true'", "true"),
        ('"3"', "3"),
        ("~", None),
        ("", None),
        ("22:22", "22:22"),
    ],
)
def test_a_scalar_is_read_as_graph_node_reads_it(written: str, value: object) -> None:
    found = read(f"key: {written}").at("key")
    assert found == value
    assert type(found) is type(value)


def test_every_value_knows_its_place() -> None:
    document = read("a:\n  - b: 1\n    c: [x, y]\n")
    assert document.place("a") == Place(line=1, column=1)
    assert document.place("a", 0, "c") == Place(line=3, column=5)
    assert document.place("a", 0, "c", 1) == Place(line=3, column=12)


def test_what_is_missing_is_told_of_where_it_would_be() -> None:
    document = read("a:\n  - b: 1\n")
    assert document.place("a", 0, "c", "d") == Place(line=2, column=5)
    assert document.at("a", 0, "c", "d") is None
    assert document.at("a", 3) is None


def test_a_key_that_is_there_twice_is_noted() -> None:
    assert read("a:\n  b: 1\n  b: 2\n").doubled == (("a", "b"),)


def test_what_is_no_yaml_is_a_problem_with_its_place() -> None:
    problem = read_document("a: 1\nb: ]\n", "f.yaml")
    assert isinstance(problem, Problem)
    assert (problem.file, problem.line, problem.column) == ("f.yaml", 2, 4)
