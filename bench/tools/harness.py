"""The harness, used as a user would: by its command line, in a state directory of its own."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import anyio

from bench.install import PROJECT
from bench.processes import run
from harness.client import connect
from harness.protocol import Endpoint

from .base import Service, Tool, ToolFailed

__all__ = ["Harness"]

_ALL = 1 << 30
_BIN = Path(sys.prefix) / "bin" / "harness"


class Harness(Tool):
    """One daemon; services live in sessions of their own and write into files themselves."""

    name = "harness"

    def __init__(self) -> None:
        super().__init__()
        self.env |= {
            "HARNESS_STATE_DIR": str(self.folder / "state"),
            "XDG_RUNTIME_DIR": str(self.folder),
        }

    @classmethod
    def version(cls) -> str:
        """Return the version this tree has."""
        if not _BIN.exists():
            raise ToolFailed("harness is not installed beside this Python")
        done = run([_BIN, "--version"], env={}, cwd=PROJECT)
        if done.status != 0:
            raise ToolFailed(done.stderr.decode(errors="replace").strip()[:300])
        return done.stdout.decode().split()[-1]

    def write(self, services: Sequence[Service]) -> None:
        """Write harness.yaml; JSON is YAML too."""
        stack: dict[str, Any] = {
            "version": "1",
            "name": "bench",
            "services": {item.name: _service(item) for item in services if not item.is_task},
            "tasks": {item.name: _unit(item) for item in services if item.is_task},
            "settings": {"log_max_size": _ALL} if any(item.keep_all for item in services) else {},
        }
        (self.folder / "harness.yaml").write_text(json.dumps(stack, indent=1))

    def start_daemon(self) -> None:
        """Start the daemon alone."""
        self.command(_BIN, "daemon", "start")

    def up(self) -> None:
        """Begin `harness up`, which starts the daemon where needed and ends when all are ready."""
        self.launch_up(_BIN, "up")

    def stop(self) -> None:
        """Take the project down; the daemon stays."""
        self.command(_BIN, "down")

    def stop_one(self, name: str) -> None:
        """Stop one service."""
        self.command(_BIN, "stop", name)

    def manager_pid(self) -> int:
        """Return the daemon's pid."""
        return int(json.loads(self.command(_BIN, "--json", "daemon", "status"))["pid"])

    def output(self, name: str) -> bytes:
        """Return what `harness logs` prints."""
        return self.command(_BIN, "logs", "--no-prefix", name)

    def running(self, wanted: Mapping[str, int], *, timeout_s: float) -> float:
        """Ask until exactly these services run with these pids; return when (perf_counter).

        Asks over one connection: a command for each question would be slower than the answer.

        Raises:
            ToolFailed: they do not run so in time.
        """
        return anyio.run(_until_running, self.folder / "state", dict(wanted), timeout_s)

    def status(self) -> list[dict[str, Any]]:
        """Return the services of `harness status --json`, whatever state they are in."""
        done = run([_BIN, "--json", "status"], env=self.env, cwd=self.folder)
        if done.status not in (0, 3):
            raise ToolFailed(done.stderr.decode(errors="replace").strip()[:300])
        services: list[dict[str, Any]] = json.loads(done.stdout)["services"]
        return services

    def status_argv(self) -> list[str]:
        """Return `harness status`."""
        return [str(_BIN), "status"]

    def help_argv(self) -> list[str]:
        """Return `harness --help`."""
        return [str(_BIN), "--help"]

    def follow_argv(self, name: str) -> list[str]:
        """Return `harness logs -f`."""
        return [str(_BIN), "logs", "-f", name]

    def clean_up(self) -> None:
        """Stop the daemon and all its projects."""
        run([_BIN, "daemon", "stop"], env=self.env, cwd=self.folder, timeout_s=60.0)


async def _until_running(state_dir: Path, wanted: dict[str, int], timeout_s: float) -> float:
    pids: dict[str, int | None] = {}
    with anyio.move_on_after(timeout_s):
        async with connect(Endpoint(state_dir), start=False) as client:
            while pids != wanted:
                status = await client.services.status(project="bench")
                units = status["services"]
                pids = {unit["name"]: unit["pid"] for unit in units if unit["state"] == "running"}
                await anyio.sleep(0.002)
            return time.perf_counter()
    wrong = [name for name in wanted if pids.get(name) != wanted[name]]
    raise ToolFailed(f"{len(wrong)} of {len(wanted)} services do not run as they did: {wrong[:3]}")


def _unit(item: Service) -> dict[str, Any]:
    unit: dict[str, Any] = {"type": "process", "command": list(item.argv)}
    if item.needs is not None:
        condition = "completed" if item.is_task else "healthy"
        noun = "task" if item.is_task else "service"
        unit["depends_on"] = [{noun: item.needs, "condition": condition}]
    return unit


def _service(item: Service) -> dict[str, Any]:
    unit = _unit(item)
    if item.restart:
        unit["restart"] = {"mode": "always", "backoff": {"initial": 0, "max": 0, "jitter": 0}}
    if item.check_port is not None:
        unit["health_check"] = {"tcp": item.check_port, "interval": 10}
    return unit
