"""What a stack file may say about health, as it says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from .duration import parse_duration

__all__ = [
    "Duration",
    "RawCheck",
    "RawGraphql",
    "RawHealth",
    "RawHttp",
    "RawJsonRpc",
    "RawLog",
    "RawProbe",
    "RawTcp",
]

Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    WithJsonSchema(
        {"type": ["number", "string"], "description": "seconds, or text such as 500ms, 10s, 2m"}
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawHttp:
    """Asks a web server."""

    url: str
    """Absolute URL."""
    method: str = "GET"
    """HTTP method."""
    status: int | tuple[int, ...] = ()
    """Accepted status codes; 200 to 399 when left out."""
    body: str | None = None
    """Regular expression that must be found in the body."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Response header → regular expression (RE2's syntax) that must match."""
    request_headers: Mapping[str, str] = field(default_factory=dict)
    """Headers to send."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTcp:
    """Connects to a port."""

    port: int | str
    """A number, or text such as ${db.port}."""
    host: str = "127.0.0.1"
    """Name or address."""
    timeout: Duration | None = None
    """The same as `timeout` beside `tcp`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawLog:
    """Waits for a line of the unit's output."""

    pattern: str
    """Regular expression, in RE2's syntax."""
    stream: str = "both"
    """stdout, stderr or both."""
    count: int = 1
    """How many lines must match."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawJsonRpc:
    """Calls a JSON-RPC 2.0 method over HTTP."""

    url: str
    """Where to POST."""
    method: str
    """Method to call."""
    params: Any = None
    """Parameters: a list or a map."""
    result: str | None = None
    """Regular expression that must be found in the result's JSON text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawGraphql:
    """Asks a GraphQL server."""

    url: str
    """Where to POST."""
    query: str = "{ __typename }"
    """GraphQL text."""
    data: str | None = None
    """Regular expression that must be found in the data's JSON text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawCheck:
    """One check: give exactly one kind."""

    command: str | tuple[str, ...] | None = None
    """Passes when it ends with status 0."""
    args: tuple[str, ...] | None = None
    """Arguments; `command` is then the program alone."""
    shell: bool = False
    """Run `command`, a text, by /bin/sh -c."""
    http: str | RawHttp | None = None
    """Passes when the server answers well."""
    tcp: int | str | RawTcp | None = None
    """Passes when the port accepts a connection."""
    log: str | RawLog | None = None
    """Passes when the output holds a matching line."""
    jsonrpc: RawJsonRpc | None = None
    """Passes when the call returns a result."""
    graphql: str | RawGraphql | None = None
    """Passes when the query answers without errors."""
    custom: str | Mapping[str, Any] | None = None
    """A check that a plugin brings: its name, or a map of its name to its options."""
    all: tuple[RawCheck, ...] | None = None
    """Passes when all of these do."""
    any: tuple[RawCheck, ...] | None = None
    """Passes when one of these does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawProbe(RawCheck):
    """A check and its rhythm."""

    interval: Duration | None = None
    """Between checks after the first success; 30 s when left out."""
    timeout: Duration | None = None
    """A check that takes longer has failed; 10 s when left out."""
    retries: int = 3
    """Failures in a row that make the unit unhealthy."""
    start_period: Duration = 0.0
    """Failures this soon after the start do not count."""
    initial_interval: Duration | None = None
    """Between checks until the first success, growing up to `interval`; 100 ms when left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawHealth(RawProbe):
    """All checks of a unit: one check, or readiness, liveness and stages apart."""

    readiness: RawProbe | None = None
    """When the unit can be used."""
    liveness: RawProbe | None = None
    """Checked after readiness; unhealthy restarts the unit as its restart policy says."""
    stages: Mapping[str, RawProbe] = field(default_factory=dict)
    """Named steps of readiness in the order they are reached."""
