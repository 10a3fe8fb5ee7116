"""pm2, from npm."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from bench.install import PEERS, PROJECT
from bench.processes import run

from .base import Service, Tool, ToolFailed

__all__ = ["Pm2"]

_PM2 = PEERS / "node_modules/.bin/pm2"


class Pm2(Tool):
    """One manager process in the background; services are its children."""

    name = "pm2"

    def __init__(self) -> None:
        super().__init__()
        self.env |= {
            "PM2_HOME": str(self.folder / "pm2"),
            "PM2_DISCRETE_MODE": "true",
            "PM2_DISABLE_VERSION_CHECK": "true",
        }

    @classmethod
    def version(cls) -> str:
        """Return the version of the installed package."""
        package = PEERS / "node_modules/pm2/package.json"
        if not package.exists():
            raise ToolFailed("pm2 is not installed")
        node = run(["node", "--version"], env={"PATH": "/usr/bin:/usr/local/bin"}, cwd=PROJECT)
        version = json.loads(package.read_text())["version"]
        return f"{version} (node {node.stdout.decode().strip()})"

    def write(self, services: Sequence[Service]) -> None:
        """Write apps.json."""
        apps = [
            {
                "name": service.name,
                "script": service.argv[0],
                "args": list(service.argv[1:]),
                "interpreter": "none",
                "autorestart": service.restart,
                "max_restarts": 1_000_000,
                "out_file": str(self.folder / f"{service.name}.log"),
                "error_file": str(self.folder / f"{service.name}.err"),
                "merge_logs": True,
                "vizion": False,
            }
            for service in services
        ]
        (self.folder / "apps.json").write_text(json.dumps({"apps": apps}))

    def up(self) -> None:
        """Begin `pm2 start`; the first command starts the manager."""
        self.launch_up(_PM2, "start", "apps.json")

    def stop(self) -> None:
        """Kill the manager, which stops all first."""
        self.command(_PM2, "kill")

    def stop_one(self, name: str) -> None:
        """Stop one app."""
        self.command(_PM2, "stop", name)

    def manager_pid(self) -> int:
        """Return the pid of pm2's manager."""
        path: Path = self.folder / "pm2/pm2.pid"
        return int(path.read_text())

    def output(self, name: str) -> bytes:
        """Read the app's log file."""
        path = self.folder / f"{name}.log"
        return path.read_bytes() if path.exists() else b""

    def status_argv(self) -> list[str]:
        """Return `pm2 list`."""
        return [str(_PM2), "list"]

    def follow_argv(self, name: str) -> list[str]:
        """Return `pm2 logs`, without its prefixes."""
        return [str(_PM2), "logs", "--raw", "--lines", "0", name]
