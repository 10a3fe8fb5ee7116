"""Health checks as the stack file describes them: what is asked, how often, and what counts.

Strings may hold `${…}`; they are resolved when the unit starts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

__all__ = [
    "CheckSpec",
    "CommandCheck",
    "CompositeCheck",
    "CompositeMode",
    "CustomCheck",
    "GraphqlCheck",
    "HealthSpec",
    "HttpCheck",
    "JsonRpcCheck",
    "LogCheck",
    "ProbeSpec",
    "Stage",
    "TcpCheck",
    "single_checks",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandCheck:
    """Passes when the command ends with status 0, run where and as the unit runs."""

    argv: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCheck:
    """Passes when the response has an accepted status, and body and headers match.

    Attributes:
        url: absolute URL.
        method: HTTP method.
        status: accepted status codes; empty accepts 200 to 399.
        body: regular expression that must be found in the body, or None.
        headers: response header name → regular expression that must match its value.
        request_headers: headers to send.
    """

    url: str
    method: str = "GET"
    status: tuple[int, ...] = ()
    body: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    request_headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpCheck:
    """Passes when a connection is accepted. `port` is a number or a string that resolves to one."""

    port: str
    host: str = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCheck:
    """Passes once the unit's output since its start holds a line that `pattern` is found in.

    Attributes:
        pattern: regular expression.
        stream: stdout, stderr or both.
        count: how many lines must match.
    """

    pattern: str
    stream: str = "both"
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonRpcCheck:
    """Passes when the JSON-RPC 2.0 call over HTTP returns a result, and it is the expected one.

    Attributes:
        url: where to POST.
        method: JSON-RPC method, such as eth_chainId.
        params: parameters as JSON text.
        result: regular expression that must be found in the result as compact JSON, or None.
    """

    url: str
    method: str
    params: str = "[]"
    result: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphqlCheck:
    """Passes when the query answers without errors, and the data is the expected one.

    Attributes:
        url: where to POST.
        query: GraphQL text.
        data: regular expression that must be found in the data as compact JSON, or None.
    """

    url: str
    query: str = "{ __typename }"
    data: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomCheck:
    """Passes when a check that a plugin brings says so.

    Attributes:
        kind: the check's name.
        options: instance of its options type; `StoredOptions` where no plugin brings it now.
    """

    kind: str
    options: Any


class CompositeMode(StrEnum):
    """How the parts of a composite check count."""

    ALL = "all"
    ANY = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositeCheck:
    """Passes when all, or any, of its checks pass; they are tried in order."""

    mode: CompositeMode
    checks: tuple[CheckSpec, ...]


CheckSpec = (
    CommandCheck
    | HttpCheck
    | TcpCheck
    | LogCheck
    | JsonRpcCheck
    | GraphqlCheck
    | CustomCheck
    | CompositeCheck
)


def single_checks(check: CheckSpec) -> Iterator[CheckSpec]:
    """Yield the checks that a check is made of, in order; of one that is not composite, itself."""
    if isinstance(check, CompositeCheck):
        for part in check.checks:
            yield from single_checks(part)
    else:
        yield check


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSpec:
    """One check and its rhythm.

    It is tried at once, and until the first success again after a tenth of `initial_interval_s`
    (a check that runs a command: after all of it), then ever more slowly up to `interval_s`; after
    the first success every `interval_s`. A try longer than `timeout_s` is ended and counts as
    failed. `retries` failures in a row make the unit unhealthy. Before the first success failures
    in the first `start_period_s` do not count, and after it the unit is unhealthy once it has
    failed for `retries` times `interval_s`.
    """

    check: CheckSpec
    interval_s: float = 30.0
    timeout_s: float = 10.0
    retries: int = 3
    start_period_s: float = 0.0
    initial_interval_s: float = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A named step of readiness, such as booted, ready, synced; reached once its probe passed."""

    name: str
    probe: ProbeSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthSpec:
    """All checks of one unit.

    Attributes:
        stages: in the order they are reached; each is probed after the one before it passed. A
            plain health check is one stage named "ready".
        liveness: probed all the time after readiness; when it turns unhealthy the unit is
            restarted as its restart policy says. None: the unit is never restarted for its health.
    """

    stages: tuple[Stage, ...] = ()
    liveness: ProbeSpec | None = None

    @property
    def checks(self) -> Iterator[CheckSpec]:
        """All checks, composite ones taken apart."""
        probes = [stage.probe for stage in self.stages]
        if self.liveness is not None:
            probes.append(self.liveness)
        return (part for probe in probes for part in single_checks(probe.check))
