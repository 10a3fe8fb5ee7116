"""A stack as JSON values and back: what the daemon keeps for the time after its own crash."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from pydantic import TypeAdapter, ValidationError

from harness.errors import StorageError
from harness.model import (
    CheckSpec,
    CompositeCheck,
    CustomCheck,
    HealthSpec,
    ProbeSpec,
    ServiceSpec,
    StackSpec,
    StoredOptions,
    TaskSpec,
    UnitKind,
    UnitSpec,
)

__all__ = ["StackCodec"]

_SCALARS = (str, int, float, bool)
_known_defaults: dict[type[Any], tuple[tuple[str, Any], ...]] = {}


class StackCodec:
    """Encodes and decodes stacks.

    Args:
        executors: executor name → its options type, as the loader got it.
        checks: name of a health check that a plugin brings → its options type.
    """

    def __init__(
        self,
        executors: Mapping[str, type],
        checks: Mapping[str, type] = MappingProxyType({}),
    ) -> None:
        self._executors = executors
        self._checks = checks

    def encode(self, spec: StackSpec) -> dict[str, Any]:
        """Return the stack as JSON values; secrets are not in it, only where they come from."""
        value: dict[str, Any] = _plain(dataclasses.replace(spec, units={}))
        value["units"] = [{"kind": unit.kind.value, **_plain(unit)} for unit in spec.units.values()]
        return value

    def decode(self, value: Mapping[str, Any]) -> StackSpec:
        """Return the stack that `encode` was given.

        Where the executor of a unit, or a check, is not there any more, its options are
        `StoredOptions`: when it is back, nothing of them is lost.

        Raises:
            StorageError: the layout is unknown.
        """
        units = [self._unit(unit) for unit in value["units"]]
        rest = {key: item for key, item in value.items() if key != "units"}
        try:
            spec: StackSpec = _adapter(StackSpec).validate_python({**rest, "units": {}})
        except ValidationError as error:
            raise StorageError(f"cannot read a stored stack: {error}") from error
        return dataclasses.replace(spec, units={unit.name: unit for unit in units})

    def _unit(self, value: Mapping[str, Any]) -> UnitSpec:
        model = TaskSpec if value["kind"] == UnitKind.TASK else ServiceSpec
        facts = {key: item for key, item in value.items() if key not in ("kind", "options")}
        try:
            unit: UnitSpec = _adapter(model).validate_python({**facts, "options": None})
            options = _options(self._executors.get(unit.type), value["options"])
            return dataclasses.replace(unit, options=options, health=self._health(unit.health))
        except ValidationError as error:
            raise StorageError(f"cannot read a stored stack: {error}") from error

    def _health(self, health: HealthSpec | None) -> HealthSpec | None:
        if health is None:
            return None
        stages = tuple(
            dataclasses.replace(stage, probe=self._probe(stage.probe)) for stage in health.stages
        )
        liveness = self._probe(health.liveness) if health.liveness else None
        return HealthSpec(stages=stages, liveness=liveness)

    def _probe(self, probe: ProbeSpec) -> ProbeSpec:
        return dataclasses.replace(probe, check=self._check(probe.check))

    def _check(self, check: CheckSpec) -> CheckSpec:
        if isinstance(check, CompositeCheck):
            return dataclasses.replace(check, checks=tuple(map(self._check, check.checks)))
        if isinstance(check, CustomCheck):
            options = _options(self._checks.get(check.kind), check.options)
            return dataclasses.replace(check, options=options)
        return check


def _options(of: type | None, value: Mapping[str, Any]) -> Any:
    return StoredOptions(values=value) if of is None else _adapter(of).validate_python(value)


@cache
def _adapter(of: type) -> TypeAdapter[Any]:
    return TypeAdapter(of)


def _plain(value: Any, *, whole: bool = False) -> Any:
    """Return JSON values; fields at their defaults are left out, since `decode` fills them in.

    Args:
        value: model data.
        whole: leave nothing out. Checks need it: their fields tell which kind of check one is.
    """
    if value is None or isinstance(value, _SCALARS):
        return value
    if isinstance(value, StoredOptions):
        return value.values
    if isinstance(value, Mapping):
        return {key: _plain(item, whole=whole) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item, whole=whole) for item in value]
    return {
        name: _plain(item, whole=whole or name == "health")
        for name, default in _defaults(type(value))
        if (item := getattr(value, name)) != default or whole
    }


def _defaults(of: type[Any]) -> tuple[tuple[str, Any], ...]:
    """Return each field of a dataclass with its default, or with what equals nothing."""
    if of in _known_defaults:
        return _known_defaults[of]
    found = []
    for field in dataclasses.fields(of):
        default = field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        found.append((field.name, default))
    return _known_defaults.setdefault(of, tuple(found))
