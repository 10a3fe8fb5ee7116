"""Groups of commands that plugins add: entry points of the group `harness.commands`.

Nothing is looked for while a built-in command is named. The list of commands shows their names,
which the installed distributions' own files hold, and imports none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from harness.installed import names_entry_points

from .commands import LazyCommand

if TYPE_CHECKING:
    from .program import Program

__all__ = ["GROUP", "PluginCommand", "colliding", "plugin_commands"]

GROUP = "harness.commands"
_SECTION = "Plugins"


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginCommand(LazyCommand):
    """A command that somebody else wrote.

    Attributes:
        name: as people type it.
        source: `NAME VERSION` of a distribution.
    """

    name: str
    source: str

    def load(self) -> click.Command:
        """Import it.

        Raises:
            PluginBroken: that failed, however it did.
        """
        try:
            # Not by its superclass: `super()` without arguments does not work with slots here.
            return LazyCommand.load(self)
        except (Exception, SystemExit) as error:  # whatever somebody else's code does
            from harness.errors import PluginBroken

            cause = f"{type(error).__name__}: {error}"
            raise PluginBroken(name=self.name, source=self.source, cause=cause) from error


def plugin_commands(program: Program) -> list[PluginCommand]:
    """Return what this program adds, and what plugins do in the order of names; imports none."""
    own = [_command(name, target, program.name) for name, target in program.commands]
    installed = sorted(_installed(), key=lambda command: (command.name, command.source))
    return [*own, *installed]


def colliding(commands: Iterable[PluginCommand], builtin: Collection[str]) -> dict[int, str]:
    """Return position → why it is not used, of commands whose names are taken."""
    found, taken = {}, set(builtin)
    for position, command in enumerate(commands):
        if command.name in builtin:
            found[position] = f'the command "{command.name}" is built in'
        elif command.name in taken:
            found[position] = f'the command "{command.name}" is there already'
        taken.add(command.name)
    return found


def _installed() -> list[PluginCommand]:
    if not names_entry_points(GROUP):
        return []
    from importlib.metadata import entry_points

    found = []
    for point in entry_points(group=GROUP):
        source = f"{point.dist.name} {point.dist.version}" if point.dist else "unknown"
        found.append(_command(point.name, point.value, source))
    return found


def _command(name: str, target: str, source: str) -> PluginCommand:
    return PluginCommand(
        name=name, source=source, target=target, summary=f"Of {source}.", section=_SECTION
    )
