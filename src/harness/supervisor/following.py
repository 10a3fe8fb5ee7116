"""Which units restart along with others: those whose dependency on one says `restart`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .unit import Unit

__all__ = ["with_followers"]


def with_followers(units: Sequence[Unit], among: Iterable[Unit]) -> list[Unit]:
    """Return units, and those that run and follow one of them, or one that follows it."""
    followers: dict[str, list[Unit]] = {}
    for unit in among:
        for dependency in unit.spec.depends_on if unit.is_live else ():
            if dependency.restart:
                followers.setdefault(dependency.on, []).append(unit)
    found = {unit.name: unit for unit in units}
    waiting = [*found]
    while waiting:
        new = [unit for unit in followers.get(waiting.pop(), ()) if unit.name not in found]
        found |= {unit.name: unit for unit in new}
        waiting += (unit.name for unit in new)
    return list(found.values())
