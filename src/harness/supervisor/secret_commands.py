"""Secrets that a program prints: run when a unit or workflow that uses them starts.

What it printed is kept in memory for that start alone, and never shown, also when it failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import anyio

from harness.commands import Command, Completed, run
from harness.config import resolve, unresolved
from harness.errors import CommandError, CommandTimeout, ConfigError, UnresolvedReference
from harness.model import Secret, SecretSpec

from .lookup import ProjectLookup, UnitLookup
from .masking import forms, masked

if TYPE_CHECKING:
    from .context import Context
    from .unit import Unit

__all__ = ["printed_secrets", "read_secret_commands"]

_MAX_BYTES = 1024 * 1024
_SHOWN = 200


async def read_secret_commands(unit: Unit) -> None:
    """Run the commands of all secrets that a unit uses, at the same time; the unit keeps them.

    Raises:
        UnresolvedReference: some failed; it says which, and why.
    """
    if any(spec.command is not None for spec in unit.context.spec.secrets.values()):
        lookup = UnitLookup(unit)
        unit.command_secrets = await printed_secrets(unit.context, _used(unit), lookup)


async def printed_secrets(
    context: Context, names: Iterable[str], lookup: ProjectLookup
) -> Mapping[str, Secret]:
    """Run the commands of secrets, at the same time; return what they printed, by name.

    Args:
        context: of the project; others of its secrets, and names of none, are left out.
        names: of secrets.
        lookup: resolves the commands.

    Raises:
        UnresolvedReference: some failed; it says which, and why.
    """
    found: dict[str, Secret] = {}
    problems: list[UnresolvedReference] = []

    async def read(spec: SecretSpec) -> None:
        try:
            found[spec.name] = Secret(await _printed(context, spec, lookup))
        except UnresolvedReference as error:
            problems.append(error)

    async with anyio.create_task_group() as group:
        for name in names:
            spec = context.spec.secrets.get(name)
            if spec is not None and spec.command is not None:
                group.start_soon(read, spec)
    if problems:
        raise UnresolvedReference(problems=[p for error in problems for p in error.problems])
    return found


class _Asking(UnitLookup):
    """Notes which secrets of commands are asked for."""

    def __init__(self, unit: Unit) -> None:
        super().__init__(unit)
        self.names: dict[str, None] = {}

    def _read_secret(self, spec: SecretSpec) -> Secret:
        if spec.command is None:
            return super()._read_secret(spec)
        self.names[spec.name] = None
        return Secret("")


def _used(unit: Unit) -> tuple[str, ...]:
    lookup, spec = _Asking(unit), unit.spec
    parts: tuple[Any, ...] = (dict(spec.env), spec.env_file, spec.options, spec.hooks, spec.health)
    for part in (*parts, spec):
        # What is wrong with it is told when it is resolved with all values.
        with suppress(ConfigError, ValueError):
            resolve(part, lookup)
    return tuple(lookup.names)


async def _printed(context: Context, spec: SecretSpec, lookup: ProjectLookup) -> str:
    used: set[str] = set()
    argv = resolve(spec.command or (), lookup, secrets=used)
    try:
        command = Command(
            argv=argv,
            env=context.client_env,
            inherit_env=False,
            working_dir=spec.base_dir or context.spec.base_dir,
            timeout_s=spec.timeout_s,
        )
        completed = await run(command, max_output_bytes=_MAX_BYTES, whole_tree=True)
    except CommandTimeout:
        raise _failed(spec, f"its command took longer than {spec.timeout_s:g} s") from None
    except CommandError as error:
        raise _failed(spec, masked(str(error), forms(used) | context.secrets)) from None
    except ValueError as error:
        raise _failed(spec, str(error)) from None
    if not completed.status.is_success:
        raise _failed(spec, _why(completed, forms(used) | context.secrets))
    try:
        text = completed.stdout.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise _failed(spec, "what its command printed is not UTF-8 text") from None
    if completed.dropped_bytes or "\0" in text or not text:
        what = "too much" if completed.dropped_bytes else "nothing" if not text else "a NUL"
        raise _failed(spec, f"its command printed {what}")
    return text


def _why(completed: Completed, secrets: frozenset[str]) -> str:
    """Return how a command ended, and its last complaint; what it printed may be the secret."""
    complaint = completed.stderr.decode(errors="replace").strip().rpartition("\n")[2]
    printed = completed.stdout.decode(errors="replace").strip()
    complaint = masked(complaint, secrets | forms([printed]))[:_SHOWN]
    return f"its command: {completed.status}" + (f": {complaint}" if complaint else "")


def _failed(spec: SecretSpec, cause: str) -> UnresolvedReference:
    return unresolved(f'cannot read the secret "{spec.name}": {cause}')
