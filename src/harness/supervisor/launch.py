"""Prepares one run of a unit: resolves every reference, chooses ports, makes its directories."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anyio import to_thread

from harness.config import read_env_file, resolve
from harness.errors import ConfigError, StartFailed
from harness.executors import StartRequest
from harness.model import EventKind, HealthSpec, Hooks, RememberMode, TaskSpec, UnitKind
from harness.plan import field_hashes, fingerprint

from .completion import input_hash
from .lookup import UnitLookup
from .masking import forms
from .ports import PortTaken
from .secret_commands import read_secret_commands
from .values import value_hashes

if TYPE_CHECKING:
    from .context import Context
    from .unit import Unit

__all__ = ["Run", "current_input_hash", "discard_run", "inherited_environment", "prepare_run"]

_HARNESS_VARIABLES = "HARNESS_"
_NO_HASH = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a unit with everything resolved.

    Attributes:
        request: what the executor gets.
        hooks: the unit's hooks.
        health: the unit's checks, or None.
        input_hash: of a task: hash of what decides its result.
    """

    request: StartRequest
    hooks: Hooks
    health: HealthSpec | None
    input_hash: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Resolved:
    """What a definition says with every reference filled in; `env` is what it sets itself."""

    options: Any
    env: Mapping[str, str]
    hooks: Hooks
    health: HealthSpec | None
    task: TaskSpec | None


async def prepare_run(unit: Unit, *, anew: bool = True) -> Run:
    """Prepare a run, durably noted before anything exists of it.

    Args:
        unit: whose run.
        anew: a new generation with new directories; False resolves again for the run that exists.

    Raises:
        StartFailed: a port is taken.
        UnresolvedReference: a reference has no value now.
    """
    record = unit.record
    if anew:
        _assign_ports(unit)
    await read_secret_commands(unit)
    lookup = UnitLookup(unit)
    found = _resolve(unit, lookup)
    digest = None
    if found.task is not None:
        make_hash = partial(
            input_hash, found.task, options=found.options, env=found.env, runs=_runs(unit)
        )
        # Input files may be large; without any, a thread would only cost time.
        digest = await to_thread.run_sync(make_hash) if found.task.inputs else make_hash()
    if anew:
        record.values = value_hashes(unit.spec, lookup)
        _begin_generation(unit)
    request = StartRequest(
        project=unit.context.project,
        unit=unit.name,
        kind=unit.kind,
        generation=record.generation,
        token=record.token,
        run_dir=unit.directories.run(record.generation),
        log_dir=unit.directories.root,
        base_dir=Path(unit.spec.base_dir),
        options=found.options,
        env={**inherited_environment(unit), **found.env},
        endpoints=unit.endpoints(),
    )
    return Run(request=request, hooks=found.hooks, health=found.health, input_hash=digest)


def _resolve(unit: Unit, lookup: UnitLookup) -> _Resolved:
    """Fill in every reference; the secrets among them are shown nowhere from now on.

    Raises:
        StartFailed: with the references filled in, the definition does not fit together.
        UnresolvedReference: a reference has no value now.
    """
    spec, shown = unit.spec, set[str]()
    try:
        return _Resolved(
            env=_own_environment(unit, lookup, shown),
            options=resolve(spec.options, lookup, secrets=shown),
            hooks=resolve(spec.hooks, lookup, secrets=shown),
            health=resolve(spec.health, lookup, secrets=shown),
            task=resolve(spec, lookup, secrets=shown) if isinstance(spec, TaskSpec) else None,
        )
    except ValueError as error:
        raise StartFailed(service=unit.name, executor=spec.type, cause=str(error)) from error
    finally:
        # Whatever failed: its message may name what was filled in.
        unit.context.secrets |= forms(shown)


def current_input_hash(unit: Unit, context: Context) -> str | None:
    """Return the hash of a task's inputs as they are now, or None while they are not known.

    Of such as do not fit together it is one that nothing has: its next run says why.
    """
    lookup = UnitLookup(unit, context)
    try:
        task = resolve(unit.task, lookup)
        own_env = _own_environment(unit, lookup, set())
    except ConfigError:
        return None
    except ValueError:
        return _NO_HASH
    return input_hash(task, options=task.options, env=own_env, runs=_runs(unit))


def discard_run(run: Run) -> None:
    """Remove the directory of a run that was prepared and is not wanted."""
    shutil.rmtree(run.request.run_dir, ignore_errors=True)


def _begin_generation(unit: Unit) -> None:
    """Store the intent before the run exists: the next daemon looks for it in its directory."""
    record = unit.record
    record.generation += 1
    record.token = secrets.token_hex(8)
    record.fields = field_hashes(unit.spec)
    record.fingerprint = fingerprint(record.fields)
    record.log_offsets = {name: stream.size() for name, stream in unit.log.streams.items()}
    record.stages = {}
    unit.store()
    unit.directories.make_run(record.generation)


def _assign_ports(unit: Unit) -> None:
    if not unit.is_started_here:
        # What runs already listens already: its ports are a fact, not a wish.
        fixed = {name: port.host for name, port in unit.spec.ports.items()}
        unit.record.ports = {name: port for name, port in fixed.items() if port is not None}
        return
    owner = f"{unit.context.project}/{unit.name}"
    before = dict(unit.record.ports)
    try:
        unit.record.ports = unit.context.ports.assign(
            owner, unit.spec.ports, remembered=unit.record.ports
        )
    except PortTaken as error:
        raise StartFailed(service=unit.name, executor=unit.spec.type, cause=str(error)) from error
    for name, port in unit.record.ports.items():
        if before.get(name) != port and unit.spec.ports[name].host is None:
            unit.context.publish(EventKind.PORT_ASSIGNED, unit.name, name=name, port=port)


def _own_environment(unit: Unit, lookup: UnitLookup, shown: set[str]) -> dict[str, str]:
    """Return the variables that the definition sets, resolved."""
    own: dict[str, str] = {}
    for name in resolve(unit.spec.env_file, lookup):
        own.update(read_env_file(os.path.join(unit.spec.base_dir, name)))
    # What an env file says is literal: a `$` in a password is no reference.
    return {**own, **resolve(dict(unit.spec.env), lookup, secrets=shown)}


def inherited_environment(unit: Unit) -> Mapping[str, str]:
    """Return what a unit inherits of the client's environment."""
    inherit = unit.context.spec.settings.inherit_env
    client_env = unit.context.client_env
    if inherit is False:
        return {}
    if inherit is True:
        # The harness's own settings are the client's business, not the service's.
        return {k: v for k, v in client_env.items() if not k.startswith(_HARNESS_VARIABLES)}
    return {name: client_env[name] for name in inherit if name in client_env}


def _runs(unit: Unit) -> dict[str, int]:
    """Return the runs of services that a task's completion is bound to."""
    if unit.task.remember is not RememberMode.RUN:
        return {}
    peers = (unit.peer(dependency.on) for dependency in unit.spec.depends_on)
    return {
        peer.name: peer.record.generation
        for peer in peers
        if peer is not None and peer.kind is UnitKind.SERVICE
    }
