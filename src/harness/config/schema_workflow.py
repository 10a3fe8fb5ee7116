"""What a workflow in a stack file may say, as it says it.

The options of a step are checked twice: as they stand in the file, where a `${…}` may stand for any
value, and once more when everything in them is resolved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, WithJsonSchema

from .schema_health import Duration

__all__ = [
    "ActionOptions",
    "ExecOptions",
    "HttpOptions",
    "RawForEach",
    "RawParallel",
    "RawParameter",
    "RawRetry",
    "RawStep",
    "RawWorkflow",
    "SetOptions",
    "SleepOptions",
    "TaskOptions",
    "UnitsOptions",
    "WaitOptions",
]


def _is_template(value: str) -> str:
    if "${" not in value:
        raise ValueError("must be of the right type, or a text with ${…}")
    return value


Template = Annotated[
    str, AfterValidator(_is_template), WithJsonSchema({"type": "string", "pattern": r"\$\{"})
]
Time = Duration | Template


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitsOptions:
    """Services to start, stop or restart."""

    units: str | tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitOptions:
    """What is waited for: give exactly one of `service`, `until` and `event`."""

    service: str | None = None
    """A service or task."""
    state: Literal["healthy", "started", "stopped", "completed"] = "healthy"
    """What must hold of `service`."""
    until: str | None = None
    """An expression; it is looked at again with everything that happens in the project."""
    event: str | None = None
    """Kind of an event of the project, such as health-changed, that happens from now on."""
    where: str | None = None
    """An expression over `event`, {kind, unit, data}, that must hold of it, too."""
    timeout: Time = 60.0
    """The step fails after this long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecOptions:
    """A command beside a service, as `harness exec` runs it."""

    service: str
    """Beside which service."""
    command: str | tuple[str, ...]
    """Program and arguments; a text is split as a shell would."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Variables on top of the service's own."""
    working_dir: str | None = None
    """Where it runs; left out: where the service does."""
    status: int | Template = 0
    """Exit status of success."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpOptions:
    """One HTTP request."""

    url: str
    """Such as ${chain.url}/blocks."""
    method: str | None = None
    """GET, or POST with a body, when left out."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Sent with it."""
    body: str | None = None
    """Sent as it is."""
    json: Any = None
    """Sent as JSON, in place of `body`."""
    status: int | tuple[int, ...] | Template = ()
    """Status, or list of them, of success; left out: 200 to 299."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionOptions:
    """A typed action."""

    name: str
    """Such as chain.mine; without a dot it is the daemon's."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """By name, as `harness action info` shows them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOptions:
    """A task of the stack, after what it depends on."""

    name: str
    """Which one."""
    force: bool | Template = True
    """Run it also when it has completed with the same inputs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SleepOptions:
    """A pause."""

    duration: Time


@dataclass(frozen=True, slots=True, kw_only=True)
class SetOptions:
    """Variables that later steps read as ${vars.NAME}."""

    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawParameter:
    """What a run is given, read as ${params.NAME}."""

    type: Literal[
        "string", "path", "paths", "integer", "number", "duration", "boolean", "list", "object"
    ] = "string"
    """Of the value; commands make a path, and each of a list of paths, absolute from where they
    run. A duration is given as seconds, or as text such as 10s, and read as seconds."""
    default: Any = None
    """Value when none is given; a parameter without this key must be given."""
    description: str | None = None
    """Free text for people."""
    choices: tuple[Any, ...] = ()
    """The only values that it may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRetry:
    """How often a step that fails is tried again."""

    attempts: int = 3
    """At most so many, the first included."""
    delay: Duration = 1.0
    """Before the second attempt."""
    factor: float = 2.0
    """Each later delay is this many times the one before."""
    max_delay: Duration = 60.0
    """The longest delay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawParallel:
    """Steps side by side; the first that fails cancels the others."""

    steps: tuple[RawStep, ...]
    """What is done at the same time."""
    max: int | None = None
    """So many at once; left out: all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawForEach:
    """The same steps for each item of a list, read as ${item} and ${index}."""

    items: str | tuple[Any, ...]
    """The list, or an expression."""
    steps: tuple[RawStep, ...]
    """What is done for each."""
    name: str = "item"
    """What the item is called in place of `item`."""
    max: int = 1
    """So many items at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawStep:
    """One step: exactly one key says what is done; the others say when, how often and how long."""

    name: str | None = None
    """What later steps call it in ${steps.NAME.outputs.KEY}."""
    start: str | tuple[str, ...] | None = None
    """Services to start, with what they depend on; done when they are ready."""
    stop: str | tuple[str, ...] | None = None
    """Services to stop, after what depends on them."""
    restart: str | tuple[str, ...] | None = None
    """Services to stop and start again."""
    wait: WaitOptions | None = None
    """Wait for a service, a condition or an event."""
    exec: ExecOptions | None = None
    """Run a command beside a service; outputs: status, stdout, stderr and json."""
    http: HttpOptions | None = None
    """Send an HTTP request; outputs: status, headers, body and json."""
    action: str | ActionOptions | None = None
    """Run a typed action; its result is the outputs."""
    task: str | TaskOptions | None = None
    """Run a task; its outputs are the step's."""
    sleep: Time | None = None
    """Do nothing for this long."""
    set: Mapping[str, Any] | None = None
    """Set variables."""
    uses: str | None = None
    """A kind of step that a plugin brings; `with` has its options."""
    with_: Mapping[str, Any] | None = None
    """Options of the step of `uses`."""
    sequence: tuple[RawStep, ...] | None = None
    """Steps in order, as one step."""
    parallel: tuple[RawStep, ...] | RawParallel | None = None
    """Steps side by side."""
    for_each: RawForEach | None = None
    """Steps for each item of a list."""
    if_: str | bool | None = None
    """With `then`: which steps are done. Else: the step is skipped unless this holds."""
    then: tuple[RawStep, ...] | None = None
    """Steps that are done when `if` holds."""
    else_: tuple[RawStep, ...] | None = None
    """Steps that are done when it does not."""
    retry: int | RawRetry | None = None
    """Attempts, or a map that says more."""
    timeout: Duration | None = None
    """For one attempt."""
    compensate: tuple[RawStep, ...] = ()
    """What undoes the step, once it is done and the workflow has failed or is cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawWorkflow:
    """Steps that `harness workflow run` does."""

    description: str | None = None
    """Free text for people."""
    parameters: Mapping[str, RawParameter] = field(default_factory=dict)
    """What a run is given."""
    variables: Mapping[str, Any] = field(default_factory=dict)
    """First values of ${vars.NAME}."""
    steps: tuple[RawStep, ...] = ()
    """What is done, in order."""
    finally_: tuple[RawStep, ...] = ()
    """What is done at the end, also of a run that failed or was cancelled."""
    timeout: Duration | None = None
    """For all steps together."""
    cleanup_timeout: Duration = 60.0
    """For compensation, and for `finally`."""
