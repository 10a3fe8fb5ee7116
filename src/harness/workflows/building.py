"""Workflows in Python: typed pieces that make the same document as a stack file has.

Workflow(
    "deploy",
    steps=[
        Start("chain", name="up", compensate=[Stop("chain")]),
        Parallel([Exec("db", ["migrate"]), Sleep(1)], max=2),
        ForEach("${params.accounts}", [Action("chain.fund", {"account": "${item}"})]),
    ],
)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from collections.abc import Sequence as Several
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

__all__ = [
    "Action",
    "Exec",
    "ForEach",
    "Http",
    "If",
    "Parallel",
    "Param",
    "Piece",
    "Restart",
    "Retry",
    "Sequence",
    "Set",
    "Sleep",
    "Start",
    "Stop",
    "Task",
    "Uses",
    "Wait",
    "Workflow",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often a step that fails is tried, with growing rests in seconds."""

    attempts: int = 3
    delay: float = 1.0
    factor: float = 2.0
    max_delay: float = 60.0


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter; without a default it must be given."""

    type: str = "string"
    default: Any = field(default=..., kw_only=True)
    description: str | None = field(default=None, kw_only=True)
    choices: Several[Any] = field(default=(), kw_only=True)


@dataclass(frozen=True, slots=True)
class Piece(ABC):
    """One step; what all of them may have."""

    name: str | None = field(default=None, kw_only=True)
    when: str | None = field(default=None, kw_only=True)
    retry: Retry | int | None = field(default=None, kw_only=True)
    timeout: float | str | None = field(default=None, kw_only=True)
    compensate: Several[Piece] = field(default=(), kw_only=True)

    def document(self) -> dict[str, Any]:
        """Return it as a stack file says it."""
        retry = self.retry
        common: dict[str, Any] = {
            "name": self.name,
            "if": self.when,
            "retry": asdict(retry) if isinstance(retry, Retry) else retry,
            "timeout": self.timeout,
            "compensate": _documents(self.compensate) or None,
        }
        return {**{k: v for k, v in common.items() if v is not None}, **self._own()}

    @abstractmethod
    def _own(self) -> dict[str, Any]:
        """Return the key that says what is done."""


@dataclass(frozen=True, slots=True, init=False)
class _Units(Piece):
    """Names of services."""

    _verb: ClassVar[str] = ""

    units: tuple[str, ...] = ()

    def __init__(self, *units: str, **common: Any) -> None:
        Piece.__init__(self, **common)
        object.__setattr__(self, "units", units)

    def _own(self) -> dict[str, Any]:
        return {self._verb: list(self.units)}


class Start(_Units):
    """Start services, with what they depend on."""

    _verb = "start"


class Stop(_Units):
    """Stop services."""

    _verb = "stop"


class Restart(_Units):
    """Stop services and start them again."""

    _verb = "restart"


@dataclass(frozen=True, slots=True)
class Wait(Piece):
    """Wait for a service, an expression or an event."""

    service: str | None = None
    state: str = "healthy"
    until: str | None = None
    event: str | None = None
    where: str | None = None
    deadline: float | str = 60.0

    def _own(self) -> dict[str, Any]:
        given = {
            "service": self.service,
            "state": self.state if self.service is not None else None,
            "until": self.until,
            "event": self.event,
            "where": self.where,
            "timeout": self.deadline,
        }
        return {"wait": {k: v for k, v in given.items() if v is not None}}


@dataclass(frozen=True, slots=True)
class Exec(Piece):
    """Run a command beside a service."""

    service: str = ""
    command: str | Several[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    status: int = 0
    working_dir: str | None = None

    def _own(self) -> dict[str, Any]:
        command = self.command if isinstance(self.command, str) else list(self.command)
        given = {
            "service": self.service,
            "command": command,
            "env": dict(self.env),
            "status": self.status,
            "working_dir": self.working_dir,
        }
        return {"exec": {k: v for k, v in given.items() if v is not None}}


@dataclass(frozen=True, slots=True)
class Http(Piece):
    """Send an HTTP request."""

    url: str = ""
    method: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    json: Any = None
    status: Several[int] = ()

    def _own(self) -> dict[str, Any]:
        given = {
            "url": self.url,
            "method": self.method,
            "headers": dict(self.headers) or None,
            "body": self.body,
            "json": self.json,
            "status": list(self.status) or None,
        }
        return {"http": {k: v for k, v in given.items() if v is not None}}


@dataclass(frozen=True, slots=True)
class Action(Piece):
    """Run a typed action."""

    action: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def _own(self) -> dict[str, Any]:
        return {"action": {"name": self.action, "parameters": dict(self.parameters)}}


@dataclass(frozen=True, slots=True)
class Task(Piece):
    """Run a task of the stack."""

    task: str = ""
    force: bool = True

    def _own(self) -> dict[str, Any]:
        return {"task": {"name": self.task, "force": self.force}}


@dataclass(frozen=True, slots=True)
class Sleep(Piece):
    """Do nothing for a while."""

    duration: float | str = 0.0

    def _own(self) -> dict[str, Any]:
        return {"sleep": self.duration}


@dataclass(frozen=True, slots=True)
class Set(Piece):
    """Set variables."""

    values: Mapping[str, Any] = field(default_factory=dict)

    def _own(self) -> dict[str, Any]:
        return {"set": dict(self.values)}


@dataclass(frozen=True, slots=True)
class Uses(Piece):
    """A step that a plugin brings."""

    kind: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    def _own(self) -> dict[str, Any]:
        return {"uses": self.kind, "with": dict(self.options)}


@dataclass(frozen=True, slots=True)
class Sequence(Piece):
    """Steps in order, as one step."""

    steps: Several[Piece] = ()

    def _own(self) -> dict[str, Any]:
        return {"sequence": _documents(self.steps)}


@dataclass(frozen=True, slots=True)
class Parallel(Piece):
    """Steps side by side, at most `max` at once."""

    steps: Several[Piece] = ()
    max: int | None = None

    def _own(self) -> dict[str, Any]:
        limit = {} if self.max is None else {"max": self.max}
        return {"parallel": {"steps": _documents(self.steps), **limit}}


@dataclass(frozen=True, slots=True)
class If(Piece):
    """Steps for when a condition holds, and for when it does not."""

    condition: str = "true"
    then: Several[Piece] = ()
    otherwise: Several[Piece] = ()

    def __post_init__(self) -> None:
        if self.when is not None:
            raise ValueError("an If has its condition; it takes no `when` besides")

    def _own(self) -> dict[str, Any]:
        other = {"else": _documents(self.otherwise)} if self.otherwise else {}
        return {"if": self.condition, "then": _documents(self.then), **other}


@dataclass(frozen=True, slots=True)
class ForEach(Piece):
    """Steps for each item of a list or an expression, at most `max` items at once."""

    items: str | Several[Any] = ()
    steps: Several[Piece] = ()
    max: int = 1
    item: str = "item"

    def _own(self) -> dict[str, Any]:
        items = self.items if isinstance(self.items, str) else list(self.items)
        return {
            "for_each": {
                "items": items,
                "steps": _documents(self.steps),
                "max": self.max,
                "name": self.item,
            }
        }


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow; `document` is what a client sends, and a plugin's hook may return it."""

    name: str
    steps: Several[Piece] = ()
    parameters: Mapping[str, Param] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    finally_: Several[Piece] = ()
    description: str | None = None
    timeout: float | str | None = None
    cleanup_timeout: float | str | None = None

    def document(self) -> dict[str, Any]:
        """Return it as a stack file says it."""
        given = {
            "description": self.description,
            "parameters": {name: _parameter(item) for name, item in self.parameters.items()},
            "variables": dict(self.variables),
            "steps": _documents(self.steps),
            "finally": _documents(self.finally_),
            "timeout": self.timeout,
            "cleanup_timeout": self.cleanup_timeout,
        }
        return {k: v for k, v in given.items() if v is not None}


def _documents(pieces: Several[Piece]) -> list[dict[str, Any]]:
    return [piece.document() for piece in pieces]


def _parameter(param: Param) -> dict[str, Any]:
    given = {"type": param.type, "description": param.description, "choices": list(param.choices)}
    shown = {key: value for key, value in given.items() if value}
    return shown if param.default is ... else {**shown, "default": param.default}
