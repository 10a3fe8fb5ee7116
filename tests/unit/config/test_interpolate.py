"""The `${…}` language."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.config import (
    InterpolationSyntaxError,
    Reference,
    Variable,
    references,
    resolve,
    resolve_text,
    split_words,
    unresolved,
)
from harness.config.grammar import Part, parse
from harness.errors import UnresolvedReference
from tests.unit.config.stacks import CALM


class Table:
    """A lookup over two mappings that remembers what it was asked."""

    def __init__(
        self, variables: Mapping[str, str] | None = None, known: Mapping[str, str] | None = None
    ) -> None:
        self._variables = variables or {}
        self._known = known or {}
        self.asked: list[str] = []

    def variable(self, name: str) -> str | None:
        self.asked.append(name)
        return self._variables.get(name)

    def reference(self, path: tuple[str, ...]) -> str:
        whole = ".".join(path)
        if whole not in self._known:
            raise unresolved(f'service "{path[0]}" has no {path[-1]}: it is not started')
        return self._known[whole]


SET = Table({"SET": "value", "EMPTY": "", "_x1": "x", "lower": "l"}, {"my-db.port": "5432"})


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("plain", "plain"),
        ("${SET}", "value"),
        ("a${SET}b${lower}${_x1}", "avalueblx"),
        ("${EMPTY}", ""),
        ("${SET:-d}", "value"),
        ("${EMPTY:-d}", "d"),
        ("${EMPTY-d}", ""),
        ("${UNSET:-d}", "d"),
        ("${UNSET-d}", "d"),
        ("${UNSET:-}", ""),
        ("${SET:+alt}", "alt"),
        ("${EMPTY:+alt}", ""),
        ("${EMPTY+alt}", "alt"),
        ("${UNSET:+alt}", ""),
        ("${UNSET+alt}", ""),
        ("${SET:?no}", "value"),
        ("${EMPTY?no}", ""),
        ("${UNSET:-${EMPTY:-${SET}}}", "value"),
        ("${UNSET:-a ${SET} b}c", "a value bc"),
        ("${UNSET:-${my-db.port}}", "5432"),
        ("${API_HOST:-0.0.0.0}", "0.0.0.0"),
        ("${HOST-example.com}", "example.com"),
        ("${my-db.port}", "5432"),
        ("$$", "$"),
        ("$${SET}", "${SET}"),
        ("$$$${SET}", "$${SET}"),
        ("$$${SET}", "$value"),
        ("${UNSET:-$$5}", "$5"),
        ("$SET $", "$SET $"),
        ("a } b", "a } b"),
        ('${UNSET:-{"a":1}}', '{"a":1}'),
    ],
)
def test_text_resolves_as_in_a_posix_shell(text: str, result: str) -> None:
    assert resolve_text(text, SET) == result


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${UNSET}", "the variable UNSET is not set; set it, or write ${UNSET:-default}"),
        ("${UNSET:?}", "the variable UNSET is not set"),
        ("${UNSET?set UNSET please}", "set UNSET please"),
        ("${EMPTY:?give ${SET}}", "EMPTY: give value"),
        ("${api.port}", 'service "api" has no port: it is not started'),
        ("${", '"${" holds no name'),
        ("${SET", '"${SET" has no closing }'),
        ("${SET:-a", '"${SET:-a" has no closing }'),
        ("${}", '"${}" holds no name'),
        ("${9}", '"${9}" holds no name'),
        ("${SET%x}", '"${SET%x}" has "%" after its name'),
        ("${SET }", '"${SET }" has " " after its name'),
        ("${db.}", '"${db.}" has "." after its name'),
    ],
)
def test_what_cannot_be_resolved_says_why(text: str, message: str) -> None:
    with pytest.raises(UnresolvedReference) as caught:
        resolve_text(text, SET)

    assert str(caught.value).startswith(f"cannot resolve every reference: {message}")


def test_everything_missing_is_reported_at_once_and_once() -> None:
    with pytest.raises(UnresolvedReference) as caught:
        resolve(("${A} ${B}", {"k": "${api.port}"}, "${A}"), SET)

    assert [problem.message for problem in caught.value.problems] == [
        "the variable A is not set",
        "the variable B is not set",
        'service "api" has no port: it is not started',
    ]


def test_a_word_that_is_not_needed_is_not_looked_at() -> None:
    lookup = Table({"SET": "value"})

    assert resolve_text("${SET:-${A}} ${B:+${C}}", lookup) == "value "
    assert lookup.asked == ["SET", "B"]


def test_a_value_is_not_resolved_again() -> None:
    assert resolve_text("${A}", Table({"A": "${B} $$"})) == "${B} $$"


class Colour(StrEnum):
    RED = "${SET}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    text: str
    number: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Outer:
    inner: Inner
    items: tuple[Inner, ...] = ()
    texts: list[str] = field(default_factory=list)
    mapping: Mapping[str, str] = field(default_factory=dict)
    path: Path = Path()
    colour: Colour = Colour.RED
    nothing: None = None


def test_every_string_in_nested_data_is_resolved_and_types_stay() -> None:
    outer = Outer(
        inner=Inner(text="${SET}"),
        items=(Inner(text="same"), Inner(text="$$")),
        texts=["${SET}"],
        mapping={"${SET}": "${SET}"},
        path=Path("/a/${SET}"),
    )

    assert resolve(outer, SET) == Outer(
        inner=Inner(text="value"),
        items=(Inner(text="same"), Inner(text="$")),
        texts=["value"],
        mapping={"${SET}": "value"},
        path=Path("/a/value"),
    )


def test_data_without_substitution_is_returned_itself() -> None:
    outer = Outer(inner=Inner(text="a"), items=(Inner(text="b"),), mapping={"k": "v"})

    assert resolve(outer, SET) is outer


def test_texts_of_secrets_are_collected() -> None:
    lookup = Table({"A": "a"}, {"secrets.pw": "hunter2", "db.port": "1"})
    used: set[str] = set()

    assert resolve({"x": "${A}:${secrets.pw}@${db.port}"}, lookup, secrets=used) == {
        "x": "a:hunter2@1"
    }
    assert used == {"hunter2"}
    used.clear()
    assert resolve_text("${secrets.pw}", lookup, secrets=used) == "hunter2"
    assert used == {"hunter2"}


def test_references_are_listed_in_order_with_those_inside_words() -> None:
    found = references("${A:-${db.port}} $$ ${tasks.seed.outputs.block} ${B}")

    assert [item.name if isinstance(item, Variable) else item.path for item in found] == [
        "A",
        ("db", "port"),
        ("tasks", "seed", "outputs", "block"),
        "B",
    ]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("${db.ip}", ("db", "ip")),
        ("${db.prt}", ("db", "prt")),
        ("${my-db-1.urls.http}", ("my-db-1", "urls", "http")),
        ("${my-db.ports.53/udp}", ("my-db", "ports", "53/udp")),
        ("${my-task.container}", ("my-task", "container")),
        ("${tasks.a-b.outputs.c.d}", ("tasks", "a-b", "outputs", "c", "d")),
        ("${secrets.api-key}", ("secrets", "api-key")),
        ("${project.name}", ("project", "name")),
    ],
)
def test_bare_dotted_name_is_a_reference(text: str, path: tuple[str, ...]) -> None:
    assert references(text) == (Reference(path=path),)


def test_references_of_malformed_text_are_refused() -> None:
    with pytest.raises(InterpolationSyntaxError, match="no closing"):
        references("${A")


# ── round trips ──────────────────────────────────────────────────────────────────────────────────

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
unit_names = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,8}", fullmatch=True)
literals = st.text(st.characters(exclude_characters="}", codec="utf-8"), min_size=1)


def variables(parts: st.SearchStrategy[Part]) -> st.SearchStrategy[Part]:
    words = st.lists(parts, max_size=3).map(joined)
    operators = st.sampled_from([":-", "-", ":?", "?", ":+", "+"])
    with_word = st.builds(Variable, name=names, operator=operators, word=words)
    return with_word | st.builds(Variable, name=names)


def joined(parts: list[Part]) -> tuple[Part, ...]:
    """Join neighbouring literals, as the parser does."""
    result: list[Part] = []
    for part in parts:
        if isinstance(part, str) and result and isinstance(result[-1], str):
            result[-1] += part
        else:
            result.append(part)
    return tuple(result)


reference_parts = st.builds(
    lambda name, rest: Reference(path=(name, *rest)),
    unit_names,
    st.sampled_from([("ip",), ("port",), ("ports", "http"), ("urls", "a-b"), ("url",)]),
)
all_parts: st.SearchStrategy[Part] = st.recursive(literals | reference_parts, variables)


def written(part: Part) -> str:
    if isinstance(part, str):
        return part.replace("$", "$$")
    if isinstance(part, Reference):
        return f"${{{'.'.join(part.path)}}}"
    return f"${{{part.name}{part.operator}{''.join(map(written, part.word))}}}"


def is_ambiguous(part: Part) -> bool:
    """`${a-b.port}` is a reference, however it was meant."""
    if not isinstance(part, Variable):
        return False
    return part.operator == "-" or any(is_ambiguous(inner) for inner in part.word)


@CALM
@given(st.lists(all_parts, max_size=4).map(joined))
def test_what_is_written_parses_to_what_was_meant(parts: tuple[Part, ...]) -> None:
    if not any(is_ambiguous(part) for part in parts):
        assert parse("".join(map(written, parts))) == parts


@CALM
@given(st.text())
def test_escaped_text_resolves_to_itself(text: str) -> None:
    assert resolve_text(text.replace("$", "$$"), Table()) == text


@CALM
@given(st.text(alphabet="${}:-?+.aB "))
def test_any_text_parses_or_is_refused(text: str) -> None:
    with contextlib.suppress(InterpolationSyntaxError):
        assert all(parse(text))


# ── words ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a b  c", ("a", "b", "c")),
        ("a 'b c' \"d e\" f\\ g", ("a", "b c", "d e", "f g")),
        ("a ${X:-b c} ${Y}d", ("a", "${X:-b c}", "${Y}d")),
        ("a \"${X} b\" '${Z}'", ("a", "${X} b", "${Z}")),
        ("a $$b # c", ("a", "$$b", "#", "c")),
        ("", ()),
    ],
)
def test_command_line_is_split_as_a_shell_would(text: str, words: tuple[str, ...]) -> None:
    assert split_words(text) == words


def test_open_quotation_mark_is_refused() -> None:
    with pytest.raises(ValueError, match="closing quotation"):
        split_words("a 'b")
