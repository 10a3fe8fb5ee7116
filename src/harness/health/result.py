"""What one try of a check found, and how text from services is made fit for one line."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CheckResult", "Outcome", "excerpt"]

_EXCERPT_BYTES = 200

Outcome = tuple[bool, str]
"""(passed, message): what a check answers before the runner adds how long it took."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """The outcome of one try; a failed check is a value, not an exception.

    Attributes:
        ok: whether the check passed.
        message: one line for a person, without control characters: `status 200`,
            `connection refused`.
        latency_s: seconds the try took.
    """

    ok: bool
    message: str
    latency_s: float


def excerpt(data: bytes | str, limit: int = _EXCERPT_BYTES) -> str:
    """Return the first `limit` bytes as one printable line; never raises.

    Text from a service may hold anything: newlines would break tables, escapes would reach a
    terminal.
    """
    raw = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
    text = " ".join(raw[:limit].decode("utf-8", "replace").split())
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
