"""What a unit's texts refer to: check that it exists, and make the edges it implies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from harness.errors import UnresolvedReference
from harness.model import Condition, Dependency, TaskSpec, UnitKind, UnitSpec
from harness.suggestions import nearest

from .convert_unit import Names
from .grammar import (
    PROPERTIES,
    InterpolationSyntaxError,
    Reference,
    Variable,
    expressions,
    references,
)
from .interpolate import missing
from .nodes import Map, Path, Scalar, scalars
from .problems import Site, did_you_mean
from .schema_check import field_names
from .static import StaticLookup

__all__ = ["Permissive", "World", "link"]

_UNRESOLVED = UnresolvedReference.kind
_BLOCKS = ("health_check", "readiness", "liveness", "stages")
_URL_CHECKS = ("http", "jsonrpc", "graphql")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything a reference may name.

    Attributes:
        units: the active units.
        names: all units, active or not.
        damaged: unit with problems of its own → its block: what it lacks may have been left out.
        executors: executor name → type of its options.
        secrets: names of the stack's secrets.
        lookup: variables and the project's name.
        secret_users: secret → the units that use it; `link` adds to it.
    """

    units: Mapping[str, UnitSpec]
    names: Names
    damaged: Mapping[str, Map]
    executors: Mapping[str, type]
    secrets: tuple[str, ...]
    lookup: StaticLookup
    secret_users: dict[str, list[str]] = field(default_factory=dict)


def link(unit: UnitSpec, node: Map, site: Site, world: World) -> UnitSpec:
    """Return the unit with an edge for every unit it refers to; report what does not exist."""
    linker = _Linker(unit, world)
    for path, scalar in scalars(node):
        if isinstance(scalar.value, str) and "$" in scalar.text:
            linker.text(scalar, site.at(*path))
    return replace(unit, depends_on=(*unit.depends_on, *linker.edges.values()))


class _Linker:
    def __init__(self, unit: UnitSpec, world: World) -> None:
        self._unit = unit
        self._world = world
        self._known = {edge.on for edge in unit.depends_on}
        self.edges: dict[str, Dependency] = {}

    def text(self, scalar: Scalar, site: Site) -> None:
        for offset, expression in expressions(scalar.text):
            place = site.within(scalar.mark_at(offset))
            if isinstance(expression, InterpolationSyntaxError):
                place.report(_UNRESOLVED, str(expression))
            else:
                self._expression(expression, place)
                if offset == 0 and _is_check_url(site.path):
                    self._scheme(expression, place)

    def _expression(self, text: str, site: Site) -> None:
        found = references(text)
        for name in found:
            if isinstance(name, Reference):
                self._reference(name.path, site)
            else:
                self._dash(name, site)
        own = self._own_hint(found)
        for _, problem in missing(text, Permissive(self._world.lookup)):
            site.report(problem.kind, problem.message, own or problem.hint)

    def _own_hint(self, found: tuple[Variable | Reference, ...]) -> str | None:
        """Explain a name that is missing here and stands in the unit's own `env`."""
        for name in found:
            if isinstance(name, Variable) and name.name in self._unit.env:
                return (
                    f"{name.name} in `env` is seen by the unit's processes only; a shell line "
                    f"reads it as $${{{name.name}}}"
                )
        return None

    def _dash(self, variable: Variable, site: Site) -> None:
        """Report `${my-unit.prt}`: it reads as variable `my` with a default."""
        if variable.operator != "-" or not variable.word or not isinstance(variable.word[0], str):
            return
        name, dot, rest = f"{variable.name}-{variable.word[0]}".partition(".")
        if dot and name in self._world.names.kinds:
            self._reference((name, *rest.split(".")), site)

    def _reference(self, path: tuple[str, ...], site: Site) -> None:
        text = f"${{{'.'.join(path)}}}"
        match path:
            case ("project", "name") | ("harness", "python"):
                return
            case ("project", *_):
                site.report(_UNRESOLVED, f"{text}: a project has only `name`")
            case ("secrets", name):
                self._world.secret_users.setdefault(name, []).append(self._unit.name)
                if name not in self._world.secrets:
                    hint = did_you_mean(name, self._world.secrets)
                    site.report(_UNRESOLVED, f'{text}: there is no secret "{name}"', hint)
            case ("tasks", name, "outputs", key, *_):
                self._output(text, name, key, site)
            case ("secrets" | "tasks", *_):
                hint = "write ${secrets.NAME} or ${tasks.NAME.outputs.KEY}"
                site.report(_UNRESOLVED, f"{text} is incomplete", hint)
            case _:
                self._property(text, path[0], path[1:], site)

    def _find(self, text: str, name: str, site: Site, kind: UnitKind | None) -> UnitSpec | None:
        names = self._world.names
        if name in names.inactive:
            profiles = names.inactive[name]
            site.report(
                _UNRESOLVED, f'{text}: "{name}" is not in the active profiles',
                f"add --profile {profiles[0]}",
            )  # fmt: skip
            return None
        unit = self._world.units.get(name)
        if name not in names.kinds or (unit is not None and kind not in (None, unit.kind)):
            known = [n for n, k in names.kinds.items() if kind in (None, k)]
            noun = "service or task" if kind is None else kind.value
            site.report(_UNRESOLVED, f'{text}: no {noun} "{name}"', did_you_mean(name, known))
            return None
        return unit

    def _output(self, text: str, name: str, key: str, site: Site) -> None:
        task = self._find(text, name, site, UnitKind.TASK)
        if not isinstance(task, TaskSpec):
            return
        if task.name == self._unit.name:
            site.report(_UNRESOLVED, f"{text}: a task's outputs are there only after it ran")
            return
        known = [output.name for output in task.outputs]
        names_own = getattr(self._world.executors.get(task.type), "has_outputs", False)
        if key not in known and not names_own and not self._may_have("outputs", name):
            missing = f"add it to tasks.{name}.outputs"
            message = f'{text}: task "{name}" has no output "{key}"'
            site.report(_UNRESOLVED, message, did_you_mean(key, known) or missing)
            return
        self._edge(task)

    def _property(self, text: str, name: str, rest: tuple[str, ...], site: Site) -> None:
        unit = self._find(text, name, site, None)
        if unit is None:
            return
        if rest[0] == "outputs":
            instead = f"write ${{tasks.{name}.{'.'.join(rest)}}}"
            site.report(_UNRESOLVED, f"{text}: outputs belong to tasks", instead)
        elif rest[0] not in PROPERTIES or len(rest) != (2 if rest[0] in ("ports", "urls") else 1):
            hint = did_you_mean(rest[0], PROPERTIES)
            if rest[0] in PROPERTIES:
                hint = f"write ${{{name}.port}}, ${{{name}.ports.NAME}} or ${{{name}.urls.NAME}}"
            message = f'{text}: "{name}" has no property "{".".join(rest)}"'
            site.report(_UNRESOLVED, message, hint)
        elif self._has_port(text, unit, rest, site):
            self._edge(unit)

    def _has_port(self, text: str, unit: UnitSpec, rest: tuple[str, ...], site: Site) -> bool:
        """Check what is known of ports; a type whose options hold endpoints knows better."""
        if rest[0] not in ("port", "ports", "url", "urls") or self._has_endpoints(unit):
            return True
        if self._may_have("ports", unit.name):
            return True
        if not unit.ports:
            add = f"add `ports` to {unit.kind.value}s.{unit.name}"
            site.report(_UNRESOLVED, f'{text}: "{unit.name}" has no ports', add)
            return False
        if len(rest) == 2 and rest[1] not in unit.ports:
            hint = did_you_mean(rest[1], unit.ports)
            site.report(_UNRESOLVED, f'{text}: "{unit.name}" has no port "{rest[1]}"', hint)
            return False
        return True

    def _has_endpoints(self, unit: UnitSpec) -> bool:
        """Tell whether options of the unit's type may hold endpoints, which an unknown type may."""
        options_type = self._world.executors.get(unit.type)
        return options_type is None or "endpoints" in {
            *dir(options_type),
            *field_names(options_type),
        }

    def _may_have(self, key: str, name: str) -> bool:
        """Tell whether a damaged unit has a key in the file, perhaps misspelt."""
        block = self._world.damaged.get(name)
        return block is not None and nearest(key, block.entries, cutoff=0.8) is not None

    def _scheme(self, text: str, site: Site) -> None:
        """Check that the URL of a port, which a check's URL begins with, is one of HTTP."""
        match references(text):
            case (Reference(path=(name, "url" | "urls", *rest)),):
                unit = self._world.units.get(name)
            case _:
                return
        if unit is None or self._has_endpoints(unit) or name in self._world.damaged:
            return
        port = next((port for port in unit.ports.values() if rest in ([], [port.name])), None)
        if port is None or (port.scheme or "").lower() in ("http", "https"):
            return
        what = f"has the scheme {port.scheme}" if port.scheme else "has no scheme"
        number = f"ports.{port.name}" if rest else "port"
        site.report(
            "config-value",
            f'{text} is no URL of HTTP: the port "{port.name}" of "{name}" {what}',
            f"write `scheme: http` at that port, or http://${{{name}.host}}:${{{name}.{number}}} "
            "here",
        )

    def _edge(self, unit: UnitSpec) -> None:
        if unit.name == self._unit.name or unit.name in self._known:
            return
        is_task = unit.kind is UnitKind.TASK
        self.edges[unit.name] = Dependency(
            on=unit.name,
            condition=Condition.COMPLETED if is_task else Condition.HEALTHY,
            implicit=True,
        )


def _is_check_url(path: Path) -> bool:
    """Tell whether it is the place of a check's URL, in a unit."""
    last = path[-2] if path[-1] == "url" else path[-1]
    return path[2] in _BLOCKS and last in _URL_CHECKS


class Permissive:
    """Knows variables, and takes every reference as resolved: only variables can be missing."""

    def __init__(self, lookup: StaticLookup) -> None:
        self._lookup = lookup

    def variable(self, name: str) -> str | None:
        """Return a variable."""
        return self._lookup.variable(name)

    def reference(self, path: tuple[str, ...]) -> str:
        """Return what stands for a reference."""
        return f"<{'.'.join(path)}>"
