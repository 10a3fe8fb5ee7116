"""Places in JSON values, and the patterns that name them."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph_test_daemon.tracking.errors import RecordInvalid
from graph_test_daemon.tracking.paths import ById, Path, Pattern, path_text

BALANCE: Path = ("tokens", 3, "balance")
BY_ID: Path = ("tokens", ById("0x1"), "balance")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), "$"),
        (BALANCE, "tokens[3].balance"),
        (BY_ID, "tokens[id=0x1].balance"),
        ((0, 1), "[0][1]"),
        (("a.b", "c"), '["a.b"].c'),
        (("a", ""), 'a[""]'),
        ((ById("a]b"), "c"), '[id="a]b"].c'),
    ],
)
def test_paths_as_users_read_them(path: Path, text: str) -> None:
    assert path_text(path) == text


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("tokens[3].balance", BALANCE),
        ("tokens[*].balance", BALANCE),
        ("tokens[*].balance", BY_ID),
        ("tokens.balance", BALANCE),
        ("tokens[id=0x1].balance", BY_ID),
        ("*.balance", BALANCE),
        ("**.balance", BALANCE),
        ("**.balance", ("balance",)),
        ("balance", BALANCE),
        ("_meta", ("_meta",)),
        ("_meta", ("a", "b", "_meta")),
        ("$._meta", ("_meta",)),
        ("a.**.c", ("a", "b", 1, "b", "c")),
        ("a.**.c", ("a", "c")),
        ("tokens.*", BALANCE),
        ("tokens[3]", ("tokens", 3)),
        ('["a.b"].c', ("a.b", "c")),
        ('$["a"]', ("a",)),
        ("[0].a", (0, "a")),
    ],
)
def test_what_a_pattern_names(pattern: str, path: Path) -> None:
    assert Pattern.read(pattern).matches(path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("tokens[2].balance", BALANCE),
        ("tokens[id=0x2].balance", BY_ID),
        ("tokens", BALANCE),  # what is below is ignored with it, but is another place
        ("*.balance", ("balance",)),
        ("*.balance", ("a", "b", "balance")),
        ("$._meta", ("a", "_meta")),
        ("balances", BALANCE),
        ("tokens[3]", ("tokens", 4)),
        ("balance", ()),
        ("*", ()),
    ],
)
def test_what_a_pattern_does_not_name(pattern: str, path: Path) -> None:
    assert not Pattern.read(pattern).matches(path)


@pytest.mark.parametrize(
    "text", ["", "$", ".", ".a", "a.", "a..b", "a[", "a[]", "a[-1]", "a b", "a[id=]", "***", "$a"]
)
def test_what_is_no_path_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(RecordInvalid, match="cannot read the path") as caught:
        Pattern.read(text)
    assert caught.value.hint is not None


STEPS = st.one_of(st.text(max_size=5), st.integers(0, 99), st.builds(ById, st.text(min_size=1)))


@given(st.lists(STEPS, min_size=1, max_size=5).map(tuple))
def test_a_path_as_it_is_shown_is_a_pattern_that_names_it(path: Path) -> None:
    text = path_text(path)
    pattern = Pattern.read(text if text.startswith("[") else f"$.{text}")
    assert pattern.matches(path)


@given(st.text(max_size=30))
def test_any_text_is_a_path_or_refused(text: str) -> None:
    with suppress(RecordInvalid):
        Pattern.read(text)
