"""What an error says about a name that nothing has."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

__all__ = ["did_you_mean", "guess", "nearest", "suggestion"]


def nearest(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """Return the known name that `name` was probably meant to be, or None.

    `cutoff` is how alike they must be: 1 is equal.
    """
    lowered = {candidate.lower(): candidate for candidate in known}
    close = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=cutoff)
    return lowered[close[0]] if close else None


def guess(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """Return a hint that names the nearest known name, or None; `cutoff` is as for `nearest`."""
    close = nearest(name, known, cutoff=cutoff)
    return None if close is None else f'did you mean "{close}"?'


def did_you_mean(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """Return a hint that names the nearest known name, else lists the known ones, if any."""
    names = list(known)
    listed = f"known: {', '.join(names)}" if names else None
    return guess(name, names, cutoff=cutoff) or listed


def suggestion(name: str, known: Iterable[str], *, otherwise: str | None) -> dict[str, Any]:
    """Return `hint` and `details` of such an error; `otherwise` is the hint when none is close."""
    close = nearest(name, known)
    return {
        "hint": f'did you mean "{close}"?' if close else otherwise,
        "details": {"name": name, "did_you_mean": close},
    }
