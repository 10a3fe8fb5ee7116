"""What goes wrong with a subgraph's files, one class for each thing a caller would do differently.

GraphError
├─ BuildsBusy (path)
└─ SubgraphBroken (problems)
├─ ManifestInvalid
├─ PlaceholdersUnfilled
├─ BuildFailed (step)
└─ GraftRefused
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from graph_test_daemon.errors import GraphError

from .problems import Problem

__all__ = [
    "BuildFailed",
    "BuildsBusy",
    "GraftRefused",
    "ManifestInvalid",
    "PlaceholdersUnfilled",
    "SubgraphBroken",
]


class BuildsBusy(GraphError):
    """Another process makes the same build, and does not come to an end.

    Attributes:
        path: of the file that it has locked.
    """

    kind = "builds-busy"

    def __init__(self, *, path: str, waited_s: float) -> None:
        self.path = path
        super().__init__(
            f"cannot build: another process has been building the same for {waited_s:g} s",
            hint=f"end the process that has locked {path}",
        )


class SubgraphBroken(GraphError):
    """Something is wrong with a subgraph's files; the message names the place of each.

    Attributes:
        problems: all that stand in the way, by file and place.
    """

    kind = "subgraph-broken"

    def __init__(
        self, what: str, *, directory: str, problems: Sequence[Problem], hint: str | None = None
    ) -> None:
        self.directory = directory
        self.problems = tuple(problems)
        listed = "".join(f"\n  {problem}" for problem in self.problems)
        super().__init__(
            f"cannot {what}{listed}",
            hint=hint,
            details={
                "directory": directory,
                "problems": [asdict(problem) for problem in self.problems],
            },
        )


class ManifestInvalid(SubgraphBroken):
    """A subgraph would not build, or not run on the stack."""

    kind = "manifest-invalid"

    def __init__(self, *, directory: str, problems: Sequence[Problem]) -> None:
        super().__init__(
            f"use the subgraph in {directory}: {_count(problems, 'problem')}",
            directory=directory,
            problems=problems,
        )


class PlaceholdersUnfilled(SubgraphBroken):
    """Placeholders in a subgraph's files have no value."""

    kind = "placeholders-unfilled"

    def __init__(self, *, directory: str, problems: Sequence[Problem]) -> None:
        super().__init__(
            f"fill in the subgraph in {directory}: {_count(problems, 'unknown placeholder')}",
            directory=directory,
            problems=problems,
        )


class BuildFailed(SubgraphBroken):
    """The tools could not build a subgraph.

    Attributes:
        step: `codegen` or `build`.
        output: all that the tool wrote.
    """

    kind = "build-failed"
    facts = ("step", "output")

    def __init__(
        self, *, directory: str, step: str, problems: Sequence[Problem], output: str
    ) -> None:
        self.step = step
        self.output = output
        super().__init__(
            f"build the subgraph in {directory}: gnd {step} failed with "
            f"{_count(problems, 'error')}",
            directory=directory,
            problems=problems,
        )


class GraftRefused(SubgraphBroken):
    """A graft, or one of a chain of them, would fail in graph-node."""

    kind = "graft-refused"

    def __init__(self, *, base: str, problems: Sequence[Problem]) -> None:
        self.base = base
        super().__init__(
            f"graft onto {base}: {_count(problems, 'problem')}", directory="", problems=problems
        )


def _count(problems: Sequence[Problem], what: str) -> str:
    return f"{len(problems)} {what}{'' if len(problems) == 1 else 's'}"
