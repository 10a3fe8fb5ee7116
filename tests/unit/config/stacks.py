"""Stacks for tests: options like those of real executors, and ways to load and show results."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings

from harness.config import Report, Source, load, validate
from harness.executors import TypedOptions
from harness.model import ServiceSpec, StackSpec, TaskSpec, UnitSpec


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ProcessOptions:
    """What to run."""

    command: tuple[str, ...] | str | None = None
    """Program and arguments."""
    binary: str | None = None
    args: tuple[str, ...] = ()
    shell: bool | str = False
    working_dir: str | None = None
    user: str | None = None
    umask: str | int | None = None
    nice: int | None = None
    limits: dict[str, int] = dataclasses.field(default_factory=dict)
    stdin: bool = False

    def __post_init__(self) -> None:
        if (self.command is None) == (self.binary is None):
            raise ValueError('set either "command" or "binary"')


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """Something nested."""

    source: str
    read_only: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BoxOptions:
    """A type of another kind, with a required key and nested ones."""

    image: str
    mounts: tuple[Mount, ...] = ()
    resources: dict[str, str] = dataclasses.field(default_factory=dict)
    endpoints: tuple[str, ...] = ()


# How long an example takes says something about the machine, not about the code.
CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

EXECUTORS: Mapping[str, type] = {
    "process": ProcessOptions,
    "box": BoxOptions,
    "typed": TypedOptions,
}


def source(directory: Path, text: str | None = None, **values: Any) -> Source:
    if text is not None:
        (directory / "harness.yaml").write_text(text)
    return Source(directory=str(directory), **{"project": "demo", **values})


def stack(directory: Path, text: str | None = None, **values: Any) -> StackSpec:
    return load(source(directory, text, **values), executors=EXECUTORS)


def report(directory: Path, text: str | None = None, **values: Any) -> Report:
    return validate(source(directory, text, **values), executors=EXECUTORS)


def problems(directory: Path, text: str | None = None, **values: Any) -> list[str]:
    return [str(problem) for problem in report(directory, text, **values).problems]


def service(spec: StackSpec, name: str) -> ServiceSpec:
    unit = spec.units[name]
    assert isinstance(unit, ServiceSpec)
    return unit


def task(spec: StackSpec, name: str) -> TaskSpec:
    unit = spec.units[name]
    assert isinstance(unit, TaskSpec)
    return unit


def facts(value: Any) -> Any:
    """Return data as JSON values, dataclasses without the fields that have their default."""
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        found = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        defaults = {f.name: _default(f) for f in dataclasses.fields(value)}
        skipped = ("name", "base_dir") if isinstance(value, UnitSpec) else ()
        return {
            name: facts(item)
            for name, item in found.items()
            if name not in skipped and item != defaults[name]
        }
    if isinstance(value, Mapping):
        return {key: facts(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [facts(item) for item in value]
    return value


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default
