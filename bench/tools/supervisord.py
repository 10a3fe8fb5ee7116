"""supervisord, from PyPI."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.install import PEERS, PROJECT
from bench.processes import run

from .base import Service, Tool, ToolFailed

__all__ = ["Supervisord"]

_BIN = PEERS / "venv/bin"

_HEAD = """\
[unix_http_server]
file={folder}/sock
[supervisord]
nodaemon=true
logfile={folder}/supervisord.log
pidfile={folder}/supervisord.pid
minfds=8192
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{folder}/sock
"""

_PROGRAM = """\
[program:{name}]
command={command}
autorestart={autorestart}
startsecs={startsecs}
stopasgroup=true
killasgroup=true
stdout_logfile={folder}/{name}.log
stdout_logfile_maxbytes=0
"""


class Supervisord(Tool):
    """One manager process; services are its children, their output goes through its pipes."""

    name = "supervisord"

    @classmethod
    def version(cls) -> str:
        """Return the version of the installed package."""
        if not (_BIN / "supervisord").exists():
            raise ToolFailed("supervisord is not installed")
        return run([_BIN / "supervisord", "--version"], env={}, cwd=PROJECT).stdout.decode().strip()

    def write(self, services: Sequence[Service]) -> None:
        """Write supervisord.conf."""
        parts = [_HEAD.format(folder=self.folder)]
        parts += [
            _PROGRAM.format(
                name=service.name,
                command=" ".join(service.argv).replace("%", "%%"),
                autorestart=str(service.restart).lower(),
                startsecs=1 if service.restart else 0,
                folder=self.folder,
            )
            for service in services
        ]
        (self.folder / "supervisord.conf").write_text("".join(parts))

    def up(self) -> None:
        """Start supervisord, which starts all."""
        self.launch_manager(_BIN / "supervisord", "-n", "-c", "supervisord.conf")

    def stop(self) -> None:
        """Shut supervisord down, which stops all."""
        self.command(*self._ctl("shutdown"))
        if self.manager is not None:
            self.manager.wait(60.0)

    def stop_one(self, name: str) -> None:
        """Stop one program."""
        self.command(*self._ctl("stop", name))

    def manager_pid(self) -> int:
        """Return supervisord's pid."""
        return self.launched_pid()

    def output(self, name: str) -> bytes:
        """Read the program's log file."""
        path = self.folder / f"{name}.log"
        return path.read_bytes() if path.exists() else b""

    def status_argv(self) -> list[str]:
        """Return `supervisorctl status`."""
        return self._ctl("status")

    def follow_argv(self, name: str) -> list[str]:
        """Return `supervisorctl tail -f`."""
        return self._ctl("tail", "-f", name)

    def _ctl(self, *words: str) -> list[str]:
        conf: Path = self.folder / "supervisord.conf"
        return [str(_BIN / "supervisorctl"), "-c", str(conf), *words]
