"""circus, from PyPI."""

from __future__ import annotations

from collections.abc import Sequence

from bench.install import PEERS, PROJECT
from bench.processes import run

from .base import Service, Tool, ToolFailed

__all__ = ["Circus"]

_BIN = PEERS / "venv/bin"

_HEAD = """\
[circus]
endpoint = ipc://{folder}/endpoint
pubsub_endpoint = ipc://{folder}/pubsub
check_delay = 1
logoutput = {folder}/circus.log
"""

_WATCHER = """\
[watcher:{name}]
cmd = {command}
copy_env = True
respawn = {respawn}
autostart = True
stop_children = True
max_retry = -1
stdout_stream.class = FileStream
stdout_stream.filename = {folder}/{name}.log
"""


class Circus(Tool):
    """One manager process; services are its children, their output goes through its pipes.

    By default it looks for ended services every 5 s; here every second.
    """

    name = "circus"

    @classmethod
    def version(cls) -> str:
        """Return the version of the installed package."""
        if not (_BIN / "circusd").exists():
            raise ToolFailed("circus is not installed")
        return run([_BIN / "circusd", "--version"], env={}, cwd=PROJECT).stdout.decode().strip()

    def write(self, services: Sequence[Service]) -> None:
        """Write circus.ini."""
        parts = [_HEAD.format(folder=self.folder)]
        parts += [
            _WATCHER.format(
                name=service.name,
                command=" ".join(service.argv),
                respawn=service.restart,
                folder=self.folder,
            )
            for service in services
        ]
        (self.folder / "circus.ini").write_text("".join(parts))

    def up(self) -> None:
        """Start circusd, which starts all."""
        self.launch_manager(_BIN / "circusd", "circus.ini")

    def stop(self) -> None:
        """Quit circusd, which stops all."""
        self.command(*self._ctl("quit"))
        if self.manager is not None:
            self.manager.wait(60.0)

    def stop_one(self, name: str) -> None:
        """Stop one watcher."""
        self.command(*self._ctl("stop", name, "--waiting"))

    def manager_pid(self) -> int:
        """Return circusd's pid."""
        return self.launched_pid()

    def output(self, name: str) -> bytes:
        """Read the watcher's log file."""
        path = self.folder / f"{name}.log"
        return path.read_bytes() if path.exists() else b""

    def status_argv(self) -> list[str]:
        """Return `circusctl status`."""
        return self._ctl("status")

    def _ctl(self, *words: str) -> list[str]:
        endpoint = f"ipc://{self.folder}/endpoint"
        return [str(_BIN / "circusctl"), "--timeout", "60", "--endpoint", endpoint, *words]
