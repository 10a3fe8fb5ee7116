"""Causes as people read them in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

from harness.commands import signal_number
from harness.errors import ConfigError
from harness.health import HealthReport, ProbeReport

if TYPE_CHECKING:
    from harness.executors import StopReport
    from harness.model import UnitSpec

__all__ = ["cause_of", "one_line", "stop_text", "waited_probe"]


@overload
def one_line(text: str) -> str: ...
@overload
def one_line(text: None) -> None: ...
def one_line(text: str | None) -> str | None:
    """Return the text with its lines joined by semicolons."""
    if text is None:
        return None
    lines = (line.strip() for line in text.splitlines())
    return "; ".join(line for line in lines if line)


def cause_of(error: Exception) -> str:
    """Return what went wrong, without what was to be done and without the system's numbers."""
    cause = getattr(error, "cause", None)
    if isinstance(cause, str):
        return one_line(cause)
    if isinstance(error, ConfigError):
        return one_line("; ".join(str(problem) for problem in error.problems))
    if isinstance(error, OSError) and error.strerror:
        text = error.strerror[0].lower() + error.strerror[1:]
        return f"{text}: {error.filename}" if error.filename else text
    return one_line(str(error))


def waited_probe(report: HealthReport | None) -> ProbeReport | None:
    """Return the probe that readiness waits for, else the newest one."""
    if report is None:
        return None
    current = next((p for p in report.probes if p.probe == report.waiting_for), None)
    return current or (report.probes[-1] if report.probes else None)


def stop_text(spec: UnitSpec, report: StopReport | None) -> str | None:
    """Return how a unit ended that was stopped; nothing where that is what was asked for.

    Args:
        spec: of the unit.
        report: of its executor; None: nothing ran.
    """
    if report is None:
        return None
    parts = []
    if report.killed:
        parts.append(f"killed: it did not end within {spec.shutdown_timeout_s:g} s")
    elif report.exit.as_shell() != 128 + signal_number(spec.stop_signal):
        # A shell, or a container, says so of what ended by a signal.
        parts.append(str(report.exit))
    if report.stragglers:
        parts.append(f"also killed: {', '.join(report.stragglers)}")
    return "; ".join(parts) or None
