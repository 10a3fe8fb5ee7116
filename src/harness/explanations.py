"""Why a unit is as it is, in words: one line while it waits, a paragraph when somebody asks.

The waiting line of `up`, `why` and the error of a timeout all come from the same document.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.times import age, clock_time

__all__ = ["describe", "lease_text", "probe_text", "waiting_line"]

Explanation = Mapping[str, Any]


def waiting_line(explanation: Explanation) -> str:
    """Return what the unit waits for, in one line."""
    needs = [f"{need['unit']} → {_need(need)}" for need in explanation["needs"]]
    parts = [f"for {', '.join(needs)}"] if needs else []
    probe = explanation["probe"]
    if probe:
        parts.append(f"own probe {_probe(probe)}")
    if not parts:
        parts.append(explanation["summary"])
    return ", ".join(parts)


def describe(explanation: Explanation, *, depth: int = 0) -> list[str]:
    """Return the lines of an explanation: the unit, what it needs, then the causes behind it."""
    indent = "  " * depth
    lines = [indent + _headline(explanation)]
    lines += [f"{indent}  {label:<13} {text}" for label, text in _facts(explanation)]
    for cause in explanation["causes"]:
        lines += describe(cause, depth=depth + 1)
    return lines


def lease_text(found: Mapping[str, Any]) -> str:
    """Return a lease in one line."""
    if not found["left_s"]:
        return f"of {found['owner']}, expired; the project is being taken down"
    return f"of {found['owner']}; {age(found['left_s'])} left, then the project is taken down"


def _headline(explanation: Explanation) -> str:
    since = explanation["since"]
    summary: str = explanation["summary"]
    return f"{summary} (since {clock_time(since)})" if since else summary


def _facts(explanation: Explanation) -> Iterator[tuple[str, str]]:
    for index, line in enumerate(explanation["last_output"]):
        yield ("last output" if index == 0 else "", line)
    if explanation["needs"]:
        needs = [f"{need['unit']} {_need(need)}" for need in explanation["needs"]]
        yield ("it needs", "   ".join(needs))
    if explanation["probe"]:
        yield ("its probe", _probe(explanation["probe"]))
    if explanation["next"]:
        yield ("next", explanation["next"])
    if explanation.get("lease"):
        yield ("its lease", lease_text(explanation["lease"]))


def _need(need: Mapping[str, Any]) -> str:
    if need["met"]:
        return f"{need['condition']} ✓"
    return f"{need['condition']} ✗ ({need['state']})"


def probe_text(probe: Mapping[str, Any]) -> str:
    """Return what a check asks, and what came of it."""
    # What is said of the log names the pattern.
    check = "log" if probe["check"].startswith("log ") else probe["check"]
    return f"{check}: {probe['message'] or 'has not passed'}"


def _probe(probe: Mapping[str, Any]) -> str:
    # The name that a check has by itself tells nothing.
    stage = "" if probe["stage"] == "ready" else f"{probe['stage']}: "
    text = f"{stage}{probe_text(probe)}"
    if not probe["tries"]:  # checks of the log are told, they do not try
        return text
    return f"{text} ({probe['tries']} {'try' if probe['tries'] == 1 else 'tries'})"
