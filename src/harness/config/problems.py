"""Everything wrong with a stack, collected so that one run reports all of it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from harness import suggestions
from harness.errors import (
    ConfigError,
    ConfigSchemaError,
    ConfigSyntaxError,
    DependencyCycle,
    Problem,
    UnresolvedReference,
)

from .nodes import Entry, Map, Mark, Node, Path, find, path_text

__all__ = ["Problems", "Site", "did_you_mean"]


# What the same thing is called in other tools' files.
_ELSEWHERE = {
    "args": "command",
    "cmd": "command",
    "cwd": "working_dir",
    "entrypoint": "command",
    "environment": "env",
    "needs": "depends_on",
    "probes": "health_check",
    "requires": "depends_on",
    "ulimits": "limits",
    "vars": "variables",
    "working_directory": "working_dir",
}


def did_you_mean(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """Return a hint that names what other tools' word is here, else as `suggestions` has it."""
    names = list(known)
    match = _ELSEWHERE.get(name.lower())
    if match in names:
        return f'did you mean "{match}"?'
    return suggestions.did_you_mean(name, names, cutoff=cutoff)


class Problems:
    """Collects problems and warnings; the same one twice counts once.

    Attributes:
        cycle: units that wait for one another, as in `DependencyCycle`, if that is a problem.
    """

    def __init__(self, directory: str) -> None:
        self._directory = directory.rstrip(os.sep) + os.sep
        self._problems: dict[Problem, None] = {}
        self._warnings: dict[Problem, None] = {}
        self.cycle: tuple[str, ...] = ()

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems, ordered by file and place; files in the order they turned up."""
        return _ordered(self._problems)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The warnings, ordered likewise."""
        return _ordered(self._warnings)

    @property
    def count(self) -> int:
        """How many problems there are so far, warnings apart."""
        return len(self._problems)

    def add(
        self,
        mark: Mark,
        path: Path,
        kind: str,
        message: str,
        hint: str | None = None,
        *,
        warning: bool = False,
    ) -> None:
        """Note one problem."""
        problem = Problem(
            file=self.shown(mark.file), line=mark.line, column=mark.column, path=path_text(path),
            kind=kind, message=message, hint=hint,
        )  # fmt: skip
        (self._warnings if warning else self._problems)[problem] = None

    def extend(self, problems: Iterable[Problem]) -> None:
        """Note problems found elsewhere."""
        for problem in problems:
            self.add(
                Mark(file=problem.file, line=problem.line, column=problem.column),
                (problem.path,) if problem.path else (),
                problem.kind, problem.message, problem.hint,
            )  # fmt: skip

    def raise_if_any(self) -> None:
        """Raise the problems as one error.

        Raises:
            ConfigSyntaxError: all of them say that a file cannot be read or is not YAML.
            UnresolvedReference: all of them are references without a value.
            DependencyCycle: units wait for one another, and that is all.
            ConfigSchemaError: otherwise.
        """
        errors = self.errors
        if not errors:
            return
        kinds = {problem.kind for problem in errors}
        if kinds == {DependencyCycle.kind}:
            raise DependencyCycle(cycle=self.cycle, problems=errors)
        error: type[ConfigError] = ConfigSchemaError
        for candidate in (ConfigSyntaxError, UnresolvedReference):
            if kinds == {candidate.kind}:
                error = candidate
        raise error(problems=errors)

    def shown(self, file: str) -> str:
        """Return a file as messages name it."""
        return file.removeprefix(self._directory)


def _ordered(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    listed = list(problems)
    files = list(dict.fromkeys(problem.file for problem in listed))
    return tuple(sorted(listed, key=lambda p: (files.index(p.file), p.line, p.column)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A place in the stack to report about: the stack's tree and a path in it.

    `mark` says where in the file that is, if the tree does not. `renamed` has the keys below that
    the tree calls otherwise, with what it calls them.
    """

    problems: Problems
    root: Map
    path: Path = ()
    mark: Mark | None = None
    renamed: Mapping[str | int, str] = field(default_factory=dict)

    def at(self, *steps: str | int) -> Site:
        """Return the place below."""
        below = [*(self.renamed.get(step, step) for step in steps[:1]), *steps[1:]]
        return Site(problems=self.problems, root=self.root, path=(*self.path, *below))

    def within(self, mark: Mark) -> Site:
        """Return a place inside the value, for which problems are shown at `mark`."""
        return replace(self, mark=mark)

    @property
    def node(self) -> Node | None:
        """What stands there, or None."""
        return find(self.root, self.path)

    def report(self, kind: str, message: str, hint: str | None = None) -> None:
        """Note a problem with the value."""
        self.problems.add(self._mark(), self.path, kind, message, hint)

    def report_key(self, kind: str, message: str, hint: str | None = None) -> None:
        """Note a problem with the key."""
        self.problems.add(self._key_mark(), self.path, kind, message, hint)

    def warn(self, kind: str, message: str, hint: str | None = None) -> None:
        """Note a warning about the value."""
        self.problems.add(self._mark(), self.path, kind, message, hint, warning=True)

    def _mark(self) -> Mark:
        if self.mark is not None:
            return self.mark
        nodes = (find(self.root, self.path[:end]) for end in range(len(self.path), 0, -1))
        return next((node.mark for node in nodes if node is not None), self.root.mark)

    def _key_mark(self) -> Mark:
        parent = find(self.root, self.path[:-1]) if self.path else None
        entry: Entry | None = None
        if isinstance(parent, Map):
            entry = parent.entries.get(str(self.path[-1]))
        return self._mark() if entry is None else entry.key
