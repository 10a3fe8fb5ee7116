"""What is wrong with a stack: its files, or the order that they ask for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar, Self

from harness.suggestions import did_you_mean, nearest

from .base import HarnessError

__all__ = [
    "ConfigError",
    "ConfigSchemaError",
    "ConfigSyntaxError",
    "DependencyCycle",
    "InvalidTaskConfig",
    "PlanError",
    "PluginBroken",
    "Problem",
    "UnknownService",
    "UnknownServiceType",
    "UnknownTask",
    "UnknownTaskType",
    "UnresolvedReference",
]


# ── configuration ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong in a stack file.

    `line` and `column` count from 1; `path` is the key's path such as `services.db.ports[0]`. Line
    0: it has no place in a file, because it is of the command line, or was found when a unit was
    about to start.
    """

    file: str
    line: int
    column: int
    path: str
    kind: str
    message: str
    hint: str | None = None

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}: " if self.line else ""
        text = f"{where}{self.path}: {self.message}" if self.path else f"{where}{self.message}"
        return f"{text}; {self.hint}" if self.hint else text


class ConfigError(HarnessError):
    """The stack file cannot be used; `problems` lists everything found, in file order."""

    kind = "config-invalid"

    def __init__(self, *, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        noun = "problem" if count == 1 else "problems"
        lines = [str(problem) for problem in self.problems]
        if isinstance(self, UnresolvedReference) and not any(p.line for p in self.problems):
            text = f"cannot resolve every reference: {'; '.join(lines)}"
        else:
            text = "\n".join([f"cannot use the stack file: {count} {noun}", *lines])
        super().__init__(text)


class ConfigSyntaxError(ConfigError):
    """A file is missing, unreadable or not YAML."""

    kind = "config-syntax"


class ConfigSchemaError(ConfigError):
    """A file is YAML, but not a stack: unknown keys, wrong types, missing keys, bad values."""

    kind = "config-schema"


class UnresolvedReference(ConfigError):
    """A `${…}` names something that does not exist or has no value."""

    kind = "config-unresolved-reference"


# ── plan ─────────────────────────────────────────────────────────────────────────────────────────


class PlanError(HarnessError):
    """The stack is valid but no order of starting exists, or a name is not in it."""

    kind = "plan-invalid"


class DependencyCycle(PlanError):
    """Units wait for one another; `cycle` names them in order, the first one again at the end.

    Found in a stack file, it has its place among the `details`, as `problems`.
    """

    kind = "dependency-cycle"
    facts = ("cycle",)

    def __init__(self, *, cycle: Sequence[str], problems: Sequence[Problem] = ()) -> None:
        self.cycle = tuple(cycle)
        places = {"problems": [asdict(problem) for problem in problems]} if problems else {}
        super().__init__(
            f"cannot order the stack: units wait for one another: {' → '.join(self.cycle)}",
            hint=None if problems else "remove one of these dependencies",
            details={"cycle": list(self.cycle), **places},
        )


class _UnknownName(PlanError):
    noun: ClassVar[str]
    facts = ("name", "did_you_mean")

    def __init__(
        self,
        *,
        name: str,
        did_you_mean: str | None = None,
        known: Sequence[str] = (),
        hint: str | None = None,
    ) -> None:
        self.name = name
        self.did_you_mean = did_you_mean
        if did_you_mean:
            hint = f'did you mean "{did_you_mean}"?'
        elif known:
            hint = f"known: {', '.join(known)}"
        super().__init__(
            f'cannot find {self.noun} "{name}" in the stack',
            hint=hint,
            details={"name": name, "did_you_mean": did_you_mean},
        )

    @classmethod
    def of(cls, name: str, known: Iterable[str]) -> Self:
        """Make the error for `name`, with the closest of the known names as a suggestion."""
        names = tuple(known)
        return cls(name=name, did_you_mean=nearest(name, names), known=names)


class UnknownService(_UnknownName):
    """No service or task of that name in the stack."""

    kind = "unknown-service"
    noun = "service"


class UnknownTask(_UnknownName):
    """No task of that name in the stack."""

    kind = "unknown-task"
    noun = "task"


class UnknownTaskType(PlanError):
    """No plugin brings the `task_type` of a task."""

    kind = "unknown-task-type"
    facts = ("name", "task")

    def __init__(self, *, name: str, task: str, known: Sequence[str]) -> None:
        self.name = name
        self.task = task
        super().__init__(
            f'cannot use "{task}": no plugin brings the task_type "{name}"',
            hint=_among(name, known),
        )


class InvalidTaskConfig(PlanError):
    """What a stack file gives a task under `config` does not fit its type."""

    kind = "invalid-task-config"
    facts = ("task", "cause")

    def __init__(
        self, *, task: str, task_type: str, cause: str, problems: Sequence[Mapping[str, str]]
    ) -> None:
        self.task = task
        self.cause = cause
        super().__init__(
            f'cannot use "{task}": {cause}',
            hint=f"`harness task info {task}` shows what the task_type {task_type} takes",
            details={"task": task, "problems": [dict(problem) for problem in problems]},
        )


class PluginBroken(HarnessError):
    """What a plugin brings cannot be used."""

    kind = "plugin-broken"
    facts = ("name", "source", "cause")

    def __init__(self, *, name: str, source: str, cause: str) -> None:
        self.name = name
        self.source = source
        self.cause = cause
        super().__init__(
            f'cannot use "{name}" of {source}: {cause}',
            hint="`harness plugin list` shows the plugins",
        )


class UnknownServiceType(PlanError):
    """No plugin brings the `service_type` of a service."""

    kind = "unknown-service-type"
    facts = ("name", "service")

    def __init__(self, *, name: str, service: str, known: Sequence[str]) -> None:
        self.name = name
        self.service = service
        super().__init__(
            f'cannot use "{service}": no plugin brings the service_type "{name}"',
            hint=_among(name, known),
        )


def _among(name: str, known: Sequence[str]) -> str:
    """Return which name of a plugin's was probably meant, or which there are."""
    return did_you_mean(name, known) or "`harness plugin list` shows the plugins"
