"""A unit as the file says it to the unit the rest of the product works with."""

from __future__ import annotations

import signal as signals
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.model import (
    Backoff,
    Condition,
    Dependency,
    Hook,
    Hooks,
    OutputSpec,
    RememberMode,
    RestartMode,
    RestartPolicy,
    ServiceSpec,
    SetupSpec,
    TaskSpec,
    UnitKind,
    UnitSpec,
)
from harness.suggestions import nearest

from .convert_command import argv
from .convert_custom import CustomChecks
from .convert_health import check_pattern, health
from .convert_ports import ports
from .problems import Site, did_you_mean
from .schema_raw import (
    HookValue,
    RawDependency,
    RawHook,
    RawRestart,
    RawService,
    RawSettings,
    RawTask,
    RawUnit,
)

__all__ = ["Names", "UnitFacts", "convert_unit"]

_USUAL_SIGNALS = "usual ones: SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGKILL, SIGUSR1, SIGUSR2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Which units there are: name → kind, and name → the profiles an inactive one waits for."""

    kinds: Mapping[str, UnitKind]
    inactive: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitFacts:
    """What is known of a unit beside what its block says."""

    name: str
    type: str
    options: Any
    base_dir: str
    settings: RawSettings
    custom: CustomChecks


def convert_unit(raw: RawUnit, facts: UnitFacts, site: Site, names: Names) -> UnitSpec:
    """Return the unit without its implicit dependencies; what is wrong is reported."""
    settings = facts.settings
    common: dict[str, Any] = {
        "name": facts.name,
        "type": facts.type,
        "options": facts.options,
        "base_dir": facts.base_dir,
        "description": raw.description,
        "env": dict(raw.env),
        "env_file": _tuple(raw.env_file),
        "depends_on": _dependencies(raw, facts.name, site.at("depends_on"), names),
        "ports": ports(raw.ports, site.at("ports")),
        "health": health(raw, site, interval_s=settings.health_check_interval, custom=facts.custom),
        "hooks": _hooks(raw, site.at("hooks")),
        "startup_timeout_s": _first(raw.startup_timeout, settings.startup_timeout, 60.0),
        "shutdown_timeout_s": _first(raw.shutdown_timeout, settings.shutdown_timeout, 10.0),
        "stop_signal": _signal(str(raw.stop_signal), site.at("stop_signal")),
        "labels": dict(raw.labels),
        "profiles": _tuple(raw.profiles),
    }
    for name, value in (
        ("startup_timeout", raw.startup_timeout),
        ("timeout", raw.timeout if isinstance(raw, RawTask) else None),
    ):
        if value is not None and value <= 0:
            site.at(name).report("config-value", "must be longer than 0")
    for name in raw.env:
        if not name or "=" in name or "\0" in name:
            site.at("env", name).report_key("config-value", f'"{name}" is no variable\'s name')
    if isinstance(raw, RawService):
        return ServiceSpec(
            **common,
            service_type=raw.service_type,
            setup=_setup(raw, site.at("setup")),
            restart=_restart(raw.restart, site.at("restart")),
            version=raw.version,
        )
    assert isinstance(raw, RawTask)  # noqa: S101 - there is no third kind
    for unused in [key for key in ("task_type", "config") if getattr(raw, key)]:
        site.at(unused).warn("config-value", "has no effect: the task has a command of its own")
    if raw.retries < 0:
        site.at("retries").report("config-value", "must be 0 or more")
    return TaskSpec(
        **common,
        outputs=_outputs(raw, site.at("outputs")),
        retries=raw.retries,
        timeout_s=raw.timeout,
        creates=_tuple(raw.creates),
        inputs=_tuple(raw.inputs),
        remember=RememberMode(raw.remember),
    )


def _tuple(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _first(*values: float | None) -> float:
    return next(value for value in values if value is not None)


def _signal(text: str, site: Site) -> str:
    if text.isdigit():
        try:
            return signals.Signals(int(text)).name
        except ValueError:
            site.report("config-value", f"there is no signal {text}", _USUAL_SIGNALS)
            return text
    short = text.upper().removeprefix("SIG")
    known = [signal.name.removeprefix("SIG") for signal in signals.Signals]
    if short not in known:
        close = nearest(short, known)  # without what all names begin with, which makes them alike
        hint = f'did you mean "SIG{close}"?' if close else _USUAL_SIGNALS
        site.report("config-value", f'there is no signal "{text}"', hint)
    return f"SIG{short}"


# ── dependencies ─────────────────────────────────────────────────────────────────────────────────


def _dependencies(raw: RawUnit, own: str, site: Site, names: Names) -> tuple[Dependency, ...]:
    edges: dict[tuple[str, Condition, str | None], Dependency] = {}
    items: list[tuple[str | RawDependency, Site, str | None]]
    if isinstance(raw.depends_on, Mapping):
        items = [(value, site.at(name), name) for name, value in raw.depends_on.items()]
    else:
        values = _tuple(raw.depends_on) if isinstance(raw.depends_on, str) else raw.depends_on
        items = [(value, site.at(i), None) for i, value in enumerate(values)]
    for value, at, key in items:
        edge = _dependency(value, at, key, names)
        if edge is None:
            continue
        if edge.on == own:
            at.report("config-value", f'"{own}" cannot wait for itself')
        elif _is_available(edge, at, names):
            edges.setdefault((edge.on, edge.condition, edge.stage), edge)
    return tuple(edges.values())


def _dependency(
    value: str | RawDependency, at: Site, key: str | None, names: Names
) -> Dependency | None:
    raw = RawDependency() if isinstance(value, str) else value
    given = [name for name in (key, raw.service, raw.task) if name is not None]
    if isinstance(value, str):
        given = [value]
    if len(given) != 1:
        at.report("config-value", "must name one unit, by `service` or by `task`")
        return None
    on = given[0]
    kind = names.kinds.get(on)
    wanted = UnitKind.TASK if raw.task else UnitKind.SERVICE if raw.service else None
    of_kind = [n for n, k in names.kinds.items() if wanted in (None, k)]
    if kind is None or (wanted is not None and kind is not wanted):
        noun = wanted.value if wanted else "service or task"
        hint = did_you_mean(on, of_kind)
        if kind is not None:
            hint = f"it is a {kind.value}: write `{kind.value}: {on}`"
        where = at if isinstance(value, str) or key else at.at("task" if raw.task else "service")
        where.report("config-unknown-unit", f'no {noun} "{on}"', hint)
        return None
    condition = _condition(raw, kind, at)
    if raw.stage is not None and condition is not Condition.HEALTHY:
        at.at("stage").report("config-value", "a stage goes with the condition healthy only")
        return None
    return Dependency(
        on=on,
        condition=condition,
        stage=raw.stage,
        required=raw.required,
        restart=raw.restart,
    )


def _condition(raw: RawDependency, kind: UnitKind, at: Site) -> Condition:
    if raw.condition is None:
        return Condition.COMPLETED if kind is UnitKind.TASK else Condition.HEALTHY
    word = raw.condition.removeprefix("service_").removesuffix("_successfully")
    condition = Condition(word)
    if condition is Condition.HEALTHY and kind is UnitKind.TASK:
        at.at("condition").report(
            "config-value", "a task is never healthy", "wait for completed, or for started"
        )
    return condition


def _is_available(edge: Dependency, at: Site, names: Names) -> bool:
    """Tell whether the edge can stand; a needed unit that no active profile has is a problem."""
    profiles = names.inactive.get(edge.on)
    if profiles is not None and edge.required:
        at.report(
            "config-inactive-unit",
            f'"{edge.on}" is not in the active profiles; it belongs to {", ".join(profiles)}',
            f"add --profile {profiles[0]}, or write `required: false`",
        )
        return False
    return True


# ── restart, hooks, outputs ──────────────────────────────────────────────────────────────────────


def _setup(raw: RawService, site: Site) -> SetupSpec:
    if site.node is not None and raw.service_type is None:
        site.report_key(
            "config-value",
            "has no meaning without a service_type, which says how",
            "write a task, and let the service depend on it",
        )
    if isinstance(raw.setup, bool):
        return SetupSpec(is_wanted=raw.setup)
    if raw.setup.timeout is not None and raw.setup.timeout <= 0:
        site.at("timeout").report("config-value", "must be longer than 0")
    if raw.setup.retries is not None and raw.setup.retries < 0:
        site.at("retries").report("config-value", "must be 0 or more")
    return SetupSpec(timeout_s=raw.setup.timeout, retries=raw.setup.retries)


def _restart(raw: str | RawRestart | None, site: Site) -> RestartPolicy:
    if raw is None:
        return RestartPolicy()
    if isinstance(raw, str):
        mode, _, attempts = raw.partition(":")
        known = [m.value for m in RestartMode]
        if mode not in known or (attempts and not attempts.isdigit()):
            hint = "write no" if raw in ("false", "never") else did_you_mean(raw, known)
            site.report("config-value", f"must be one of {', '.join(known)}, or a map", hint)
            return RestartPolicy()
        policy = RestartPolicy(mode=RestartMode(mode))
        if attempts:
            return RestartPolicy(mode=policy.mode, max_attempts=int(attempts))
        return policy
    backoff = {
        name: value
        for name, value in (
            ("initial_s", raw.backoff.initial),
            ("factor", raw.backoff.factor),
            ("max_s", raw.backoff.max),
            ("jitter", raw.backoff.jitter),
            ("reset_after_s", raw.backoff.reset_after),
        )
        if value is not None
    }
    if backoff.get("factor", 1.0) < 1:
        site.at("backoff", "factor").report("config-value", "must be 1 or more")
    if not 0 <= backoff.get("jitter", 0.0) <= 1:
        site.at("backoff", "jitter").report("config-value", "must be from 0 to 1")
    if raw.max_attempts is not None and raw.max_attempts < 0:
        site.at("max_attempts").report("config-value", "must be 0 or more")
    attempts_set = {} if raw.max_attempts is None else {"max_attempts": raw.max_attempts}
    return RestartPolicy(
        mode=RestartMode(raw.mode),
        window_s=raw.window,
        backoff=Backoff(**backoff),
        **attempts_set,
    )


def _hooks(raw: RawUnit, site: Site) -> Hooks:
    moments = ("pre_start", "post_start", "pre_stop", "post_stop")
    return Hooks(**{m: _moment(getattr(raw.hooks, m), site.at(m)) for m in moments})


def _moment(value: HookValue, site: Site) -> tuple[Hook, ...]:
    if not isinstance(value, tuple):
        hook = _hook(value, site)
        return (hook,) if hook else ()
    hooks = (_hook(item, site.at(index)) for index, item in enumerate(value))
    return tuple(hook for hook in hooks if hook is not None)


def _hook(value: str | RawHook | tuple[str, ...], site: Site) -> Hook | None:
    raw = value if isinstance(value, RawHook) else RawHook(command=value)
    at = site.at("command") if isinstance(value, RawHook) else site
    words = argv(raw.command, raw.args, raw.shell, at)
    if raw.timeout <= 0:
        site.at("timeout").report("config-value", "must be longer than 0")
    return Hook(argv=words, timeout_s=raw.timeout) if words else None


def _outputs(raw: RawTask, site: Site) -> tuple[OutputSpec, ...]:
    if not isinstance(raw.outputs, Mapping):
        return tuple(OutputSpec(name=name, json=name) for name in raw.outputs)
    result = []
    for name, value in raw.outputs.items():
        if isinstance(value, str):
            result.append(OutputSpec(name=name, json=value))
            continue
        if [value.json, value.file, value.regex].count(None) != 2:
            site.at(name).report("config-value", "must have exactly one of json, file, regex")
            continue
        check_pattern(value.regex, site.at(name, "regex"))
        result.append(OutputSpec(name=name, json=value.json, file=value.file, regex=value.regex))
    return tuple(result)
