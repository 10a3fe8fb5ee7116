"""Users' patterns: what is found, what is refused, and that no text takes long."""

from __future__ import annotations

import re
import sys

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.patterns import Pattern, PatternError, compile_pattern

# Each takes Python's own engine longer than anybody waits, on forty letters already.
CATASTROPHIC = [r"(a+)+$", r"^(a|a)*$", r"(a|aa)+$", r"(.*a){20}b", r"^(([a-z])+.)+[A-Z]([a-z])+$"]


@pytest.mark.parametrize("text", CATASTROPHIC)
def test_a_pattern_that_backtracking_never_ends_reads_a_megabyte(text: str) -> None:
    assert not compile_pattern(text).is_in("a" * 1_000_000 + "!")
    assert compile_pattern(text).lines_in(b"a" * 1_000_000 + b"!\n") == []
    assert compile_pattern(text).value_in("a" * 1_000_000 + "!") is None


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("ready", "is ready now"),
        (r"^port \d+$", "port 8080"),
        (r"^ok$", "ok\n"),
        (r"(?i)READY", "ready"),
        (r"a.c", "aéc"),
        (r"[äöü]", "grün"),
        (r"^$", ""),
        ("", "anything"),
        (r"a.b", b"a\xffb"),
        (r"\x{2713}", "✓"),
        (r"a{0,3}b", "aab"),
        (r"[{,3}]", "{"),
        (r"\{,3}", "{,3}"),
        (r"^[]{,3}]$", "]"),
        (r"^[^]{,3}]$", "a"),
        (r"^[[:alpha:]{,3}]$", "{"),
        (r"^[\]{,3}]$", "{"),
        (r"^\Q{,3}\E$", "{,3}"),
        (r"\Q[{,3}", "[{,3}"),
        (r"x.y", "x\ud800y"),
    ],
)
def test_what_is_found(pattern: str, text: str | bytes) -> None:
    assert compile_pattern(pattern).is_in(text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [("ready", "read y"), (r"^ok$", "ok\n\n"), (r"^b", "a\nb"), ("a.b", "a\nb"), ("A", "a")],
)
def test_what_is_not_found(pattern: str, text: str) -> None:
    assert not compile_pattern(pattern).is_in(text)


@pytest.mark.parametrize(
    ("pattern", "problem", "hint"),
    [
        ("(", "is no regular expression: missing ): (", None),
        ("*", "is no regular expression: no argument for repetition operator: *", None),
        ("a(?=b)", "uses look-around ((?=)", "search for what is there"),
        ("(?<!a)b", "uses look-around ((?<!)", "search for what is there"),
        (r"(a)\1", r"refers back to one of its groups (\1)", "write what the group matches again"),
        ("(?P<n>a)(?P=n)", "has half a named group, or refers back to one", "(?P<name>x)"),
        ("a++", "has a possessive or atomic part (++)", "write it without"),
        ("a{2}+", "has a possessive or atomic part (", "write it without"),
        ("(?>a)", "has a possessive or atomic part ((?>)", "write it without"),
        (r"a\Z", r"has \Z", r"write \z"),
        (r"\u00e9", "has a character by its number or name", r"\x{2713}"),
        ("(a)(?(1)b|c)", "has a condition", "write both cases"),
        ("(?x) a", "has a flag or comment ((?x)", "the flags are"),
        (
            "a{2,1}",
            "repeats something in a way that cannot be ({2,1})",
            "smaller number comes first",
        ),
        ("a{1001}", "repeats something in a way that cannot be ({1001})", "1000 is"),
        ("((a{100}){100}){100}", "repeats something in a way that cannot be", "1000 is"),
        (r"(?:\pL{30}){30}", "is too large", "less often"),
        ("a{,3}", "has {,3}, which would be searched as text", "write {0,3}"),
        ("[[:]{,3}", "has {,3}, which would be searched as text", "write {0,3}"),
        (r"\Qa\E{,3}", "has {,3}, which would be searched as text", "write {0,3}"),
        (r"\\{,3}", "has {,3}, which would be searched as text", "write {0,3}"),
        ("\udcff", "is no text in UTF-8", None),
    ],
)
def test_what_is_refused_says_why_and_what_to_write(
    pattern: str, problem: str, hint: str | None
) -> None:
    with pytest.raises(PatternError) as caught:
        compile_pattern(pattern)
    assert str(caught.value).startswith(problem)
    if hint is None:
        assert caught.value.hint is None
    else:
        assert hint in str(caught.value.hint)


@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        (r"block (\d+)", "12"),
        (r"^block \d+$", "block 12"),
        (r"(\w+) (?P<number>\d+)", "block"),
        (r"(x)?block", ""),
        (r"state (.+)", "bereit ✓"),
        (r"nothing", None),
    ],
)
def test_a_value_is_the_first_group_or_all_of_the_first_match(
    pattern: str, value: str | None
) -> None:
    text = "begun\nblock 12\nstate bereit ✓\nblock 13\n"
    assert compile_pattern(pattern).value_in(text) == value


LINES = b"one\n\ntwo three\nthree\xff\n\xc3\xa9 four\n"


@pytest.mark.parametrize(
    "pattern", ["three", "^three", "", "^$", "e$", r"\Aone", r"e\z", "(?-m)^t", "é", r"e.?$", r"\s"]
)
@pytest.mark.parametrize("text", [LINES, LINES[:14], b"\n", b"one"])
def test_lines_found_at_once_are_those_found_one_by_one(pattern: str, text: bytes) -> None:
    compiled = compile_pattern(pattern)
    lines = text.removesuffix(b"\n").split(b"\n")
    assert compiled.lines_in(text) == [line for line in lines if compiled.is_in(line)]


@given(
    pattern=st.lists(
        st.sampled_from(
            ["a", "b", ".", r"\s", "[^a]", "^", "$", "(a|b)*", "b?", r"\b", "é", "(?s)"]
        ),
        max_size=5,
    ).map("".join),
    lines=st.lists(st.text(alphabet="ab é", max_size=4), min_size=1, max_size=6),
)
def test_any_pattern_finds_the_same_lines_at_once_as_one_by_one(
    pattern: str, lines: list[str]
) -> None:
    compiled = compile_pattern(pattern)
    wanted = [line.encode() for line in lines if compiled.is_in(line)]
    assert compiled.lines_in("".join(f"{line}\n" for line in lines).encode()) == wanted


@given(
    pattern=st.lists(
        st.sampled_from(["a", "b", ".", r"\s", "[^a]", "^", "(?:a|b)", r"\b", "b+"]), max_size=4
    ).map("".join),
    end=st.sampled_from(["", "$"]),
    text=st.text(alphabet="ab \n", max_size=8),
)
def test_what_is_found_is_what_the_standard_library_finds(
    pattern: str, end: str, text: str
) -> None:
    found = re.search(pattern + end, text) is not None
    assert compile_pattern(pattern + end).is_in(text) == found


async def test_a_costly_search_leaves_the_event_loop_to_others() -> None:
    pattern = compile_pattern(r"[ab]*a[ab]{50}c")
    text = "ab" * 5_000
    assert pattern.is_costly(text)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await anyio.lowlevel.checkpoint()
            turns += 1

    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(others)
            await anyio.lowlevel.checkpoint()
            began = turns
            assert not await pattern.is_found(text)
            assert turns > began
            tasks.cancel_scope.cancel()


def test_an_ordinary_search_in_an_ordinary_line_is_not_costly() -> None:
    pattern = compile_pattern(r"(?i)server (started|ready) on port \d+")
    assert not pattern.is_costly("x" * 500)


async def test_the_engine_is_imported_with_the_first_pattern_and_no_sooner() -> None:
    code = (
        "import sys, harness.patterns as p, harness.health, harness.logs, harness.config;"
        "print('re2' in sys.modules); p.compile_pattern('a'); print('re2' in sys.modules)"
    )
    result = await anyio.run_process([sys.executable, "-c", code])
    assert result.stdout.split() == [b"False", b"True"]


def test_a_pattern_keeps_what_the_user_wrote() -> None:
    assert isinstance(compile_pattern("a b"), Pattern)
    assert compile_pattern("a b").text == "a b"
