"""The types of units and of checks that a stack file may name: built-in ones, and others' ones.

Others are asked for when a file names what is not built in: who uses built-in types alone waits for
nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["ExtraTypes", "FindTypes", "Types"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraTypes:
    """What plugins bring, as far as reading a stack file needs it.

    Attributes:
        executors: executor name → dataclass of its options.
        checks: name of a health check → dataclass of its options.
        service_types: names that services may have as `service_type`.
        task_types: names that tasks may have as `task_type`.
        broken: names of plugins that cannot be used.
    """

    executors: Mapping[str, type] = field(default_factory=dict)
    checks: Mapping[str, type] = field(default_factory=dict)
    service_types: Sequence[str] = ()
    task_types: Sequence[str] = ()
    broken: Sequence[str] = ()


FindTypes = Callable[[], ExtraTypes]
"""Finds what plugins bring; it may take a while, and is called at most once for a stack."""


class Types:
    """The types that there are, for one reading of one stack.

    Args:
        executors: built-in ones, name → dataclass of its options.
        find: finds those of plugins; None: there are none.
        with_typed: names of service types and task types are checked, too, for which plugins are
            asked. Reading a stack leaves that to the daemon, which has them loaded.
    """

    def __init__(
        self,
        executors: Mapping[str, type],
        find: FindTypes | None = None,
        *,
        with_typed: bool = False,
    ) -> None:
        self._with_typed = with_typed
        self._builtin = executors
        self._find = find
        self._extra: ExtraTypes | None = None

    @property
    def executors(self) -> Mapping[str, type]:
        """Types of units that are known so far."""
        return self._builtin if self._extra is None else {**self._extra.executors, **self._builtin}

    @property
    def checks(self) -> Mapping[str, type]:
        """All health checks that plugins bring."""
        return self._found().checks

    @property
    def service_types(self) -> Sequence[str] | None:
        """Names that a service may have as `service_type`; None: that is not checked here."""
        return self._found().service_types if self._with_typed else None

    @property
    def task_types(self) -> Sequence[str] | None:
        """Names that a task may have as `task_type`; None: that is not checked here."""
        return self._found().task_types if self._with_typed else None

    @property
    def broken(self) -> str | None:
        """What to say of plugins that might have brought what is not there; None: nothing."""
        if self._extra is None or not self._extra.broken:
            return None
        return f"plugins that cannot be used: {', '.join(self._extra.broken)} (harness plugin list)"

    def want(self, names: Iterable[str]) -> None:
        """Look for more, where one of these types of units is none that is known."""
        known = {name.lower() for name in self.executors}
        if any(name.lower() not in known for name in names):
            self._found()

    def _found(self) -> ExtraTypes:
        if self._extra is None:
            self._extra = self._find() if self._find else ExtraTypes()
        return self._extra
