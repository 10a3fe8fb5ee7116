"""Health checks as a file says them to `HealthSpec`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import fields

from harness.model import (
    CheckSpec,
    CommandCheck,
    CompositeCheck,
    CompositeMode,
    GraphqlCheck,
    HealthSpec,
    HttpCheck,
    JsonRpcCheck,
    LogCheck,
    ProbeSpec,
    Stage,
    TcpCheck,
)
from harness.patterns import PatternError, compile_pattern

from .convert_command import argv
from .convert_custom import CustomChecks
from .nodes import path_text
from .problems import Site
from .schema_health import (
    RawCheck,
    RawGraphql,
    RawHealth,
    RawHttp,
    RawJsonRpc,
    RawLog,
    RawProbe,
    RawTcp,
)
from .schema_raw import RawUnit

__all__ = ["check_pattern", "health"]

_KINDS = ("command", "http", "tcp", "log", "jsonrpc", "graphql", "custom", "all", "any")
_SCHEME = re.compile(r"https?://|\$\{")


def health(
    raw: RawUnit, site: Site, *, interval_s: float | None, custom: CustomChecks
) -> HealthSpec | None:
    """Return a unit's checks, or None when it has none; what is wrong is reported.

    Args:
        raw: the unit.
        site: the unit's place.
        interval_s: the stack's default interval, or None.
        custom: converts the checks that plugins bring.
    """
    convert = _Converter(interval_s, custom)
    stages: list[Stage] = []
    liveness: list[ProbeSpec] = []
    at = site.at("health_check")
    block = raw.health_check
    if isinstance(block, tuple):
        check = convert.all_of(block, at)
        if check is not None:
            convert.add("ready", RawProbe(), check, at, stages)
    elif block is not None:
        _add_block(block, at, convert, stages, liveness)
    _add_parts(raw, site, convert, stages, liveness)
    convert.report_twice(site)
    if not stages and not liveness:
        return None
    return HealthSpec(stages=tuple(stages), liveness=liveness[0] if liveness else None)


def _add_block(
    block: RawHealth,
    at: Site,
    convert: _Converter,
    stages: list[Stage],
    liveness: list[ProbeSpec],
) -> None:
    parts = block.readiness or block.liveness or block.stages
    _add_parts(block, at, convert, stages, liveness)
    if not parts or any(getattr(block, kind) is not None for kind in _KINDS):
        convert.stage("ready", block, at, stages)


def _add_parts(
    raw: RawUnit | RawHealth,
    at: Site,
    convert: _Converter,
    stages: list[Stage],
    liveness: list[ProbeSpec],
) -> None:
    for name, probe in raw.stages.items():
        convert.stage(name, probe, at.at("stages", name), stages)
    if raw.readiness is not None:
        convert.stage("ready", raw.readiness, at.at("readiness"), stages)
    if raw.liveness is not None:
        place = at.at("liveness")
        convert.liveness.append(place)
        check = convert.check(raw.liveness, place)
        if check is not None:
            liveness.append(convert.probe(raw.liveness, check, place))


class _Converter:
    """Turns checks of every kind into facts."""

    def __init__(self, interval_s: float | None, custom: CustomChecks) -> None:
        self._interval_s = 30.0 if interval_s is None else interval_s
        self.stages: dict[str, list[Site]] = {}
        self.liveness: list[Site] = []
        self._kinds: dict[str, Callable[[RawCheck, Site], CheckSpec | None]] = {
            "command": _command,
            "http": _http,
            "tcp": _tcp,
            "log": _log,
            "jsonrpc": lambda raw, at: (
                _jsonrpc(raw.jsonrpc, at.at("jsonrpc")) if raw.jsonrpc else None
            ),
            "graphql": _graphql,
            "custom": custom.check,
            "all": lambda raw, at: self.all_of(raw.all or (), at.at("all")),
            "any": lambda raw, at: self._several(CompositeMode.ANY, raw.any or (), at.at("any")),
        }

    def stage(self, name: str, raw: RawProbe, at: Site, stages: list[Stage]) -> None:
        check = self.check(raw, at)
        if check is not None:
            self.add(name, raw, check, at, stages)

    def add(
        self, name: str, raw: RawProbe, check: CheckSpec, at: Site, stages: list[Stage]
    ) -> None:
        self.stages.setdefault(name, []).append(at)
        stages.append(Stage(name=name, probe=self.probe(raw, check, at)))

    def report_twice(self, unit: Site) -> None:
        """Report stages of one name, and a second `liveness`, where the later one stands."""
        for name, places in self.stages.items():
            if len(places) > 1:
                first, second = (f"`{path_text(p.path[len(unit.path) :])}`" for p in places[:2])
                message = f'{first} and {second} are both the readiness stage "{name}"'
                hint = "keep one, or put both checks into a list below `all`"
                places[1].report_key("config-value", message, hint)
        if len(self.liveness) > 1:
            first, second = (f"`{path_text(p.path[len(unit.path) :])}`" for p in self.liveness[:2])
            message = f"{first} and {second} mean the same"
            self.liveness[1].report_key("config-value", message, "keep one")

    def probe(self, raw: RawProbe, check: CheckSpec, at: Site) -> ProbeSpec:
        interval_s = self._interval_s if raw.interval is None else raw.interval
        timeout_s = raw.timeout
        if isinstance(raw.tcp, RawTcp) and raw.tcp.timeout is not None:
            if timeout_s is not None:
                at.at("tcp", "timeout").report("config-value", "`timeout` is there twice")
            timeout_s = raw.tcp.timeout
        for name, value in (("interval", interval_s), ("timeout", timeout_s)):
            if value is not None and value <= 0:
                at.at(name).report("config-value", "must be longer than 0")
        if raw.retries < 1:
            at.at("retries").report("config-value", "must be 1 or more")
        if timeout_s is not None and timeout_s >= interval_s > 0:
            at.at("timeout").warn(
                "config-value",
                f"the timeout of {timeout_s:g} s is not shorter than the interval of "
                f"{interval_s:g} s",
            )
        initial = (
            {} if raw.initial_interval is None else {"initial_interval_s": raw.initial_interval}
        )
        return ProbeSpec(
            check=check,
            interval_s=interval_s,
            timeout_s=10.0 if timeout_s is None else timeout_s,
            retries=raw.retries,
            start_period_s=raw.start_period,
            **initial,
        )

    def check(self, raw: RawCheck, at: Site) -> CheckSpec | None:
        kinds = [kind for kind in _KINDS if getattr(raw, kind) is not None]
        if len(kinds) != 1:
            what = f"has {' and '.join(kinds)}" if kinds else "names no check"
            hint = "put several into a list below `all` or `any`" if kinds else "add one"
            at.report("config-value", f"{what}; one of {', '.join(_KINDS)} is wanted", hint)
            return None
        for name in ("args", "shell"):
            if getattr(raw, name) and kinds != ["command"]:
                at.at(name).report_key("config-value", f"`{name}` goes with `command` only")
        return self._kinds[kinds[0]](raw, at)

    def all_of(self, parts: tuple[RawCheck, ...], at: Site) -> CheckSpec | None:
        return self._several(CompositeMode.ALL, parts, at)

    def _several(
        self, mode: CompositeMode, parts: tuple[RawCheck, ...], at: Site
    ) -> CheckSpec | None:
        if not parts:
            at.report("config-value", "must hold at least one check")
            return None
        checks = []
        for index, part in enumerate(parts):
            if isinstance(part.tcp, RawTcp) and part.tcp.timeout is not None:
                at.at(index, "tcp", "timeout").report(
                    "config-value", "the checks of a list share one timeout",
                    "write it beside `all` or `any`",
                )  # fmt: skip
            checks.append(self.check(part, at.at(index)))
        good = tuple(check for check in checks if check is not None)
        if len(good) == 1 and len(checks) == 1:
            return good[0]
        return CompositeCheck(mode=mode, checks=good) if len(good) == len(checks) else None


def _command(raw: RawCheck, at: Site) -> CheckSpec | None:
    words = argv(raw.command or "", raw.args, raw.shell, at.at("command"))
    return CommandCheck(argv=words) if words else None


def _http(raw: RawCheck, at: Site) -> CheckSpec | None:
    at = at.at("http")
    http = raw.http if isinstance(raw.http, RawHttp) else RawHttp(url=str(raw.http))
    _check_url(http.url, at.at("url") if isinstance(raw.http, RawHttp) else at)
    status = (http.status,) if isinstance(http.status, int) else http.status
    for code in status:
        if not 100 <= code <= 599:
            at.at("status").report("config-value", f"{code} is no status of HTTP")
    check_pattern(http.body, at.at("body"))
    for name, pattern in http.headers.items():
        check_pattern(pattern, at.at("headers", name))
    values = {field.name: getattr(http, field.name) for field in fields(http)}
    return HttpCheck(**{**values, "status": status, "method": http.method.upper()})


def _tcp(raw: RawCheck, at: Site) -> CheckSpec | None:
    at = at.at("tcp")
    tcp = raw.tcp
    if not isinstance(tcp, RawTcp):
        host, colon, port = str(tcp).rpartition(":") if "$" not in str(tcp) else ("", "", str(tcp))
        tcp = RawTcp(port=port, host=host) if colon else RawTcp(port=port)
    else:
        at = at.at("port")
    port = str(tcp.port)
    if "$" not in port and not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
        at.report("config-value", f"a port is a number from 1 to 65535, not {port}")
        return None
    return TcpCheck(port=port, host=tcp.host)


def _log(raw: RawCheck, at: Site) -> CheckSpec | None:
    at = at.at("log")
    log = raw.log if isinstance(raw.log, RawLog) else RawLog(pattern=str(raw.log))
    check_pattern(log.pattern, at.at("pattern") if isinstance(raw.log, RawLog) else at)
    if log.stream not in ("stdout", "stderr", "both"):
        at.at("stream").report("config-value", "must be stdout, stderr or both")
    if log.count < 1:
        at.at("count").report("config-value", "must be 1 or more")
    return LogCheck(pattern=log.pattern, stream=log.stream, count=log.count)


def _jsonrpc(call: RawJsonRpc, at: Site) -> CheckSpec:
    _check_url(call.url, at.at("url"))
    check_pattern(call.result, at.at("result"))
    params = call.params
    if params is not None and not isinstance(params, list | dict):
        at.at("params").report("config-type", "must be a list or a map")
    text = "[]" if params is None else json.dumps(params)
    return JsonRpcCheck(url=call.url, method=call.method, params=text, result=call.result)


def _graphql(raw: RawCheck, at: Site) -> CheckSpec | None:
    at = at.at("graphql")
    is_map = isinstance(raw.graphql, RawGraphql)
    ask = raw.graphql if isinstance(raw.graphql, RawGraphql) else RawGraphql(url=str(raw.graphql))
    _check_url(ask.url, at.at("url") if is_map else at)
    check_pattern(ask.data, at.at("data"))
    return GraphqlCheck(url=ask.url, query=ask.query, data=ask.data)


def _check_url(url: str, at: Site) -> None:
    if not url.strip():
        at.report("config-value", "the URL is empty")
    elif not _SCHEME.match(url):
        at.warn("config-value", f'"{url}" has no scheme', f"did you mean http://{url}?")


def check_pattern(pattern: str | None, at: Site) -> None:
    """Report what cannot be searched for; one that holds a `${…}` is not known yet."""
    if pattern is None or "${" in pattern:
        return
    try:
        compile_pattern(pattern)
    except PatternError as error:
        at.report("config-value", str(error), error.hint)
