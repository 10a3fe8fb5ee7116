"""What goes wrong with what is remembered of a stack.

GraphError
├─ JournalError (cause)    JournalTooNew
├─ RecordInvalid · RecordNotFound · RecordExists
└─ ResultsDiffer (summary)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Self

from graph_test_daemon.errors import GraphError
from harness.suggestions import suggestion

__all__ = [
    "JournalError",
    "JournalTooNew",
    "RecordExists",
    "RecordInvalid",
    "RecordNotFound",
    "ResultsDiffer",
]


class JournalError(GraphError):
    """What is remembered of a stack cannot be read or written.

    Attributes:
        cause: why not.
    """

    kind = "journal-error"
    facts = ("cause",)
    advice: ClassVar[str | None] = None

    def __init__(self, *, what: str, cause: str) -> None:
        self.cause = cause
        super().__init__(f"cannot {what}: {cause}", hint=self.advice, details={"cause": cause})


class JournalTooNew(JournalError):
    """A newer version wrote it."""

    kind = "journal-too-new"
    advice = "use the newer version; nothing was changed"


class RecordInvalid(GraphError):
    """Nothing can be remembered under that name, or named like that."""

    kind = "record-invalid"


class RecordNotFound(GraphError):
    """Nothing of that name is remembered."""

    kind = "record-not-found"

    @classmethod
    def of(cls, what: str, name: str, known: Iterable[str]) -> Self:
        """Make the error for a name, with the closest of the known ones as a suggestion."""
        return cls(
            f'cannot find the {what} "{name}": none of that name is remembered',
            **suggestion(name, known, otherwise=None),
        )


class RecordExists(GraphError):
    """Something of that name is remembered already."""

    kind = "record-exists"


class ResultsDiffer(GraphError):
    """A subgraph answers otherwise than it did.

    Attributes:
        summary: the first differences, a line each.
    """

    kind = "results-differ"
    facts = ("summary",)

    def __init__(self, *, name: str, other: str, count: int, summary: str) -> None:
        self.summary = summary
        places = "one place" if count == 1 else f"{count} places"
        super().__init__(
            f'cannot find "{name}" and {other} equal: they differ in {places}:\n{summary}',
            hint="`ignore` leaves fields out; to keep what is answered now, take the snapshot "
            "again with `replace`",
            details={"name": name, "count": count, "summary": summary},
        )
