"""The tree of errors: complete, drawn, and worded the same way everywhere."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from itertools import pairwise

import pytest

import harness.errors
from harness.errors import (
    CommandFailed,
    ConfigSchemaError,
    DependencyCycle,
    ExecutorError,
    HarnessError,
    NotSupported,
    Problem,
    RemoteFailure,
    ServiceNotFound,
    StartFailed,
    StopFailed,
    UnknownService,
    UnknownTask,
    UnresolvedReference,
)


def subclasses(of: type[HarnessError]) -> Iterator[type[HarnessError]]:
    for found in of.__subclasses__():
        if found.__module__.startswith(harness.errors.__name__):
            yield found
            yield from subclasses(found)


PUBLIC: list[type[HarnessError]] = [
    HarnessError,
    *(e for e in subclasses(HarnessError) if not e.__name__.startswith("_")),
]


def test_every_error_has_a_kind_of_its_own() -> None:
    kinds = [error.kind for error in PUBLIC]
    assert len(set(kinds)) == len(kinds)
    assert all("kind" in vars(error) for error in PUBLIC)


@pytest.mark.parametrize("error", PUBLIC)
def test_a_kind_is_kebab_case(error: type[HarnessError]) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", error.kind)


def test_every_error_is_exported_and_nothing_else_is() -> None:
    names = {error.__name__ for error in PUBLIC} | {"Problem"}
    assert set(harness.errors.__all__) == names


@pytest.mark.parametrize("error", PUBLIC)
def test_an_error_is_exported_by_its_module(error: type[HarnessError]) -> None:
    assert error.__name__ in importlib.import_module(error.__module__).__all__


def drawing() -> list[str]:
    """Return the lines below the root of the tree in the module's docstring."""
    tree = (harness.errors.__doc__ or "").split("HarnessError\n")[1].split("\n\n")[0]
    return tree.splitlines()


def drawn() -> dict[str, str]:
    """Return error → its parent, as the drawing in the module's docstring says."""
    parents, parent = {}, ""
    for line in drawing():
        names = re.findall(r"[A-Z]\w+", line)
        if re.match(r"\s*[├└]─", line):
            parent = names.pop(0)
            parents[parent] = "HarnessError"
        parents.update(dict.fromkeys(names, parent))
        parents.update({inner: outer for outer, inner in re.findall(r"(\w+) \((\w+)\)", line)})
    return parents


def test_every_error_is_drawn_where_it_belongs() -> None:
    def parent(error: type[HarnessError]) -> str:
        return next(
            base.__name__
            for base in error.__mro__[1:]
            if base in PUBLIC and issubclass(base, HarnessError)
        )

    assert drawn() == {e.__name__: parent(e) for e in PUBLIC if e is not HarnessError}


def test_whatever_goes_on_in_the_next_line_of_the_drawing_says_so() -> None:
    for line, following in pairwise(drawing()):
        assert line.endswith(" ·") == (following.lstrip()[0] == "│"), line


ONE_PROBLEM = """cannot use the stack file: 1 problem
h.yaml:3:5: services.db: unknown key; did you mean "x"?"""
TWO_PROBLEMS = """cannot use the stack file: 2 problems
h.yaml:3:5: unknown key
h.yaml:3:5: services.db: unknown key"""


def problem(**more) -> Problem:
    facts = {"file": "h.yaml", "line": 3, "column": 5, "path": "services.db", "kind": "unknown-key"}
    return Problem(**{**facts, "message": "unknown key", **more})


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            ConfigSchemaError(problems=[problem(hint='did you mean "x"?')]),
            ONE_PROBLEM,
        ),
        (
            ConfigSchemaError(problems=[problem(path=""), problem()]),
            TWO_PROBLEMS,
        ),
        (
            ConfigSchemaError(problems=[problem(line=0, path="--profile", message="no such one")]),
            "cannot use the stack file: 1 problem\n--profile: no such one",
        ),
        (
            UnresolvedReference(problems=[problem(line=0, path="", message="${a.b} has none")]),
            "cannot resolve every reference: ${a.b} has none",
        ),
        (
            DependencyCycle(cycle=["a", "b", "a"]),
            "cannot order the stack: units wait for one another: a → b → a",
        ),
        (CommandFailed(command="ls x", cause="exit status 2"), "cannot run `ls x`: exit status 2"),
        (
            CommandFailed(command="ls", cause="exit status 2", place="node1"),
            "cannot run `ls` on node1: exit status 2",
        ),
        (
            StartFailed(service="db", executor="process", cause="no such file"),
            'cannot start "db": no such file',
        ),
        (StopFailed(service="db", executor="fake", cause="alive"), 'cannot stop "db": alive'),
        (
            NotSupported(service="db", executor="external", capability="exec"),
            'cannot handle "db": services of type external do not support exec',
        ),
    ],
)
def test_a_message_names_the_object_and_ends_with_the_cause(error: HarnessError, text: str) -> None:
    assert str(error) == text


def test_an_unknown_name_suggests_a_close_one() -> None:
    error = UnknownService.of("postgre", ["postgres", "redis"])
    assert error.hint == 'did you mean "postgres"?'
    assert error.details == {"name": "postgre", "did_you_mean": "postgres"}


def test_an_unknown_name_close_to_none_lists_the_known_ones() -> None:
    assert UnknownTask.of("zzz", ["seed", "deploy"]).hint == "known: seed, deploy"
    assert UnknownTask.of("zzz", []).hint is None


def test_not_found_is_a_lookup_error_too() -> None:
    assert issubclass(ServiceNotFound, LookupError)


def test_facts_are_kept_for_whoever_catches() -> None:
    error = StartFailed(service="db", executor="docker", cause="no image", hint="pull it")
    assert isinstance(error, ExecutorError)
    assert (error.service, error.executor, error.cause, error.hint) == (
        "db", "docker", "no image", "pull it",
    )  # fmt: skip
    assert HarnessError("cannot").details == {}
    assert RemoteFailure("cannot", remote_kind="new-kind").remote_kind == "new-kind"
