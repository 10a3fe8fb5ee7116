"""Causes as people read them in one line."""

from __future__ import annotations

from typing import overload

from harness.errors import ConfigError
from harness.health import HealthReport, ProbeReport

__all__ = ["cause_of", "one_line", "waited_probe"]


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
