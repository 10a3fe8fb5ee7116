"""No tool at all: the commands spawned in a loop, each with its output in a file."""

from __future__ import annotations

from collections.abc import Sequence

from bench.processes import launch

from .base import Service, Tool, ToolFailed

__all__ = ["Bare"]


class Bare(Tool):
    """What the machine itself needs for the same work; nothing is kept alive."""

    name = "bare"

    def __init__(self) -> None:
        super().__init__()
        self._services: tuple[Service, ...] = ()

    @classmethod
    def version(cls) -> str:
        """Return nothing: there is no program."""
        return ""

    def write(self, services: Sequence[Service]) -> None:
        """Remember what to spawn."""
        self._services = tuple(services)

    def up(self) -> None:
        """Spawn all."""
        for service in self._services:
            launch(
                service.argv,
                env=self.env,
                cwd=self.folder,
                output=self.folder / f"{service.name}.log",
            )

    def stop(self) -> None:
        """Refuse: leaving the context ends the processes."""
        raise ToolFailed("a bare loop has no stop")

    def manager_pid(self) -> int:
        """Refuse: nobody manages anything."""
        raise ToolFailed("a bare loop has no manager")

    def output(self, name: str) -> bytes:
        """Read the file."""
        return (self.folder / f"{name}.log").read_bytes()
