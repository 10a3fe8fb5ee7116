"""What an error says about a name that nothing has."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

__all__ = ["suggestion"]


def suggestion(name: str, known: Iterable[str], *, otherwise: str | None) -> dict[str, Any]:
    """Return `hint` and `details` of such an error; `otherwise` is the hint when none is close."""
    close = difflib.get_close_matches(name, tuple(known), n=1)
    return {
        "hint": f'did you mean "{close[0]}"?' if close else otherwise,
        "details": {"name": name, "did_you_mean": close[0] if close else None},
    }
