"""What is used of rlp, which has no types of its own."""

from collections.abc import Sequence

def encode(obj: Sequence[bytes]) -> bytes: ...
