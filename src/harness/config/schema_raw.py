"""What a stack file may say, as it says it: one dataclass for each block.

These are the file's words, before anything is concluded from them; `harness.model` has the facts
after that. Attribute docstrings become the descriptions in the JSON Schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, WithJsonSchema

from .duration import parse_size
from .schema_health import Duration, RawCheck, RawHealth, RawProbe

__all__ = [
    "RawBackoff",
    "RawDependency",
    "RawHook",
    "RawHooks",
    "RawNetwork",
    "RawNode",
    "RawOutput",
    "RawPort",
    "RawRestart",
    "RawSecret",
    "RawService",
    "RawSettings",
    "RawSetup",
    "RawStack",
    "RawTask",
    "RawUnit",
]

Size = Annotated[
    int,
    BeforeValidator(parse_size),
    WithJsonSchema({"type": ["integer", "string"], "description": "bytes, or text such as 64MiB"}),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawDependency:
    """One unit that is waited for: give `service` or `task`."""

    service: str | None = None
    """Name of a service."""
    task: str | None = None
    """Name of a task."""
    condition: (
        Literal[
            "started", "healthy", "completed",
            "service_started", "service_healthy", "service_completed_successfully",
        ]
        | None
    ) = None  # fmt: skip
    """What must hold of it. Left out: healthy for services, completed for tasks."""
    stage: str | None = None
    """The named readiness stage to wait for."""
    required: bool = True
    """False: go on without it where it is not part of what is started."""
    restart: bool = False
    """Restart this unit when the other one restarts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawPort:
    """A port with everything that can be said about it."""

    port: int | str = "auto"
    """Port on the host, `auto` for a free one, or "host:container[/udp]"."""
    container: int | None = None
    """Port inside the container."""
    scheme: str | None = None
    """URL scheme, such as http."""
    protocol: Literal["tcp", "udp"] | None = None
    """Transport; tcp when left out."""
    address: str | None = None
    """Address to listen on; 127.0.0.1 when left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawBackoff:
    """Growing delays between restarts."""

    initial: Duration | None = None
    """The first delay; 100 ms when left out."""
    factor: float | None = None
    """Each delay is this many times the one before; at least 1; 2 when left out."""
    max: Duration | None = None
    """The longest delay; 30 s when left out."""
    jitter: float | None = None
    """Share of a delay that is random, 0 to 1; 0.1 when left out."""
    reset_after: Duration | None = None
    """After running calmly for this long the next delay is the first again; 10 s when left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRestart:
    """When and how often a service that ended is started again."""

    mode: Literal["no", "on-failure", "always", "unless-stopped"] = "on-failure"
    """Which ends lead to a restart; on-failure when a map leaves it out."""
    max_attempts: int | None = None
    """Restarts before the service counts as failed; 5 when left out."""
    window: Duration | None = None
    """The time in which they are counted; left out: since it last ran calmly."""
    backoff: RawBackoff = field(default_factory=RawBackoff)
    """Delays between restarts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawHook:
    """One command around a unit's start or stop."""

    command: str | tuple[str, ...]
    """Text is split as a shell would, but runs without one; a list is taken as it is."""
    args: tuple[str, ...] | None = None
    """Arguments; `command` is then the program alone."""
    shell: bool = False
    """Run `command`, a text, by /bin/sh -c."""
    timeout: Duration = 30.0
    """The hook is ended after this long, and has failed."""


HookValue = str | RawHook | tuple[str | RawHook | tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawHooks:
    """Commands around start and stop; several of one moment run one after the other."""

    pre_start: HookValue = ()
    """Before the unit starts; a failure keeps it from starting."""
    post_start: HookValue = ()
    """After the unit started, before its health is checked; a failure stops it again."""
    pre_stop: HookValue = ()
    """Before the unit is stopped."""
    post_stop: HookValue = ()
    """After the unit was stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawOutput:
    """Where one output of a task comes from: give exactly one key."""

    json: str | None = None
    """Dotted path into the last JSON document on stdout."""
    file: str | None = None
    """File whose text is the value."""
    regex: str | None = None
    """Regular expression (RE2's syntax) searched in stdout; its first group is the value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawUnit:
    """What services and tasks have in common."""

    type: str | None = None
    """Which executor runs it, such as process."""
    extends: str | None = None
    """Template or unit that this one is laid over."""
    profiles: str | tuple[str, ...] = ()
    """The unit exists only when one of these profiles is active; none: always."""
    description: str | None = None
    """Free text for people."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Environment variables, on top of what is inherited."""
    env_file: str | tuple[str, ...] = ()
    """Files of NAME=value lines, read when the unit starts."""
    depends_on: str | tuple[str | RawDependency, ...] | Mapping[str, RawDependency] = ()
    """What must be there first."""
    ports: Mapping[str, int | str | RawPort] | tuple[int | str, ...] = ()
    """Ports by name, or a list of them."""
    network: str | None = None
    """One of the stack's networks."""
    health_check: RawHealth | tuple[RawCheck, ...] | None = None
    """How to tell that the unit can be used; several in a list must all pass."""
    readiness: RawProbe | None = None
    """The same as `readiness` inside `health_check`."""
    liveness: RawProbe | None = None
    """The same as `liveness` inside `health_check`."""
    stages: Mapping[str, RawProbe] = field(default_factory=dict)
    """The same as `stages` inside `health_check`."""
    hooks: RawHooks = field(default_factory=RawHooks)
    """Commands around start and stop."""
    startup_timeout: Duration | None = None
    """From start to ready; 60 s when left out here and in `settings`."""
    shutdown_timeout: Duration | None = None
    """From the stop signal to SIGKILL; 10 s when left out here and in `settings`."""
    stop_signal: str | int = "SIGTERM"
    """Signal that asks the unit to end."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Free text for people and filters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawSetup:
    """Limits of a service's setup, in place of its type's own."""

    timeout: Duration | None = None
    """How long one attempt may take."""
    retries: int | None = None
    """How often a failed attempt is made again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawService(RawUnit):
    """A unit that is to keep running."""

    service_type: str | None = None
    """Links typed actions."""
    setup: bool | RawSetup = True
    """Whether its type sets it up, or with which limits."""
    restart: str | RawRestart | None = None
    """no, on-failure, always, unless-stopped, or a map; `on-failure:3` sets the restarts, too. Left
    out: no; a map without `mode`: on-failure."""
    version: str | None = None
    """Free text shown in the registry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTask(RawUnit):
    """A unit that is to end with success once."""

    task_type: str | None = None
    """Links a typed task."""
    config: Mapping[str, Any] = field(default_factory=dict)
    """Parameters of the typed task."""
    outputs: Mapping[str, str | RawOutput] | tuple[str, ...] = ()
    """Values others may use: names in the JSON it prints, or a map name → source."""
    retries: int = 0
    """How often a failed run is tried again."""
    timeout: Duration | None = None
    """For one run."""
    creates: str | tuple[str, ...] = ()
    """Paths that must exist for a remembered completion to count."""
    inputs: str | tuple[str, ...] = ()
    """Files whose content decides whether the task must run again."""
    remember: Literal["always", "run", "never"] = "always"
    """How long a completion counts: until its inputs change, for one run of the services it waits
    for, or not at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawSettings:
    """Stack-wide settings."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Of the daemon's messages about this project."""
    startup_timeout: Duration | None = None
    """Default for every unit; 60 s when left out."""
    shutdown_timeout: Duration | None = None
    """Default for every unit; 10 s when left out."""
    health_check_interval: Duration | None = None
    """Default interval of every check; 30 s when left out."""
    log_max_size: Size | None = None
    """Output kept on disk for each stream of each unit; 64 MiB when left out."""
    inherit_env: bool | tuple[str, ...] = True
    """Whether units inherit the client's environment, or which names of it."""
    parallelism: int | None = None
    """Units started at the same moment at most; no limit when left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawSecret:
    """Where a secret comes from: give exactly one of file, env and command."""

    file: str | None = None
    """File whose text is the secret."""
    env: str | None = None
    """Environment variable whose value is the secret."""
    command: str | tuple[str, ...] | None = None
    """Program that prints the secret, with its arguments; run at each start of what uses it."""
    shell: bool = False
    """Run `command`, a text, by /bin/sh -c."""
    timeout: Duration | None = None
    """How long `command` may take; 30 s when left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawNode:
    """A machine of a network."""

    host: str
    """Name or address."""
    name: str | None = None
    """How units call it."""
    ssh_user: str | None = None
    """User to log in as."""
    ssh_key: str | None = None
    """Private key's file."""
    package_deploy: bool = False
    """Whether packages are deployed to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawNetwork:
    """A network that units are in; `local`, this machine, is the only type offered here."""

    type: str = "local"
    """Kind of network."""
    subnet: str | None = None
    """Addresses in CIDR notation; without effect for local networks."""
    config_path: str | None = None
    """Configuration file of the tunnel."""
    nodes: tuple[RawNode, ...] = ()
    """Machines in the network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawStack:
    """The top level of a stack file."""

    version: str | None = None
    """Version of the file format: "1" or "1.0", which may be left out."""
    name: str | None = None
    """Name of the project; when left out the name of the directory that this file is in."""
    description: str | None = None
    """Free text for people."""
    include: str | tuple[str, ...] = ()
    """Files this one is laid over, relative to this one."""
    env_file: str | tuple[str, ...] = ()
    """Files of NAME=value lines for ${NAME}; `.env` beside the stack file when left out."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Values of ${NAME} where neither the environment nor an env file has one."""
    profiles: str | tuple[str, ...] = ()
    """Profiles that are active when the command names none."""
    settings: RawSettings = field(default_factory=RawSettings)
    """Stack-wide settings."""
    secrets: Mapping[str, RawSecret] = field(default_factory=dict)
    """Values that are never shown, used as ${secrets.NAME}."""
    networks: Mapping[str, RawNetwork] = field(default_factory=dict)
    """Networks that units name."""
    workflows: Mapping[str, Any] = field(default_factory=dict)
    """What `harness workflow run` does, by name."""
