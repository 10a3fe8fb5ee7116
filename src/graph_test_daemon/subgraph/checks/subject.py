"""What the checks look at, and how they tell what they found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from graph_test_daemon.subgraph.document import Path
from graph_test_daemon.subgraph.manifest import Manifest
from graph_test_daemon.subgraph.problems import Problem, Severity
from graph_test_daemon.subgraph.schema import Schema
from harness.suggestions import did_you_mean

__all__ = ["REORG_THRESHOLD", "Expectations", "Subject"]

REORG_THRESHOLD = 10
"""Blocks that graph-node's development mode can undo, fixed in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectations:
    """What is known of where a subgraph will run.

    Attributes:
        network: the chain's name as graph-node knows it; None: not known.
        reorgs: blocks will be undone while the subgraph is there.
        lowest_block: the lowest block that the chain will be undone to; None: not known.
        reorg_threshold: blocks that graph-node can undo.
        deployments: id of a deployment that another one may follow or be grafted onto → its
            schema; one that is not listed is not looked into.
    """

    network: str | None = None
    reorgs: bool = False
    lowest_block: int | None = None
    reorg_threshold: int = REORG_THRESHOLD
    deployments: Mapping[str, Schema] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Subject:
    """A subgraph that is looked at; collects what is wrong with it."""

    manifest: Manifest
    expected: Expectations
    texts: Mapping[str, str] = field(default_factory=dict)
    schema: Schema | None = None
    problems: list[Problem] = field(default_factory=list)

    def read(self, file: str) -> str:
        """Return the text of a file of the subgraph.

        Raises:
            OSError: it cannot be read.
            ValueError: it is no UTF-8.
        """
        if (text := self.texts.get(file.removeprefix("./"))) is not None:
            return text
        return (self.manifest.directory / file).read_text("utf-8")

    def error(self, message: str, *path: str | int, hint: str | None = None) -> None:
        """Tell of something in the manifest that stands in the way."""
        self._tell(Severity.ERROR, message, path, hint)

    def warning(self, message: str, *path: str | int, hint: str | None = None) -> None:
        """Tell of something in the manifest that is to be known."""
        self._tell(Severity.WARNING, message, path, hint)

    def unknown(self, message: str, name: str, known: Iterable[str], *path: str | int) -> None:
        """Tell of a name in the manifest that nothing has."""
        self.error(message, *path, hint=did_you_mean(name, known))

    def _tell(self, severity: Severity, message: str, path: Path, hint: str | None) -> None:
        place = self.manifest.place(*path)
        self.problems.append(
            Problem(
                message=message,
                file=self.manifest.document.file,
                line=place.line,
                column=place.column,
                hint=hint,
                severity=severity,
            )
        )
