"""What `${…}` means to one unit at the moment it starts."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.config import unresolved
from harness.errors import UnresolvedReference
from harness.model import Endpoint, Secret, SecretSpec

if TYPE_CHECKING:
    from .context import Context
    from .unit import Unit

__all__ = ["ProjectLookup", "UnitLookup"]


class ProjectLookup:
    """Resolves names for what belongs to no unit.

    Args:
        context: of the project.
        peer: finds units of the project.
        printed: what commands printed, by the secret's name.
    """

    def __init__(
        self,
        context: Context,
        peer: Callable[[str], Unit | None],
        *,
        printed: Mapping[str, Secret] | None = None,
    ) -> None:
        self._context = context
        self._peer = peer
        self._printed = printed or {}

    def variable(self, name: str) -> str | None:
        """Return a variable: of the client's environment, else of the stack file."""
        context = self._context
        return context.client_env.get(name, context.spec.variables.get(name))

    def reference(self, path: tuple[str, ...]) -> str:
        """Return what a dotted name stands for.

        Raises:
            UnresolvedReference: it has no value now; the message says why.
        """
        match path:
            case ("project", "name"):
                return self._context.project
            case ("harness", "python"):
                return sys.executable
            case ("secrets", name):
                return self._secret(name)
            case ("tasks", name, "outputs", *keys):
                return self._output(name, keys)
            case (name, *properties):
                return self._property(name, properties)
            case _:
                raise _unavailable(".".join(path), "it is no reference")

    def _secret(self, name: str) -> str:
        spec = self._context.spec.secrets.get(name)
        if spec is None:
            raise _unavailable(f"secrets.{name}", "the stack has no such secret")
        return self._read_secret(spec).reveal()

    def _read_secret(self, spec: SecretSpec) -> Secret:
        context = self._context
        if spec.env is not None:
            value = context.client_env.get(spec.env)
            if value is None:
                raise _unavailable(f"secrets.{spec.name}", f"${spec.env} is not set")
            return Secret(value)
        if spec.command is not None:
            found = self._printed.get(spec.name)
            if found is None:
                raise _unavailable(f"secrets.{spec.name}", "its command runs when the unit starts")
            return found
        path = Path(context.spec.base_dir, os.path.expanduser(spec.file or ""))
        try:
            return Secret(path.read_text(encoding="utf-8").rstrip("\n"))
        except (OSError, UnicodeDecodeError) as error:
            raise unresolved(
                f'cannot read the secret "{spec.name}": {_unreadable(error)}: {path}'
            ) from error

    def _output(self, task: str, keys: list[str]) -> str:
        whole = f"tasks.{task}.outputs.{'.'.join(keys)}"
        peer = self._peer(task)
        if peer is None:
            raise _unavailable(whole, f'the stack has no task "{task}"')
        if peer.record.completed is None:
            raise _unavailable(whole, f'the task "{task}" has not completed')
        value: Any = peer.record.outputs
        for key in keys:
            if not isinstance(value, dict) or key not in value:
                raise _unavailable(whole, f'the task "{task}" has no such output')
            value = value[key]
        return _text(value)

    def _property(self, name: str, properties: list[str]) -> str:
        whole = ".".join([name, *properties])
        peer = self._peer(name)
        if peer is None:
            raise _unavailable(whole, f'the stack has no service "{name}"')
        match properties:
            case ["data_dir"]:
                return str(peer.directories.data())
            case ["pid"] if peer.record.handle and peer.record.handle.pid:
                return str(peer.record.handle.pid)
            case ["container"] if peer.record.handle and peer.record.handle.container:
                return peer.record.handle.container
            case ["pid"] | ["container"]:
                raise _unavailable(whole, f'"{name}" does not run, or has none')
            case _:
                return _address(peer.endpoints(), properties, whole)


class UnitLookup(ProjectLookup):
    """Resolves names for `unit`; `context` stands for the unit's own, to try another client."""

    def __init__(self, unit: Unit, context: Context | None = None) -> None:
        super().__init__(
            context or unit.context,
            lambda name: unit if name == unit.name else unit.peer(name),
            printed=unit.command_secrets,
        )


def _unreadable(error: OSError | UnicodeDecodeError) -> str:
    match error:
        case FileNotFoundError():
            return "no such file"
        case OSError():
            return (error.strerror or str(error)).lower()
        case _:
            return "it is not UTF-8 text"


def _unavailable(reference: str, cause: str) -> UnresolvedReference:
    return unresolved(f"${{{reference}}} has no value: {cause}")


def _address(endpoints: dict[str, Endpoint], properties: list[str], whole: str) -> str:
    """Return a property that says where a service can be reached."""
    match properties:
        case ["ip" | "host"]:
            return _first(endpoints, whole).host if endpoints else "127.0.0.1"
        case ["port"]:
            return str(_first(endpoints, whole).port)
        case ["url"]:
            return _first(endpoints, whole).url
        case ["ports", port]:
            return str(_named(endpoints, port, whole).port)
        case ["urls", port]:
            return _named(endpoints, port, whole).url
        case _:
            raise _unavailable(whole, f'a service has no property "{properties[0]}"')


def _first(endpoints: dict[str, Endpoint], whole: str) -> Endpoint:
    for endpoint in endpoints.values():
        return endpoint
    raise _unavailable(whole, "the service has no port, or has not started")


def _named(endpoints: dict[str, Endpoint], name: str, whole: str) -> Endpoint:
    if name not in endpoints:
        known = ", ".join(endpoints) or "none"
        raise _unavailable(whole, f'the service has no port "{name}" (known: {known})')
    return endpoints[name]


def _text(value: Any) -> str:
    """Return an output as text: a string as it is, anything else as JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"))
