"""What is said of a name that nothing has."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["did_you_mean"]


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """Return a hint that names the nearest known name, else lists the known ones, if any."""
    names = list(known)
    lowered = {candidate.lower(): candidate for candidate in names}
    if close := difflib.get_close_matches(name.lower(), lowered, n=1):
        return f'did you mean "{lowered[close[0]]}"?'
    return f"known: {', '.join(names)}" if names else None
