from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.daemon.methods.logs import pieces


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(min_value=0, max_value=150_000), max_size=6), st.booleans())
def test_pieces_join_to_the_text_and_end_at_newlines_where_they_can(lengths, unfinished):
    text = b"\n".join(b"x" * length for length in lengths) + (b"" if unfinished else b"\n")
    found = list(pieces(text))
    assert b"".join(found) == text
    for piece in found[:-1]:
        assert len(piece) <= 64 * 1024
        assert piece.endswith(b"\n") or b"\n" not in piece
