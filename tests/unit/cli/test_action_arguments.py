from __future__ import annotations

from typing import Any

import click
import pytest

from harness.cli.action_arguments import parse_arguments, shape
from tests.toy_plugin import Daemon, Toy

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "count": {"type": "integer"},
        "ratio": {"type": "number"},
        "text": {"type": "string"},
        "maybe": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "until_block": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "fast": {"type": "boolean"},
        "names": {"type": "array", "items": {"type": "string"}},
        "numbers": {"type": "array", "items": {"type": "integer"}},
        "window": {"$ref": "#/$defs/Window"},
        "step": {"$ref": "#/$defs/Step"},
    },
    "$defs": {
        "Window": {"type": "object", "properties": {"low": {}, "high": {}}},
        "Step": {"type": "string", "enum": ["one", "ten"]},
    },
}


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ([], {}),
        (["--count", "3"], {"count": 3}),
        (["--count=3"], {"count": 3}),
        (["--count", "many"], {"count": "many"}),
        (["--ratio", "-1.5"], {"ratio": -1.5}),
        (["--text", "17"], {"text": "17"}),
        (["--text", "--x"], {"text": "--x"}),
        (["--text="], {"text": ""}),
        (["--text", "null"], {"text": "null"}),
        (["--maybe", "null"], {"maybe": None}),
        (["--maybe", "text"], {"maybe": "text"}),
        (["--until-block", "9"], {"until_block": 9}),
        (["--until_block", "9"], {"until_block": 9}),
        (["--fast"], {"fast": True}),
        (["--no-fast"], {"fast": False}),
        (["--fast=false"], {"fast": False}),
        (["--fast", "--count", "1"], {"fast": True, "count": 1}),
        (["--names", "a", "--names", "b"], {"names": ["a", "b"]}),
        (["--names", '["a", "b"]'], {"names": ["a", "b"]}),
        (["--numbers", "1", "--numbers", "2"], {"numbers": [1, 2]}),
        (["--numbers", "[1, 2]"], {"numbers": [1, 2]}),
        (["--window", '{"low": 1}'], {"window": {"low": 1}}),
        (["--step", "ten"], {"step": "ten"}),
        (['{"count": 1, "text": "x"}'], {"count": 1, "text": "x"}),
        (['{"count": 1}', "--count", "2"], {"count": 2}),
        (['{"other": 1}'], {"other": 1}),
    ],
)
def test_words_become_values_of_the_kinds_that_are_wanted(words, wanted):
    assert parse_arguments(words, SCHEMA, title="it.go") == wanted


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        (["--cuont", "3"], "it.go takes no --cuont; did you mean --count?"),
        (["--x", "3"], "it.go takes no --x; it takes --count, --ratio, --text, --maybe"),
        (["--no-text"], "it.go takes no --no-text"),
        (["--count"], "--count needs a value: integer"),
        (["word"], "'word' is neither an option nor a JSON object; --NAME VALUE gives one$"),
        (["17"], "'17' is neither an option nor a JSON object"),
        (['{"count"'], "is no JSON object: Expecting ':' delimiter"),
        (["[1]"], r"parameters are one JSON object, not '\[1\]'"),
        (["@/no/such/file"], "cannot read /no/such/file: No such file or directory"),
    ],
)
def test_words_that_cannot_be_understood_are_named(words, cause):
    with pytest.raises(click.UsageError, match=cause):
        parse_arguments(words, SCHEMA, title="it.go")


def test_parameters_may_be_in_a_file(tmp_path):
    path = tmp_path / "parameters.json"
    path.write_text('{"count": 4}')
    assert parse_arguments([f"@{path}"], SCHEMA, title="it.go") == {"count": 4}
    path.write_text("count: 4")
    with pytest.raises(click.UsageError, match=r"parameters.json holds no JSON object: Expecting"):
        parse_arguments([f"@{path}"], SCHEMA, title="it.go")
    path.write_bytes(b"\xff")
    with pytest.raises(click.UsageError, match="it is not UTF-8"):
        parse_arguments([f"@{path}"], SCHEMA, title="it.go")


@pytest.mark.parametrize(
    ("required", "advice"),
    [
        (["text"], "did you mean --text 'select 1'?"),
        (["text", "count"], "--NAME VALUE gives one"),
        (["count"], "--NAME VALUE gives one"),
        ([], "--NAME VALUE gives one"),
    ],
)
def test_a_word_by_itself_is_taken_for_the_only_text_that_must_be_given(required, advice):
    schema = {**SCHEMA, "required": required}
    with pytest.raises(click.UsageError) as failure:
        parse_arguments(["select 1"], schema, title="it.go")
    assert str(failure.value.message) == (
        f"'select 1' is neither an option nor a JSON object; {advice}"
    )


def test_an_action_without_parameters_says_so():
    with pytest.raises(click.UsageError, match="it takes no parameters"):
        parse_arguments(["--x", "3"], {"properties": {}}, title="it.go")


def test_a_path_starts_where_the_command_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = {"type": "string", "format": "path"}
    schema = {"properties": {"to": path, "all": {"type": "array", "items": path}}}
    assert parse_arguments(["--to", "a/../b", "--all", "c"], schema, title="it.go") == {
        "to": str(tmp_path / "b"),
        "all": [str(tmp_path / "c")],
    }
    assert parse_arguments(["--to=/x"], schema, title="it.go") == {"to": "/x"}
    assert shape(path, schema) == "path"


def test_shapes_are_a_few_words():
    count = Toy.declared()["count"]
    schema = count.parameters_schema()
    assert shape(schema["properties"]["times"], schema) == "integer"
    assert shape(schema["properties"]["step"], schema) == "one|ten"
    assert shape(count.result_schema(), count.result_schema()) == "{before, now}"
    collect = Toy.declared()["collect"].parameters_schema()
    assert shape(collect["properties"]["names"], collect) == "list of text"
    assert shape(collect["properties"]["extra"], collect) == "object"
    assert shape({"anyOf": [{"type": "string"}, {"type": "null"}]}, {}) == "text or nothing"
    assert shape({"const": 3}, {}) == "3"
    assert shape({}, {}) == "any JSON value"
    assert shape(Daemon.declared()["add"].result_schema(), {}) == "integer"
