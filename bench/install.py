"""Peers in a folder of the project: their own virtual environment and node modules."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from .processes import run

__all__ = ["HERE", "PEERS", "PROJECT", "install_peers"]

HERE = Path(__file__).parent
PROJECT = HERE.parent
PEERS = PROJECT / ".tools" / "bench"


def install_peers() -> dict[str, str]:
    """Install what is missing; return peer → why it could not be installed."""
    PEERS.mkdir(parents=True, exist_ok=True)
    problems = {}
    problem = _python_peers()
    if problem:
        problems.update(dict.fromkeys(("supervisord", "circus"), problem))
    problem = _node_peers()
    if problem:
        problems["pm2"] = problem
    return problems


def _python_peers() -> str | None:
    pins = HERE / "requirements.txt"
    mark = PEERS / "requirements.txt"
    if _is_same(pins, mark):
        return None
    steps: tuple[tuple[str | Path, ...], ...] = (
        (sys.executable, "-m", "venv", PEERS / "venv"),
        (PEERS / "venv/bin/pip", "install", "--quiet", "--requirement", pins),
    )
    for step in steps:
        problem = _step(*step)
        if problem:
            return problem
    shutil.copy(pins, mark)
    return None


def _node_peers() -> str | None:
    if shutil.which("npm") is None:
        return "npm is not installed"
    wanted, mark = HERE / "package.json", PEERS / "package.json"
    if _is_same(wanted, mark) and (PEERS / "node_modules/.bin/pm2").exists():
        return None
    shutil.copy(wanted, mark)
    problem = _step(
        "npm",
        "install",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--no-package-lock",
        "--silent",
    )
    if problem:
        mark.unlink()
    return problem


def _is_same(one: Path, other: Path) -> bool:
    return other.exists() and one.read_bytes() == other.read_bytes()


def _step(*argv: str | Path) -> str | None:
    done = run(argv, env=os.environ, cwd=PEERS, timeout_s=600.0)
    if done.status == 0:
        return None
    last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
    return f"{Path(argv[0]).name} ended with {done.status}: {''.join(last)}"
