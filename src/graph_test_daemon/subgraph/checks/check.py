"""Runs all checks and returns all that they found, in the order of the files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from graph_test_daemon.subgraph.errors import ManifestInvalid
from graph_test_daemon.subgraph.manifest import MANIFEST, Manifest, read_manifest
from graph_test_daemon.subgraph.problems import Problem, failing
from graph_test_daemon.subgraph.schema import Schema

from .entities import check_schema
from .following import check_following
from .handlers import check_handlers
from .structure import check_structure
from .subject import Expectations, Subject

__all__ = ["CheckedSubgraph", "check_manifest", "require_sound"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedSubgraph:
    """A subgraph that was looked at.

    Attributes:
        manifest: None where it could not be read.
        schema: None where it could not be read.
        problems: all that was found, by file and place.
    """

    manifest: Manifest | None
    schema: Schema | None
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """What stands in the way."""
        return failing(self.problems)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What is to be known besides."""
        return tuple(problem for problem in self.problems if problem not in self.errors)


def check_manifest(
    directory: Path,
    *,
    name: str = MANIFEST,
    expected: Expectations | None = None,
    texts: Mapping[str, str] | None = None,
) -> CheckedSubgraph:
    """Look at a subgraph's manifest and the files that it names; nothing is changed or started.

    Args:
        directory: that holds the manifest.
        name: of the manifest.
        expected: what is known of where it will run.
        texts: path relative to the directory → what to read in place of the file.
    """
    texts = texts or {}
    manifest = read_manifest(directory, name, text=texts.get(name))
    if isinstance(manifest, Problem):
        return CheckedSubgraph(manifest=None, schema=None, problems=(manifest,))
    subject = Subject(manifest=manifest, expected=expected or Expectations(), texts=texts)
    for check in (check_structure, check_schema, check_following, check_handlers):
        check(subject)
    problems = sorted(dict.fromkeys(subject.problems), key=_order(manifest))
    return CheckedSubgraph(manifest=manifest, schema=subject.schema, problems=tuple(problems))


def require_sound(checked: CheckedSubgraph, directory: Path) -> Manifest:
    """Return the manifest of a subgraph that nothing stands in the way of.

    Raises:
        ManifestInvalid: something does; it names all of it.
    """
    if checked.errors or checked.manifest is None:
        raise ManifestInvalid(directory=str(directory), problems=checked.errors)
    return checked.manifest


def _order(manifest: Manifest) -> Callable[[Problem], tuple[bool, str, int, int]]:
    first = manifest.document.file
    return lambda each: (each.file != first, each.file, each.line, each.column)
