"""Wishes that an executor cannot fulfil, found before anything starts.

What executors can do comes in as names (`stdin`, `tasks`, …), so this folder knows no executor.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from harness.errors import PlanError
from harness.model import (
    CheckSpec,
    CommandCheck,
    Hooks,
    LogCheck,
    RestartMode,
    ServiceSpec,
    TaskSpec,
    UnitKind,
    UnitSpec,
)
from harness.suggestions import did_you_mean

__all__ = ["Unsupported", "check_capabilities", "unsupported"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsupported:
    """One wish that cannot be fulfilled.

    Attributes:
        unit: name of the unit that has it.
        wish: what it asks for, as users call it.
        executor: the unit's type.
        capability: what the executor lacks.
    """

    unit: str
    wish: str
    executor: str
    capability: str

    def __str__(self) -> str:
        return (
            f'"{self.unit}" has {self.wish}, '
            f"but units of type {self.executor} do not support {self.capability}"
        )


def check_capabilities(
    units: Mapping[str, UnitSpec], capabilities: Mapping[str, Collection[str]]
) -> None:
    """Refuse a stack with wishes that cannot be fulfilled.

    Args:
        units: by name.
        capabilities: executor's name → names of what it can do.

    Raises:
        PlanError: it names every unit, wish and executor concerned.
    """
    for unit in units.values():
        if unit.type not in capabilities:
            raise PlanError(
                f'cannot plan "{unit.name}": there is no executor of type "{unit.type}"',
                hint=did_you_mean(unit.type, capabilities),
                details={"unit": unit.name, "executor": unit.type},
            )
    found = unsupported(units, capabilities)
    if found:
        raise PlanError(
            f"cannot plan the stack: {'; '.join(map(str, found))}",
            details={
                "unsupported": [
                    {
                        "unit": item.unit,
                        "wish": item.wish,
                        "executor": item.executor,
                        "capability": item.capability,
                    }
                    for item in found
                ]
            },
        )


def unsupported(
    units: Mapping[str, UnitSpec], capabilities: Mapping[str, Collection[str]]
) -> tuple[Unsupported, ...]:
    """Return all wishes that cannot be fulfilled, in the order of the units."""
    return tuple(
        Unsupported(unit=unit.name, wish=wish, executor=unit.type, capability=capability)
        for unit in units.values()
        for wish, capability, is_wished in _WISHES
        if is_wished(unit) and capability not in capabilities[unit.type]
    )


def _checks(unit: UnitSpec) -> Iterator[CheckSpec]:
    return iter(()) if unit.health is None else unit.health.checks


def _reads_stdout(unit: UnitSpec) -> bool:
    return isinstance(unit, TaskSpec) and any(output.file is None for output in unit.outputs)


def _is_restarted(unit: UnitSpec) -> bool:
    return isinstance(unit, ServiceSpec) and unit.restart.mode is not RestartMode.NO


_WISHES: tuple[tuple[str, str, Callable[[UnitSpec], bool]], ...] = (
    ("to keep running", "services", lambda unit: unit.kind is UnitKind.SERVICE),
    ("a task's command", "tasks", lambda unit: unit.kind is UnitKind.TASK),
    ("stdin", "stdin", lambda unit: bool(getattr(unit.options, "stdin", False))),
    ("a user", "run_as_user", lambda unit: getattr(unit.options, "user", None) is not None),
    ("hooks", "starts", lambda unit: unit.hooks != Hooks()),
    ("env", "starts", lambda unit: bool(unit.env or unit.env_file)),
    ("a restart policy", "starts", _is_restarted),
    (
        "a command check",
        "exec",
        lambda unit: any(isinstance(c, CommandCheck) for c in _checks(unit)),
    ),
    ("a log check", "logs", lambda unit: any(isinstance(c, LogCheck) for c in _checks(unit))),
    ("outputs read from stdout", "logs", _reads_stdout),
)
