"""The front door: a source in, a stack out, or everything that is wrong with it.

pydantic and the YAML parser are imported by the functions, so that importing this costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from harness.errors import Problem
from harness.model import StackSpec

from .source import Source
from .types import FindTypes, Types

__all__ = ["Report", "load", "prepare", "schema", "show", "validate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What `validate` found, each in the order of the files.

    Attributes:
        problems: why the stack cannot be used; empty: it can.
        warnings: what is allowed, and probably not meant.
        stack: the stack, when there are no problems.
    """

    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...] = ()
    stack: StackSpec | None = None


def load(
    source: Source, *, executors: Mapping[str, type], find: FindTypes | None = None
) -> StackSpec:
    """Read a stack.

    Args:
        source: files, directory, project, profiles and environment.
        executors: executor name → dataclass of its options, for every built-in type of unit.
        find: finds the types of others, when the stack names one that is not built in.

    Raises:
        ConfigSyntaxError: a file is missing, unreadable or not YAML.
        UnresolvedReference: nothing is wrong but `${…}` without a value.
        DependencyCycle: nothing is wrong but that units wait for one another.
        ConfigSchemaError: anything else; `problems` holds all of it.
    """
    from .build import build

    built = build(source, Types(executors, find))
    built.problems.raise_if_any()
    assert built.stack is not None  # noqa: S101 - without problems there is a stack
    return built.stack


def prepare(executors: Mapping[str, type]) -> None:
    """Load now what the reading of the first stack would wait for, a few tenths of a second.

    Args:
        executors: as for `load`.
    """
    from .build import prepare

    prepare(executors)


def validate(
    source: Source, *, executors: Mapping[str, type], find: FindTypes | None = None
) -> Report:
    """Read a stack and return what is wrong and what is doubtful instead of raising.

    Other than by `load`, names of service types and task types are checked, too.
    """
    from .build import build

    built = build(source, Types(executors, find, with_typed=find is not None))
    problems = built.problems.errors
    return Report(
        problems=problems,
        warnings=built.problems.warnings,
        stack=None if problems else built.stack,
    )


def show(source: Source, *, executors: Mapping[str, type], find: FindTypes | None = None) -> str:
    """Return the stack as one resolved YAML file, without anything that should stay private.

    Includes, overrides, templates and profiles are applied, variables of the stack are filled in.
    Values from the environment, env files and secrets are masked, and so are literal ones whose
    names say that they are secret. References to units stay: they have no value yet.

    Raises:
        ConfigError: as `load`.
    """
    from .resolved import show as show_built

    return show_built(source, Types(executors, find))


def schema(
    executors: Mapping[str, type], *, checks: Mapping[str, type] = MappingProxyType({})
) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a stack file, for editors.

    Args:
        executors: executor name → dataclass of its options, for every type of unit.
        checks: name of a health check that a plugin brings → dataclass of its options.
    """
    from .schema_json import stack_schema

    return stack_schema(executors, checks)
