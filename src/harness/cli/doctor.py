"""`harness doctor`: what of this machine a stack may need, and how the daemon is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import click

from .commands import Command, async_command
from .session import Session
from .tables import Cell, columns

if TYPE_CHECKING:
    from harness.client import Client

__all__ = ["doctor"]

_TOOLS = (
    ("sh", "runs every service"),
    ("ssh", "services on other machines"),
    ("docker", "services in containers"),
    ("systemctl", "systemd units"),
    ("kubectl", "Kubernetes workloads"),
    ("wg", "WireGuard networks"),
)
_REQUIRED = frozenset({"sh"})
_FEW_FILES = 1024
_STYLES = {"ok": "good", "missing": "dim", "warning": "busy", "problem": "bad"}


class Finding(NamedTuple):
    """What was looked at, how it is (ok, missing, warning, problem), and what to know about it."""

    subject: str
    verdict: str
    detail: str


@click.command(cls=Command, examples=("doctor", "doctor --json"))
@async_command
async def doctor(session: Session) -> None:
    """Check this machine and the daemon.

    Looks at the tools that executors use, limits, the state directory, the daemon and the stack
    file. Exits with 1 when it finds a problem; a missing tool is none until a stack needs it.
    """
    findings = [*_tools(), _open_files(), _state_dir(session), await _daemon(session)]
    findings += _stack_file(session)
    if session.out.json:
        session.out.document([finding._asdict() for finding in findings])
    else:
        rows: list[list[str | Cell | None]] = [
            [finding.subject, Cell(finding.verdict, _STYLES[finding.verdict]), finding.detail]
            for finding in findings
        ]
        session.out.lines(columns(session.out, rows))
    if any(finding.verdict == "problem" for finding in findings):
        raise click.exceptions.Exit(1)


def _tools() -> Iterator[Finding]:
    from shutil import which

    for tool, purpose in _TOOLS:
        path = which(tool)
        absent = "problem" if tool in _REQUIRED else "missing"
        yield Finding(tool, "ok" if path else absent, path or f"needed for: {purpose}")


def _open_files() -> Finding:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    few = soft != resource.RLIM_INFINITY and soft < _FEW_FILES
    detail = f"{soft} of at most {hard}"
    return Finding("open files", "warning" if few else "ok", detail)


def _state_dir(session: Session) -> Finding:
    from shlex import quote

    path = session.endpoint().state_dir
    if not os.path.exists(path):
        above = next(parent for parent in path.parents if os.path.exists(parent))
        if not (above.is_dir() and os.access(above, os.W_OK | os.X_OK)):
            detail = f"{path} cannot be made: {above} cannot be written to"
            return Finding("state directory", "problem", f"{detail}; name one in HARNESS_STATE_DIR")
        return Finding("state directory", "ok", f"{path} (made when a daemon starts)")
    if not os.access(path, os.W_OK | os.X_OK):
        return Finding("state directory", "problem", f"{path} cannot be written to")
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        # What is in it is the user's alone whatever the mode; a daemon refuses only what everybody
        # may write to.
        verdict = "problem" if mode & 0o002 else "warning"
        detail = (
            f"{path} is open to others (mode {mode:o}); `chmod 700 {quote(str(path))}` mends it"
        )
        return Finding("state directory", verdict, detail)
    return Finding("state directory", "ok", str(path))


async def _daemon(session: Session) -> Finding:
    from harness import __version__
    from harness.errors import DaemonUnavailable, HarnessError

    try:
        async with session.connect(start=False) as client:
            version = await _version(client)
    except DaemonUnavailable:
        return Finding("daemon", "ok", "none runs; the first command that needs it starts it")
    except HarnessError as error:
        return Finding("daemon", "problem", str(error))
    if version != __version__:
        advice = "`harness daemon stop --keep-services` lets a new one take over"
        return Finding("daemon", "warning", f"version {version}, not {__version__}; {advice}")
    return Finding("daemon", "ok", f"runs, version {version}")


async def _version(client: Client) -> str:
    version: str = (await client.daemon.status())["version"]
    return version


def _stack_file(session: Session) -> list[Finding]:
    from harness.errors import ConfigError, DependencyCycle

    from .stack_file import has_stack_file, load_stack

    if not has_stack_file(session):
        return [Finding("stack file", "missing", "none here or above; `harness init` writes one")]
    try:
        stack = load_stack(session)
    except ConfigError as error:
        detail = f"{_counted(len(error.problems), 'problem')}; see `harness validate`"
        return [Finding("stack file", "problem", detail)]
    except DependencyCycle as error:
        return [Finding("stack file", "problem", str(error))]
    units = _counted(len(stack.units), "unit")
    return [Finding("stack file", "ok", f"project {stack.name}, {units}")]


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
