"""What services and tasks have in common, and what tells them apart.

These are the stack file's facts after validation. Strings may still hold `${…}`: they are resolved
when the unit is about to start, because only then the addresses of what it depends on are known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from .dependency import Dependency
from .endpoint import PortSpec
from .health import HealthSpec
from .hook import Hooks
from .restart import RestartPolicy
from .state import UnitKind

__all__ = ["OutputSpec", "RememberMode", "ServiceSpec", "SetupSpec", "TaskSpec", "UnitSpec"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitSpec:
    """One unit of the plan.

    Attributes:
        name: unique among services and tasks of the stack.
        type: name of the executor that runs it, such as process.
        options: instance of that executor's options type.
        base_dir: absolute directory of the file that defines the unit; relative paths start here.
        env: variable name → value, on top of what is inherited.
        env_file: files of `NAME=value` lines, read when the unit starts; later ones win, `env`
            wins over all.
        depends_on: explicit and implicit edges, in file order, one for each (unit, condition,
            stage).
        ports: by name, in file order.
        health: its checks, or None.
        startup_timeout_s: from start to ready; for a task from start to completion when
            `timeout_s` is None.
        shutdown_timeout_s: between the stop signal and SIGKILL.
        stop_signal: name such as SIGTERM.
        labels: free text for people and filters.
    """

    name: str
    type: str
    options: Any
    base_dir: str
    description: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    env_file: tuple[str, ...] = ()
    depends_on: tuple[Dependency, ...] = ()
    ports: Mapping[str, PortSpec] = field(default_factory=dict)
    health: HealthSpec | None = None
    hooks: Hooks = field(default_factory=Hooks)
    startup_timeout_s: float = 60.0
    shutdown_timeout_s: float = 10.0
    stop_signal: str = "SIGTERM"
    labels: Mapping[str, str] = field(default_factory=dict)
    profiles: tuple[str, ...] = ()

    @property
    def kind(self) -> UnitKind:
        """Service or task."""
        raise TypeError(f"{type(self).__name__} is neither a service nor a task")


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupSpec:
    """How a service is set up by its type; None: as the type says.

    Attributes:
        is_wanted: False leaves it as it is.
        timeout_s: how long one attempt may take.
        retries: how often a failed attempt is made again.
    """

    is_wanted: bool = True
    timeout_s: float | None = None
    retries: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSpec(UnitSpec):
    """A unit that is to keep running.

    Attributes:
        service_type: links typed actions, or None.
        setup: how its type sets it up.
        restart: what happens when it ends by itself.
        version: free text shown in the registry.
    """

    service_type: str | None = None
    setup: SetupSpec = field(default_factory=SetupSpec)
    restart: RestartPolicy = field(default_factory=RestartPolicy)
    version: str | None = None

    @property
    def kind(self) -> UnitKind:
        """A service."""
        return UnitKind.SERVICE


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputSpec:
    """How one output of a task is read after it completed; exactly one source is set.

    Attributes:
        json: dotted path into the last JSON document on stdout; "" is the whole document.
        file: path of a file whose stripped text is the value.
        regex: expression searched in stdout; its first group, or the whole match, is the value.
    """

    name: str
    json: str | None = None
    file: str | None = None
    regex: str | None = None


class RememberMode(StrEnum):
    """How long a task's completion counts.

    always: until its inputs change. run: also void once a service it depends on was started
    again, for tasks whose effect lives in that service's memory. never: it runs on every `up`.
    """

    ALWAYS = "always"
    RUN = "run"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSpec(UnitSpec):
    """A unit that is to end with success once.

    Attributes:
        outputs: by name; readable by others as `${tasks.NAME.outputs.KEY}`.
        retries: how often a failed run is tried again.
        timeout_s: for one run; None: no limit but `startup_timeout_s` does not apply either.
        creates: paths that must exist for a remembered completion to count.
        inputs: files whose content is part of the input hash.
        remember: how long a completion counts.
    """

    outputs: tuple[OutputSpec, ...] = ()
    retries: int = 0
    timeout_s: float | None = None
    creates: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    remember: RememberMode = RememberMode.ALWAYS

    @property
    def kind(self) -> UnitKind:
        """A task."""
        return UnitKind.TASK
