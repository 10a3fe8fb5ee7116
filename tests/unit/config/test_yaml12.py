"""YAML as version 1.2 reads it, with places."""

from __future__ import annotations

from typing import Any

import pytest

from harness.config.nodes import Map, Scalar, find, merge, path_text, plain, put
from harness.config.yaml12 import parse_yaml
from harness.errors import ConfigSyntaxError


def data(text: str) -> Any:
    node, problems = parse_yaml(text, file="f")
    assert problems == ()
    assert node is not None
    return plain(node)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("22:22", "22:22"),
        ("5433:5432", "5433:5432"),
        ("017", 17),
        ("0o17", 15),
        ("0x1F", 31),
        ("-5", -5),
        ("1_000", "1_000"),
        ("1.10", 1.1),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1.0.0", "1.0.0"),
        ("-.inf", float("-inf")),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("2024-01-01", "2024-01-01"),
        ("'5'", "5"),
        ('"true"', "true"),
        ("!!str 5", "5"),
        ("!!int 5", 5),
        ("9" * 50, int("9" * 50)),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_scalar_is_read_as_in_yaml_1_2(text: str, value: object) -> None:
    assert data(f"a: {text}") == {"a": value}


def test_not_a_number_is_a_number() -> None:
    assert data("a: .nan")["a"] != data("a: .nan")["a"]


def test_keys_are_the_text_as_written() -> None:
    assert data("yes: 1\n017: 2\n") == {"yes": 1, "017": 2}


def test_anchors_and_merge_keys_are_applied_and_own_keys_win() -> None:
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*a, *b], z: 3}\nd: *a\n"

    assert data(text)["c"] == {"x": 1, "y": 1, "z": 3}
    assert data(text)["d"] == {"x": 1, "y": 1}


def test_place_of_a_value_is_kept() -> None:
    node, _ = parse_yaml("a:\n  - b: 1\n  - c\n", file="f")
    assert node is not None
    found = find(node, ("a", 1))

    assert isinstance(found, Scalar)
    assert (found.mark.line, found.mark.column) == (3, 5)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\nb: 2\na: 3\n", "f:3:1: a: the key is there already, in line 1"),
        ("a: {b: 1, b: 2}\n", "f:1:11: a.b: the key is there already, in line 1"),
        ("? [a]\n: 1\n", "f:1:3: a key must be text"),
        ("a: !x 1\n", 'f:1:4: a: the tag "!x" is not known'),
        ("a: !x [1]\n", 'f:1:4: a: the tag "!x" is not known'),
        ("a: {<<: 1}\n", "f:1:9: a.<<: << takes maps only"),
    ],
)
def test_what_yaml_allows_and_a_stack_does_not_is_a_problem(text: str, problem: str) -> None:
    _, problems = parse_yaml(text, file="f")

    assert [str(found) for found in problems] == [problem]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1\n", "f:2:1: it is not YAML"),
        ("a: b: c\n", "f:1:5: it is not YAML: mapping values are not allowed"),
        ("a: *x\n", "f:1:4: it is not YAML: found undefined alias"),
        ("a: 1\n---\nb: 2\n", "f:2:1: it is not YAML"),
        ("a:\n\tb: 1\n", "f:2:1: it is not YAML: a tab stands there for indentation; use spaces"),
        ("é: ü\na:\n  b: 1\n  \tc: 1\n", "f:4:3: it is not YAML: a tab stands there"),
        ("a: @b\n", "f:1:4: it is not YAML: while scanning for the next token: found character"),
        ("a: &a [*a]\n", "f:1:4: an alias holds itself"),
        ("a: \x00\n", "it is not YAML"),
    ],
)
def test_what_is_no_yaml_says_where(text: str, message: str) -> None:
    with pytest.raises(ConfigSyntaxError) as caught:
        parse_yaml(text, file="f")

    assert message in str(caught.value)


def test_aliases_that_grow_without_bounds_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 8)]

    with pytest.raises(ConfigSyntaxError, match="too large"):
        parse_yaml("\n".join(lines), file="f")


def test_empty_document_has_no_root() -> None:
    assert parse_yaml("# nothing\n", file="f") == (None, ())


def test_maps_merge_deeply_lists_replace_and_null_takes_away() -> None:
    base, _ = parse_yaml("a: {x: 1, y: [1, 2]}\nb: 1\nc: {d: 1}\n", file="f")
    over, _ = parse_yaml("a: {y: [3], z: 4}\nb:\nc: 5\n", file="g")
    assert base is not None
    assert over is not None

    assert plain(merge(base, over)) == {"a": {"x": 1, "y": [3], "z": 4}, "c": 5}


def test_paths_lead_to_nodes_and_are_written_as_in_messages() -> None:
    node, _ = parse_yaml("a: [{b: 1}]\n", file="f")
    assert isinstance(node, Map)
    new = find(node, ("a", 0, "b"))
    assert new is not None

    assert plain(put(node, ("a", 0), new)) == {"a": [1]}
    assert find(node, ("a", 1)) is None
    assert find(node, ("a", "b")) is None
    assert path_text(("a", 0, "b", "c")) == "a[0].b.c"
    with pytest.raises(LookupError):
        put(new, ("x",), new)
