"""Every word comes back from a shell as it was."""

from __future__ import annotations

import shlex

from hypothesis import given
from hypothesis import strategies as st

from harness.commands import join, quote

WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@given(WORDS)
def test_a_quoted_word_is_read_back_as_itself(word: str) -> None:
    assert shlex.split(quote(word)) == [word]


@given(st.lists(WORDS, min_size=1))
def test_joined_words_are_read_back_as_themselves(words: list[str]) -> None:
    assert shlex.split(join(words)) == words


def test_words_that_a_shell_would_change_are_quoted() -> None:
    assert [quote(word) for word in ("", "#", "~", "*", "a;b")] == [
        "''",
        "'#'",
        "'~'",
        "'*'",
        "'a;b'",
    ]
