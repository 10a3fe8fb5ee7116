"""What is wrong with a subgraph: where, what, and what to do about it. Data, not exceptions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Problem", "Severity", "failing"]


class Severity(StrEnum):
    """Whether a subgraph can be built and deployed all the same."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong, at one place.

    Attributes:
        message: what is wrong.
        file: in which file, relative to the subgraph's directory where it is inside.
        line: counted from 1; 0: the file as a whole.
        column: counted from 1; 0: the line as a whole.
        hint: what to do about it, or None.
        severity: whether it stands in the way.
    """

    message: str
    file: str
    line: int = 0
    column: int = 0
    hint: str | None = None
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        return f"{place}: {self.message}" + (f" ({self.hint})" if self.hint else "")


def failing(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return those that stand in the way."""
    return tuple(problem for problem in problems if problem.severity is Severity.ERROR)
