"""The root of all errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

__all__ = ["HarnessError"]


class HarnessError(Exception):
    """Root of the tree.

    Attributes:
        kind: stable kebab-case name of what went wrong.
        hint: what the user can do next, or None.
        details: facts for machines; only JSON values, never a secret.
        facts: names of a class's own attributes, texts or tuples of texts; they cross the wire
            among the details.
    """

    kind: ClassVar[str] = "harness-error"
    facts: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.hint = hint
        self.details: Mapping[str, object] = details or {}
